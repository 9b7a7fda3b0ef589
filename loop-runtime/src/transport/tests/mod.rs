//! Over real Unix sockets, except where a peer has to misbehave.

mod calls;
mod door;
mod ends;
mod load;
mod parsers;
mod peers;

use std::collections::HashMap;
use std::future::pending;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tonic::body::Body;

use super::*;

type Answered = Result<Bytes, Status>;

/// What a method of the test's service does with headers and message.
type Method = Arc<dyn Fn(HeaderMap, Bytes) -> BoxFuture<'static, Answered> + Send + Sync>;

/// Unary methods by path.
#[derive(Clone)]
struct Methods {
    limit: usize,
    by_path: HashMap<&'static str, Method>,
}

impl Methods {
    fn new() -> Self {
        let methods = Self { limit: usize::MAX, by_path: HashMap::new() };
        methods
            .with("/t/Echo", |_, message| async { Ok(message) })
            .with("/fixed/Echo", |_, message| async { Ok(message) })
    }

    fn with<F, R>(mut self, path: &'static str, method: F) -> Self
    where
        F: Fn(HeaderMap, Bytes) -> R + Send + Sync + 'static,
        R: Future<Output = Answered> + Send + 'static,
    {
        self.by_path.insert(path, Arc::new(move |headers, message| Box::pin(method(headers, message))));
        self
    }

    /// `/t/Hang` never answers; the channel reports when it starts and when it is dropped.
    fn with_hang(self) -> (Self, mpsc::UnboundedReceiver<Event>) {
        let (events, receive) = mpsc::unbounded_channel();
        let hang = move |_, _| {
            let events = events.clone();
            async move {
                events.send(Event::Started).unwrap();
                let _dropped = OnDrop(events);
                pending().await
            }
        };
        (self.with("/t/Hang", hang), receive)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    Started,
    Dropped,
}

struct OnDrop(mpsc::UnboundedSender<Event>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        let _ = self.0.send(Event::Dropped);
    }
}

impl Handler for Methods {
    fn handle(&self, request: Request<Body>, _: ConnectionId) -> BoxFuture<'static, Response<Body>> {
        let method = self.by_path.get(request.uri().path()).cloned();
        let limit = self.limit;
        Box::pin(async move {
            match method {
                Some(method) => answer_unary(request, limit, |headers, message| method(headers, message)).await,
                None => Status::unimplemented("unknown method").into_http(),
            }
        })
    }

    fn is_fixed(&self, path: &str) -> bool {
        path == "/fixed/Echo"
    }
}

/// Answers with whole HTTP responses.
struct Raw<F>(F);

impl<F, R> Handler for Raw<F>
where
    F: Fn(Request<Body>) -> R + Send + Sync + 'static,
    R: Future<Output = Response<Body>> + Send + 'static,
{
    fn handle(&self, request: Request<Body>, _: ConnectionId) -> BoxFuture<'static, Response<Body>> {
        Box::pin((self.0)(request))
    }
}

/// A server with one connection.
struct Served {
    stop: CancellationToken,
    abort: CancellationToken,
    task: JoinHandle<()>,
}

async fn sockets() -> (Stream, Stream) {
    let dir = tempfile::tempdir().unwrap();
    let listener = Listener::bind_in(dir.path()).unwrap();
    let address = listener.address();
    let (dialled, accepted) = tokio::join!(Stream::connect(&address), listener.accept());
    (dialled.unwrap(), accepted.unwrap().establish().await.unwrap())
}

/// Lets every task of a current-thread runtime run until it waits for something outside.
async fn settle() {
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
}

async fn connect(handler: impl Handler) -> (Connection, Served) {
    connect_with(handler, Limits::client(), Limits::server()).await
}

async fn connect_with(handler: impl Handler, client: Limits, server: Limits) -> (Connection, Served) {
    let (dialled, accepted) = sockets().await;
    let (stop, abort) = (CancellationToken::new(), CancellationToken::new());
    let serving = serve_connection(accepted, Arc::new(handler), server, stop.clone(), abort.clone());
    let task = tokio::spawn(serving);
    let (connection, driver) = Connection::open(dialled, &client).await.unwrap();
    tokio::spawn(driver);
    (connection, Served { stop, abort, task })
}

impl Connection {
    async fn call(
        &self,
        path: &'static str,
        message: impl Into<Bytes>,
    ) -> Result<crate::transport::client::Reply, Failure> {
        self.unary(path, HeaderMap::new(), None, message.into()).await
    }
}

/// The code and the message of a status.
#[track_caller]
fn answered<T: std::fmt::Debug>(result: Result<T, Failure>) -> (tonic::Code, String) {
    match result {
        Err(Failure::Answered(status)) => (status.code(), status.message().to_owned()),
        other => panic!("not answered with a status: {other:?}"),
    }
}

#[track_caller]
fn assert_lost<T: std::fmt::Debug>(result: Result<T, Failure>) -> String {
    match result {
        Err(Failure::MayHaveRun(error)) => error.to_string(),
        other => panic!("not lost: {other:?}"),
    }
}

#[track_caller]
fn assert_not_run<T: std::fmt::Debug>(result: Result<T, Failure>) -> String {
    match result {
        Err(Failure::NotRun(error)) => error.to_string(),
        other => panic!("it is not said that it did not run: {other:?}"),
    }
}
