//! What the rest of the crate may rely on when it calls through a [`Connection`], whatever implements it.
//!
//! Nothing here knows how the connection is implemented: peers are scripted frame by frame (see `peer`), and the
//! assertions are about what callers see, the events, and what the peer reads. A new transport has to pass them as is.
//!
//! Time is paused: what does not happen within [`within`] never does, and nothing waits for that in real time.

mod cancelled;
mod impossible;
mod limits;
mod outcomes;
mod peer;
mod serving;
mod signs;
mod states;
mod streams;

use std::future::Future;
use std::time::Duration;

use http_body_util::{BodyExt, StreamBody};
use tokio::io::{DuplexStream, duplex};
use tonic::codegen::tokio_stream::{self, StreamExt};

use super::*;
use crate::transport::client::Reply;
use peer::Peer;

/// A connection, its driver, and the calls over it.
struct Door {
    connection: Connection,
    driver: JoinHandle<()>,
}

type Call = JoinHandle<Result<Reply, Failure>>;

impl Door {
    /// The peer has sent its SETTINGS, and they were received.
    async fn open() -> (Self, Peer) {
        let (door, mut peer) = Self::open_to(Limits::client(), None).await;
        peer.settings(&[]).await;
        peer.knows_settings().await;
        (door, peer)
    }

    /// The peer has sent nothing; the connection is for `calls` calls.
    async fn open_to(limits: Limits, calls: Option<u32>) -> (Self, Peer) {
        let (near, far) = duplex(1 << 20);
        let (connection, driver) = match calls {
            Some(calls) => {
                Self::spawn(Connection::open_for(near, &limits, calls, SignsOfLife::default()).await.unwrap())
            }
            None => Self::spawn(Connection::open(near, &limits).await.unwrap()),
        };
        (Self { connection, driver }, Peer::new(far).await)
    }

    fn spawn(
        (connection, driver): (Connection, impl Future<Output = ()> + Send + 'static),
    ) -> (Connection, JoinHandle<()>) {
        (connection, tokio::spawn(driver))
    }

    /// Begins a call.
    fn call(&self) -> Call {
        self.call_with("hello")
    }

    fn call_with(&self, message: impl Into<Bytes>) -> Call {
        let (connection, message) = (self.connection.clone(), message.into());
        tokio::spawn(async move { connection.call("/a.B/C", message).await })
    }

    /// Begins a call whose request never ends, like the streams of go-plugin's broker.
    fn stream(&self) -> JoinHandle<Result<Response<Body>, Failure>> {
        let item = http_body::Frame::data(Bytes::from_static(b"\0\0\0\0\x02hi"));
        let items = tokio_stream::iter([Ok::<_, Status>(item)]).chain(tokio_stream::pending());
        let request = Request::post("/a.B/Stream").body(Body::new(StreamBody::new(items))).unwrap();
        let connection = self.connection.clone();
        tokio::spawn(async move { connection.forward(request).await })
    }

    fn is(&self, state: State) -> bool {
        self.state() == state
    }

    fn state(&self) -> State {
        let connection = &self.connection;
        let state = match (connection.is_usable(), connection.ended().is_cancelled()) {
            (true, false) => State::Usable,
            (false, false) => State::Retired,
            (_, true) => State::Ended,
        };
        assert_eq!(connection.retired().is_cancelled(), state != State::Usable, "the event says the same");
        state
    }

    /// No call is accepted, and nothing is sent to the peer.
    async fn takes_none(&self) {
        let failure = within(self.call()).await.unwrap().unwrap_err();
        assert!(matches!(failure, Failure::NotRun(_)) && !failure.is_from_peer(), "{failure:?}");
    }

    /// The connection ends, or has; the peer sees that, and nothing is left of it.
    async fn goes(self, peer: Peer) {
        within(self.connection.ended().cancelled()).await;
        assert!(self.is(State::Ended));
        within(peer.hears_the_end()).await;
        within(self.driver).await.unwrap();
        nothing_runs().await;
    }

    /// A call that the peer answers.
    async fn works(&self, peer: &mut Peer) {
        let call = self.call();
        let stream = peer.takes_call().await;
        peer.answers(stream, "fine").await;
        assert_eq!(within(call).await.unwrap().unwrap().body, "fine");
    }
}

/// No task is left in this test's runtime.
async fn nothing_runs() {
    settle().await;
    assert_eq!(tokio::runtime::Handle::current().metrics().num_alive_tasks(), 0);
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Usable,
    Retired,
    Ended,
}

/// The output of `future`, if it ever completes.
async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(1), future).await.expect("it never comes")
}

#[track_caller]
fn not_run<T: std::fmt::Debug>(result: Result<T, Failure>) -> Failure {
    let failure = result.unwrap_err();
    assert!(matches!(failure, Failure::NotRun(_)), "{failure:?}");
    failure
}

#[track_caller]
fn may_have_run<T: std::fmt::Debug>(result: Result<T, Failure>) -> Failure {
    let failure = result.unwrap_err();
    assert!(matches!(failure, Failure::MayHaveRun(_)), "{failure:?}");
    failure
}
