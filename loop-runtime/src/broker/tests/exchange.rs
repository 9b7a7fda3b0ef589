//! Announcements over a real main connection.

use std::sync::Mutex;

use http::{Request, Response};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::codegen::tokio_stream;
use tonic::{Code, Status};
use tower_service::Service;

use super::*;
use crate::broker::exchange::BrokerEnd;
use crate::proto::plugin::grpc_broker_client::GrpcBrokerClient;
use crate::proto::plugin::grpc_broker_server::GrpcBrokerServer;
use crate::transport::{BoxFuture, Connection, ConnectionId, Handler, Limits, serve_connection};

struct Plugin(GrpcBrokerServer<BrokerService>);

impl Handler for Plugin {
    fn handle(&self, request: Request<Body>, _: ConnectionId) -> BoxFuture<'static, Response<Body>> {
        let mut server = self.0.clone();
        Box::pin(async move {
            let Ok(response) = server.call(request).await;
            response
        })
    }
}

pub(super) struct Main {
    pub(super) connection: Connection,
    stop: CancellationToken,
    abort: CancellationToken,
    serving: JoinHandle<()>,
}

pub(super) async fn main_connection(dir: &Path, handler: impl Handler) -> Main {
    let listener = transport::Listener::bind_in(dir).unwrap();
    let address = listener.address();
    let (dialled, accepted) = tokio::join!(Stream::connect(&address), listener.accept());
    let (stop, abort) = (CancellationToken::new(), CancellationToken::new());
    let serving = serve_connection(
        accepted.unwrap().establish().await.unwrap(),
        Arc::new(handler),
        Limits::server(),
        stop.clone(),
        abort.clone(),
    );
    let (connection, driver) = Connection::open(dialled.unwrap(), &Limits::client()).await.unwrap();
    tokio::spawn(driver);
    Main { connection, stop, abort, serving: tokio::spawn(serving) }
}

/// Both ends of an exchange that has begun.
async fn begun(dir: &Path) -> (Main, Broker, Broker, JoinHandle<BrokerEnd>) {
    let (plugin, from_plugin) = alone(dir);
    let server = GrpcBrokerServer::new(BrokerService::new(plugin.clone(), Hosts::One, from_plugin));
    let main = main_connection(dir, Plugin(server)).await;
    let (host, from_host) = alone(dir);
    let exchange = tokio::spawn(exchange(main.connection.clone(), host.clone(), from_host));
    for (acceptor, dialler) in [(&host, &plugin), (&plugin, &host)] {
        let (id, listener) = acceptor.listen().await.unwrap();
        assert_eq!(id, 1);
        assert_connected(dialler.dial(1).await.unwrap().0, accept(&listener).await).await;
    }
    (main, host, plugin, exchange)
}

async fn closed_because(broker: &Broker) -> String {
    broker.0.pending.closed().await.to_string()
}

#[tokio::test]
async fn both_directions_until_the_plugin_dies() {
    let dir = tempfile::tempdir().unwrap();
    let (main, host, plugin, exchange) = begun(dir.path()).await;
    main.abort.cancel();
    assert_eq!(exchange.await.unwrap(), BrokerEnd::Lost);
    let reason = closed_because(&host).await;
    assert!(reason.starts_with("the broker is closed: the exchange of announcements failed"), "{reason}");
    assert_eq!(closed_because(&plugin).await, "the broker is closed: the host ended the exchange");
    assert!(matches!(host.dial(2).await, Err(BrokerError::Closed(_))));
}

#[tokio::test]
async fn the_hosts_end_ends_it() {
    let dir = tempfile::tempdir().unwrap();
    let (main, host, plugin, exchange) = begun(dir.path()).await;
    host.closed("enough");
    assert_eq!(exchange.await.unwrap(), BrokerEnd::Lost);
    assert_eq!(closed_because(&plugin).await, "the broker is closed: the host ended the exchange");
    assert!(main.connection.is_usable(), "the exchange is one call, not the connection");
}

#[tokio::test]
async fn a_closed_broker_lets_the_plugin_stop_gracefully() {
    let dir = tempfile::tempdir().unwrap();
    let (main, host, plugin, exchange) = begun(dir.path()).await;
    main.stop.cancel();
    tokio::task::yield_now().await;
    assert!(!main.serving.is_finished(), "the exchange is a call in flight");
    plugin.closed("shutting down");
    main.serving.await.unwrap();
    assert_eq!(exchange.await.unwrap(), BrokerEnd::Closed);
    assert!(closed_because(&host).await.contains("the plugin ended the exchange"));
}

#[tokio::test]
async fn there_is_one_exchange_for_life() {
    let dir = tempfile::tempdir().unwrap();
    let (main, host, plugin, exchange) = begun(dir.path()).await;
    let again = || async {
        let announcements = tokio_stream::iter([at(9, "unix", "/tmp/a")]);
        GrpcBrokerClient::new(main.connection.clone()).start_stream(announcements).await.unwrap_err().code()
    };
    assert_eq!(again().await, Code::FailedPrecondition);
    let (id, listener) = plugin.listen().await.unwrap();
    assert_connected(host.dial(id).await.unwrap().0, accept(&listener).await).await;
    host.closed("enough");
    exchange.await.unwrap();
    closed_because(&plugin).await;
    assert_eq!(again().await, Code::FailedPrecondition);
}

struct Without;

impl Handler for Without {
    fn handle(&self, _: Request<Body>, _: ConnectionId) -> BoxFuture<'static, Response<Body>> {
        Box::pin(async { Status::unimplemented("unknown service plugin.GRPCBroker").into_http() })
    }
}

#[tokio::test]
async fn a_plugin_may_have_no_broker() {
    let dir = tempfile::tempdir().unwrap();
    let main = main_connection(dir.path(), Without).await;
    let (host, from_host) = alone(dir.path());
    assert_eq!(exchange(main.connection, host.clone(), from_host).await, BrokerEnd::Without);
    let error = host.listen().await.unwrap_err().to_string();
    assert_eq!(error, "the plugin has no broker");
    assert_eq!(files(dir.path()), 0);
}

/// Like a Go plugin: it receives announcements and sends nothing, not even headers.
struct Silent(Mutex<Option<tokio::sync::oneshot::Sender<ConnInfo>>>);

impl Handler for Silent {
    fn handle(&self, request: Request<Body>, _: ConnectionId) -> BoxFuture<'static, Response<Body>> {
        let came = self.0.lock().unwrap().take().unwrap();
        Box::pin(async move {
            let decoder = tonic::codec::Codec::decoder(&mut tonic_prost::ProstCodec::<ConnInfo, ConnInfo>::default());
            let mut announcements = tonic::Streaming::new_request(decoder, request.into_body(), None, None);
            came.send(announcements.message().await.unwrap().unwrap()).unwrap();
            std::future::pending().await
        })
    }
}

#[tokio::test]
async fn the_hosts_announcements_do_not_wait_for_the_plugins_answer() {
    let dir = tempfile::tempdir().unwrap();
    let (send, came) = tokio::sync::oneshot::channel();
    let main = main_connection(dir.path(), Silent(Mutex::new(Some(send)))).await;
    let (host, from_host) = alone(dir.path());
    let exchange = tokio::spawn(exchange(main.connection.clone(), host.clone(), from_host));
    let (id, listener) = host.listen().await.unwrap();
    let announced = came.await.unwrap();
    assert_eq!((announced.service_id, announced.address), (id, listener.address().to_string()));
    main.connection.close();
    assert_eq!(exchange.await.unwrap(), BrokerEnd::Lost);
}
