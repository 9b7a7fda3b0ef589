//! go-plugin's broker over tonic: numbers, announcements, and servers on sockets of their own.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::net::UnixListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_stream::wrappers::{UnboundedReceiverStream, UnixListenerStream};
use tokio_stream::{Stream, StreamExt};
use tonic::service::Routes;
use tonic::transport::Server;
use tonic::{Request, Response, Status, Streaming};
use tower::util::MapRequestLayer;

use crate::wire::plugin::ConnInfo;
use crate::wire::plugin::grpc_broker_client::GrpcBrokerClient;
use crate::wire::plugin::grpc_broker_server::GrpcBroker;
use crate::wire::{Peer, connect, note_answer};

/// One side of a broker. What it serves ends when it is dropped.
pub(crate) struct Broker {
    announced: watch::Sender<HashMap<u32, String>>,
    outgoing: mpsc::UnboundedSender<ConnInfo>,
    waiting: Mutex<Option<mpsc::UnboundedReceiver<ConnInfo>>>,
    next: AtomicU32,
    dir: PathBuf,
    servers: Mutex<JoinSet<()>>,
}

impl Broker {
    fn new(dir: &Path) -> Arc<Self> {
        let (outgoing, waiting) = mpsc::unbounded_channel();
        Arc::new(Self {
            announced: watch::Sender::default(),
            outgoing,
            waiting: Mutex::new(Some(waiting)),
            next: AtomicU32::new(1),
            dir: dir.to_owned(),
            servers: Mutex::default(),
        })
    }

    /// The host's side: it opens the stream.
    pub(crate) fn host(peer: Peer, dir: &Path) -> Arc<Self> {
        let broker = Self::new(dir);
        let outgoing = broker.waiting.lock().unwrap().take().expect("the first");
        let announced = broker.announced.clone();
        broker.servers.lock().unwrap().spawn(async move {
            let mut client = GrpcBrokerClient::new(peer);
            let stream = client.start_stream(UnboundedReceiverStream::new(outgoing)).await.expect("a broker");
            listen(stream.into_inner(), announced).await;
        });
        broker
    }

    /// The plugin's side: it waits for the stream.
    pub(crate) fn plugin(dir: &Path) -> Arc<Self> {
        Self::new(dir)
    }

    /// Connects to what the other side serves under `id`, once that is announced.
    pub(crate) async fn dial(&self, id: u32) -> Peer {
        let mut announced = self.announced.subscribe();
        let known = announced.wait_for(|known| known.contains_key(&id));
        let known = tokio::time::timeout(Duration::from_secs(5), known).await;
        let socket = known.unwrap_or_else(|_| panic!("{id} is not announced")).expect("a broker")[&id].clone();
        connect(socket).await
    }

    /// Serves `routes` on a socket of their own and announces it.
    pub(crate) fn serve(&self, routes: Routes) -> u32 {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let socket = self.dir.join(format!("theirs-{id}"));
        self.servers.lock().unwrap().spawn(serve(&socket, routes));
        let address = socket.display().to_string();
        let info = ConnInfo { service_id: id, network: "unix".into(), address, ..ConnInfo::default() };
        self.outgoing.send(info).expect("a stream");
        id
    }
}

/// Binds at once, and serves for as long as the future runs.
pub(crate) fn serve(socket: &Path, routes: Routes) -> impl Future<Output = ()> + Send + use<> {
    let connections = UnixListenerStream::new(UnixListener::bind(socket).expect("a socket"));
    let noted = MapRequestLayer::new(note_answer as fn(_) -> _);
    async move { Server::builder().layer(noted).add_routes(routes).serve_with_incoming(connections).await.expect("served") }
}

async fn listen(mut stream: Streaming<ConnInfo>, announced: watch::Sender<HashMap<u32, String>>) {
    while let Ok(Some(info)) = stream.message().await {
        assert_eq!(info.network, "unix");
        announced.send_modify(|known| drop(known.insert(info.service_id, info.address)));
    }
}

#[tonic::async_trait]
impl GrpcBroker for Arc<Broker> {
    type StartStreamStream = Pin<Box<dyn Stream<Item = Result<ConnInfo, Status>> + Send>>;

    async fn start_stream(
        &self,
        request: Request<Streaming<ConnInfo>>,
    ) -> Result<Response<Self::StartStreamStream>, Status> {
        self.servers.lock().unwrap().spawn(listen(request.into_inner(), self.announced.clone()));
        let outgoing = self.waiting.lock().unwrap().take().expect("one stream");
        Ok(Response::new(Box::pin(UnboundedReceiverStream::new(outgoing).map(Ok))))
    }
}
