//! Announcements over the `StartStream` call of a main connection: opened by the host, once, for life.

use std::ops::DerefMut;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use tokio::sync::{Mutex, OwnedMutexGuard, mpsc};
use tokio_util::sync::WaitForCancellationFutureOwned;
use tonic::codegen::tokio_stream::Stream;
use tonic::{Request, Response, Status, Streaming};

use super::Broker;
use crate::proto::plugin::ConnInfo;
use crate::proto::plugin::grpc_broker_client::GrpcBrokerClient;
use crate::proto::plugin::grpc_broker_server::GrpcBroker;
use crate::transport::Connection;

/// The host's end: sends what `broker` announces (the receiver of its `outgoing`) and passes it what is received, until
/// the broker is closed. When the call or the connection ends, or this future is dropped, it closes the broker.
///
/// Run it as a task of its own: a Go plugin sends nothing, not even headers, before its first announcement.
pub(crate) async fn exchange(connection: Connection, broker: Broker, outgoing: mpsc::Receiver<ConnInfo>) -> BrokerEnd {
    let end = broker.0.pending.token().clone();
    let closing = CloseOnDrop { broker: broker.clone(), reason: "the main connection was given up" };
    match end.run_until_cancelled(exchange_until_end(connection, &broker, outgoing)).await {
        Some((BrokerEnd::Without, _)) => {
            closing.broker.without();
            BrokerEnd::Without
        }
        Some((end, reason)) => {
            closing.broker.closed(reason);
            end
        }
        None => BrokerEnd::Lost,
    }
}

/// How an exchange ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BrokerEnd {
    /// The plugin has no broker: its calls work, and nothing can be lent to it.
    Without,
    /// It had one, and has ended it in order, as a plugin that shuts down does. It does not come back.
    Closed,
    /// It had one, which was lost and does not come back.
    Lost,
}

/// How it ended, and why.
async fn exchange_until_end(
    connection: Connection,
    broker: &Broker,
    outgoing: mpsc::Receiver<ConnInfo>,
) -> (BrokerEnd, String) {
    // The client, and with it this clone of the connection, is dropped here; only the call keeps the connection.
    let outgoing = Unsent { announcements: Box::new(outgoing), ended: broker.ended() };
    let call = GrpcBrokerClient::new(connection).start_stream(outgoing).await;
    let mut incoming = match call {
        Ok(response) => response.into_inner(),
        Err(status) if status.code() == tonic::Code::Unimplemented => return (BrokerEnd::Without, String::new()),
        Err(status) => return (BrokerEnd::Lost, format!("announcements cannot be exchanged: {status}")),
    };
    loop {
        match incoming.message().await {
            Ok(Some(announcement)) => broker.received(announcement),
            Ok(None) => return (BrokerEnd::Closed, "the plugin ended the exchange of announcements".to_owned()),
            Err(status) => return (BrokerEnd::Lost, format!("the exchange of announcements failed: {status}")),
        }
    }
}

/// How many hosts a plugin has in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hosts {
    /// One: when it ends the exchange, the broker is closed.
    One,
    /// One after another: the exchange of the next begins when that of the previous one has ended.
    Several,
}

/// The plugin's end: serves the call that [`exchange`] makes.
#[derive(Debug)]
pub(crate) struct BrokerService {
    broker: Broker,
    hosts: Hosts,
    /// Set once the only host has opened the stream.
    taken: AtomicBool,
    /// Locked while an exchange runs.
    outgoing: Arc<Mutex<mpsc::Receiver<ConnInfo>>>,
}

impl BrokerService {
    /// Serves `broker`, whose announcements arrive at `outgoing`.
    pub(crate) fn new(broker: Broker, hosts: Hosts, outgoing: mpsc::Receiver<ConnInfo>) -> Self {
        Self { broker, hosts, taken: AtomicBool::new(false), outgoing: Arc::new(Mutex::new(outgoing)) }
    }
}

#[tonic::async_trait]
impl GrpcBroker for BrokerService {
    type StartStreamStream = Exchange;

    async fn start_stream(&self, request: Request<Streaming<ConnInfo>>) -> Result<Response<Exchange>, Status> {
        // Go lets two streams share one queue, so that announcements reach either host.
        if self.hosts == Hosts::One && self.taken.swap(true, Ordering::Relaxed) {
            return Err(Status::failed_precondition(
                "this plugin's announcements are, or were, exchanged over another stream",
            ));
        }
        let announcements = self.outgoing.clone().lock_owned().await;
        let broker = self.broker.clone();
        let outgoing = Unsent { announcements, ended: broker.ended() };
        let closing = (self.hosts == Hosts::One)
            .then(|| CloseOnDrop { broker: broker.clone(), reason: "the host ended the exchange" });
        let incoming = request.into_inner();
        Ok(Response::new(Exchange { incoming: Some(incoming), outgoing, broker, _closing: closing }))
    }
}

/// What a broker announces, until it is closed.
///
/// The end matters on either side: a plugin's graceful stop waits for its calls in flight, and a host's connection
/// keeps a call, even one whose response was dropped, until its request ends.
struct Unsent<R> {
    announcements: R,
    ended: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl<R: DerefMut<Target = mpsc::Receiver<ConnInfo>> + Unpin> Stream for Unsent<R> {
    type Item = ConnInfo;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<ConnInfo>> {
        match self.ended.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(None),
            Poll::Pending => self.announcements.poll_recv(cx),
        }
    }
}

/// The plugin's call, both directions in one: when polled for what to send, it also processes what was received.
pub(crate) struct Exchange {
    /// `None` once it has ended.
    incoming: Option<Streaming<ConnInfo>>,
    outgoing: Unsent<OwnedMutexGuard<mpsc::Receiver<ConnInfo>>>,
    broker: Broker,
    _closing: Option<CloseOnDrop>,
}

impl Stream for Exchange {
    type Item = Result<ConnInfo, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        while let Some(incoming) = &mut self.incoming {
            match Pin::new(incoming).poll_next(cx) {
                Poll::Ready(Some(Ok(announcement))) => self.broker.received(announcement),
                Poll::Ready(Some(Err(_)) | None) => self.end(),
                Poll::Pending => return Pin::new(&mut self.outgoing).poll_next(cx).map(|it| it.map(Ok)),
            }
        }
        Poll::Ready(None)
    }
}

impl Exchange {
    /// The announcements of this host are void: the next one counts from 1 again.
    fn end(&mut self) {
        self.incoming = None;
        self.broker.0.pending.forget();
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if self.incoming.is_some() {
            self.end();
        }
    }
}

impl Broker {
    fn ended(&self) -> Pin<Box<WaitForCancellationFutureOwned>> {
        Box::pin(self.0.pending.token().clone().cancelled_owned())
    }
}

struct CloseOnDrop {
    broker: Broker,
    reason: &'static str,
}

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.broker.closed(self.reason);
    }
}
