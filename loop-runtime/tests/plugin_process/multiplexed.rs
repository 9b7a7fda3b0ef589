//! A host that multiplexes: one connection, with yamux as its crate has it by default, streams and all else by hand.

use std::future::poll_fn;
use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt as _;
use tokio::net::UnixStream;
use tokio::sync::{mpsc, oneshot};
use tokio_util::compat::{FuturesAsyncReadCompatExt as _, TokioAsyncReadCompatExt as _};
use tonic::Request;
use tonic::codegen::tokio_stream::wrappers::ReceiverStream;

use crate::client::{Client, Number, Two, two};
use crate::process::{Plugin, Start, soon};
use crate::proto::plugin::conn_info::Knock;
use crate::proto::plugin::grpc_broker_client::GrpcBrokerClient;
use crate::proto::plugin::{ConnInfo, Empty};

async fn up() -> Plugin {
    Start::new("").env("PLUGIN_MULTIPLEX_GRPC", "true").up().await
}

/// Opens streams on the one connection, which ends with it.
struct Host(mpsc::UnboundedSender<oneshot::Sender<yamux::Stream>>);

impl Host {
    async fn connect(plugin: &Plugin) -> Self {
        let socket = UnixStream::connect(&plugin.socket).await.unwrap();
        let mut session = yamux::Connection::new(socket.compat(), yamux::Config::default(), yamux::Mode::Client);
        let (send, mut wishes) = mpsc::unbounded_channel::<oneshot::Sender<yamux::Stream>>();
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    wish = wishes.recv() => {
                        let Some(wish) = wish else { return };
                        let _ = wish.send(poll_fn(|cx| session.poll_new_outbound(cx)).await.unwrap());
                    }
                    incoming = poll_fn(|cx| session.poll_next_inbound(cx)) => {
                        let Some(Ok(_)) = incoming else { return };
                    }
                }
            }
        });
        Self(send)
    }

    async fn dial(&self) -> Client {
        let (send, stream) = oneshot::channel();
        self.0.send(send).unwrap();
        Client::over(stream.await.unwrap().compat()).await
    }
}

#[tokio::test]
async fn every_stream_without_a_knock_is_a_main_connection() {
    let mut plugin = up().await;
    let host = Host::connect(&plugin).await;
    for _ in 0..3 {
        let echo: Two = host.dial().await.call("/probe.Probe/Echo", two("hello", "")).await.unwrap();
        assert_eq!(echo.one, b"hello");
    }
    let _ = host.dial().await.call::<_, Empty>("/plugin.GRPCController/Shutdown", Empty {}).await;
    assert_eq!(plugin.ended().await, (Some(0), String::new()));
    assert_eq!(plugin.sockets_left(), 0);
}

#[tokio::test]
async fn a_knock_is_acked_and_the_next_stream_is_its() {
    let mut plugin = up().await;
    let host = Host::connect(&plugin).await;
    let main = host.dial().await;
    let (says, heard) = mpsc::channel(8);
    let mut answers = GrpcBrokerClient::new(main.clone())
        .start_stream(Request::new(ReceiverStream::new(heard)))
        .await
        .unwrap()
        .into_inner();
    for number in 7..10 {
        let thing: Number = main.call("/probe.Probe/NewThing", Number { n: number }).await.unwrap();
        let service_id = u32::try_from(thing.n).unwrap();
        // And again with the same id, as an idle client in Go does.
        for _ in 0..2 {
            let knock = |ack| {
                let knock = Some(Knock { knock: true, ack, error: String::new() });
                ConnInfo { service_id, network: String::new(), address: String::new(), knock }
            };
            says.send(knock(false)).await.unwrap();
            assert_eq!(soon("an ack", answers.message()).await.unwrap(), Some(knock(true)));
            let answer: Number = host.dial().await.call("/probe.Thing/Number", Empty {}).await.unwrap();
            assert_eq!(answer.n, number);
        }
    }
    drop(host);
    assert_eq!(plugin.ended().await.0, Some(0));
}

#[tokio::test]
async fn one_connection_is_all_there_is() {
    let plugin = up().await;
    let host = Host::connect(&plugin).await;
    let echo: Two = host.dial().await.call("/probe.Probe/Echo", two("hello", "")).await.unwrap();
    assert_eq!(echo.one, b"hello");
    assert!(UnixStream::connect(&plugin.socket).await.is_err());
    assert!(!std::path::Path::new(&plugin.socket).exists());
}

#[tokio::test]
async fn its_end_is_the_end_of_the_plugin() {
    let mut plugin = up().await;
    let host = Host::connect(&plugin).await;
    let waiting = host.dial().await;
    let _: Two = waiting.call("/probe.Probe/Echo", two("hello", "")).await.unwrap();
    // The process that started it lives on, and it does not wait for another connection.
    let before = Instant::now();
    drop(host);
    assert_eq!(plugin.ended().await, (Some(0), String::new()));
    assert!(before.elapsed() < Duration::from_secs(5));
    assert_eq!(plugin.sockets_left(), 0);
}

#[tokio::test]
async fn a_host_that_does_not_multiplex_after_all_is_left() {
    let mut plugin = up().await;
    let mut socket = UnixStream::connect(&plugin.socket).await.unwrap();
    socket.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
    assert_eq!(plugin.ended().await.0, Some(0));
    assert!(plugin.whole_stderr().await.contains("a multiplexed session is over"));
}
