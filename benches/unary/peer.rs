//! The peer: what `tonic-build` would emit for one unary method, over tonic's own `Channel` and `Server`.

use std::convert::Infallible;
use std::ffi::OsString;
use std::path::Path;
use std::process::{Child, Command};
use std::task::{Context, Poll};

use tokio::io::AsyncReadExt;
use tokio::net::{UnixListener, UnixStream};
use tonic::body::Body;
use tonic::codegen::{BoxFuture, http};
use tonic::transport::{Channel, Endpoint, Server as TonicServer};
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;

/// Names the socket, and makes this process the server.
pub(crate) const SOCKET: &str = "BENCH_SOCKET";
const PATH: &str = "/bench.v1.Peer/Echo";
const LIMIT: usize = 64 << 20;

pub(crate) type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Blob {
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) data: Vec<u8>,
}

#[derive(Clone)]
struct Peer;

impl tonic::server::NamedService for Peer {
    const NAME: &'static str = "bench.v1.Peer";
}

impl tonic::server::UnaryService<Blob> for Peer {
    type Response = Blob;
    type Future = BoxFuture<Response<Blob>, Status>;

    fn call(&mut self, request: Request<Blob>) -> Self::Future {
        Box::pin(async move { Ok(Response::new(Blob { data: request.into_inner().data })) })
    }
}

impl tower_service::Service<http::Request<Body>> for Peer {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<http::Response<Body>, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(async move {
            let mut grpc = tonic::server::Grpc::new(ProstCodec::default()).max_decoding_message_size(LIMIT);
            Ok(grpc.unary(Peer, request).await)
        })
    }
}

/// Serves until killed.
pub(crate) async fn serve(socket: OsString) -> Outcome<()> {
    let listener = UnixListener::bind(Path::new(&socket))?;
    // One line says that connections are accepted.
    println!("ready");
    let incoming = tokio_stream::wrappers::UnixListenerStream::new(listener);
    TonicServer::builder().add_service(Peer).serve_with_incoming(incoming).await?;
    Ok(())
}

/// The server's process; killed on drop, its socket removed.
pub(crate) struct Server {
    child: Child,
    directory: tempfile::TempDir,
}

impl Server {
    pub(crate) async fn start(program: &Path, flavour: &str, name: &str) -> Outcome<Self> {
        let directory = tempfile::tempdir()?;
        let socket = directory.path().join("peer");
        let mut child = Command::new(program)
            .env(SOCKET, &socket)
            .env(flavour, name)
            .stdout(std::process::Stdio::piped())
            .spawn()?;
        let out = child.stdout.take().ok_or("no stdout")?;
        let mut out = tokio::net::unix::pipe::Receiver::from_owned_fd(out.into())?;
        let this = Self { child, directory };
        out.read_u8().await?;
        Ok(this)
    }

    pub(crate) async fn client(&self) -> Outcome<Client> {
        let socket = self.directory.path().join("peer");
        let connect = tower::service_fn(move |_| {
            let socket = socket.clone();
            async move { UnixStream::connect(socket).await.map(hyper_util::rt::TokioIo::new) }
        });
        Ok(Client(Endpoint::from_static("http://localhost").connect_with_connector(connect).await?))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Gone already is just as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[derive(Clone)]
pub(crate) struct Client(Channel);

impl Client {
    pub(crate) async fn echo(&mut self, data: Vec<u8>) -> Result<Vec<u8>, Status> {
        let mut grpc = tonic::client::Grpc::new(self.0.clone()).max_decoding_message_size(LIMIT);
        grpc.ready().await.map_err(|why| Status::unavailable(why.to_string()))?;
        let codec = ProstCodec::<Blob, Blob>::default();
        let path = http::uri::PathAndQuery::from_static(PATH);
        Ok(grpc.unary(Request::new(Blob { data }), path, codec).await?.into_inner().data)
    }
}
