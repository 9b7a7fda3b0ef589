use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use tokio::io::duplex;
use tokio::sync::mpsc;
use tokio::task::yield_now;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;

use super::*;
use crate::broker::{Broker, BrokerTransport, DIAL_TIMEOUT};
use crate::error::{Code, ErrorKind};
use crate::service::base::{BoxFuture, PeerContext, Timeouts};
use crate::service::session::Session;
use crate::transport::{Connection, ConnectionId, Handler, Limits, Security, serve_connection};

/// A link, and the peer's end of it.
async fn link() -> (Arc<Link>, tokio::io::DuplexStream) {
    let (here, there) = duplex(1 << 16);
    let (connection, driver) = Connection::open(here, &Limits::client()).await.unwrap();
    let (outgoing, _) = mpsc::channel(1);
    let broker = Broker::new(BrokerTransport::sockets("/nowhere"), Security::None, DIAL_TIMEOUT, outgoing);
    let peer_context = PeerContext::new("plugin", "the host", Timeouts::default(), false, Arc::new(|_| {}));
    let session = Session::new("plugin", 1, broker, (Limits::client(), Limits::server()), peer_context);
    let link = Link::adopt(&session, connection, driver, None, session.root().clone());
    (link, there)
}

/// Yields to the scheduler some times, as a reply does on its way through a transport.
async fn answer_under_way() -> &'static str {
    for _ in 0..10 {
        yield_now().await;
    }
    "the answer"
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_under_way_outlives_its_link() {
    let (link, _peer) = link().await;
    link.end();
    assert_eq!(link.outcome(pin!(answer_under_way())).await, Some("the answer"));
    let began = tokio::time::Instant::now();
    assert_eq!(link.outcome(pin!(std::future::pending::<()>())).await, None);
    assert_eq!(began.elapsed(), settle::LINK, "nobody waits for what does not come");
}

/// Answers everything with one status, after 10 ms of real time.
struct Slow(tonic::Code);

impl Handler for Slow {
    fn handle(&self, _: Request<Body>, _: ConnectionId) -> BoxFuture<'static, Response<Body>> {
        let status = tonic::Status::new(self.0, "context canceled");
        Box::pin(async move {
            std::thread::sleep(Duration::from_millis(10));
            status.into_http()
        })
    }
}

/// The deadline expires at the peer first, as time is paused here.
#[tokio::test(start_paused = true)]
async fn an_answer_that_the_call_was_cancelled_is_the_deadline_if_that_is_over() {
    let outcome = async |code, deadline| {
        let (link, peer) = link().await;
        let (stop, abort) = (CancellationToken::new(), CancellationToken::new());
        tokio::spawn(serve_connection(peer, Arc::new(Slow(code)), Limits::server(), stop, abort));
        let context = Context { deadline: Some(Instant::now() + deadline), ..Context::default() };
        match link.unary("/a.B/C", HeaderMap::new(), &context, Bytes::new()).await {
            Err(AttemptError::Answered(error)) => (error.code(), matches!(error.kind(), ErrorKind::Deadline { .. })),
            _ => panic!("not an answer"),
        }
    };
    let (short, long) = (Duration::from_millis(5), Duration::from_secs(60));
    assert_eq!(outcome(tonic::Code::Cancelled, short).await, (Code::DeadlineExceeded, true));
    assert_eq!(outcome(tonic::Code::Cancelled, long).await, (Code::Cancelled, false), "a handler's own word");
    assert_eq!(outcome(tonic::Code::NotFound, short).await, (Code::NotFound, false), "it came before we looked");
}
