//! Serves a tree of services on the connections of one socket.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::Status;
use tonic::body::Body;
use tracing::Instrument;

use super::contract::{Answer, Call, Replied, Service};
use super::export::{Mount, typed};
use super::sending::Sending;
use super::tree::Tree;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::service::base::{BoxFuture, Method, to_status};
use crate::service::session::{Lent, RECIPE, Session};
use crate::transport::{self, ConnectionId, Deadline, Handler, Requests, SignsOfLife};

/// A service and its tree, ready to be served on the main connection of a plugin.
#[derive(Clone)]
pub(crate) struct RootService(Arc<dyn Mount>);

impl RootService {
    /// The root made of `service`. A remote service is served through its typed adapter: a root is never forwarded.
    pub(crate) fn new<S: Service + ?Sized>(service: &Arc<S>) -> Self {
        Self(typed(service))
    }

    /// Runs the start methods of the service, once, before it is served.
    ///
    /// # Errors
    ///
    /// What they answer.
    pub(crate) async fn start(&self) -> Result<()> {
        self.0.start().await
    }

    /// Mounts the tree for one session.
    ///
    /// # Errors
    ///
    /// Two accessors offer one service name.
    pub(crate) fn serve(&self, session: &Arc<Session>) -> Result<Arc<MountedTree>> {
        Ok(Arc::new(MountedTree::new(self.0.tree()?, session.clone(), None, CancellationToken::new())))
    }
}

/// A mounted tree on one session.
pub(crate) struct MountedTree {
    tree: Tree,
    session: Arc<Session>,
    release: Option<&'static Method>,
    released: CancellationToken,
    calls: TaskTracker,
}

impl MountedTree {
    /// `released` is cancelled once the method `release` was answered.
    pub(crate) fn new(
        tree: Tree,
        session: Arc<Session>,
        release: Option<&'static Method>,
        released: CancellationToken,
    ) -> Self {
        Self { tree, session, release, released, calls: TaskTracker::new() }
    }

    /// The calls under way: unary ones, and those with a stream among their arguments. A stream in a result alone may never
    /// end, so nobody waits for it.
    pub(crate) fn calls(&self) -> &TaskTracker {
        &self.calls
    }

    /// Ends the streams that nobody waits for.
    pub(crate) fn close_streams(&self) {
        self.session.close_streams();
    }

    /// The full names of the services.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        self.tree.names().collect()
    }

    /// Notes a request of the peer for another service on the same connection.
    pub(crate) fn heard(&self) {
        self.session.peer_context().heard();
    }

    /// The signs of life of the peer over all connections.
    pub(crate) fn signs(&self) -> SignsOfLife {
        self.session.peer_context().signs()
    }

    /// Answers one request. A method that is not served here is refused before the message is read: the call may be a stream
    /// whose client waits for the response.
    pub(crate) fn respond(self: &Arc<Self>, request: Request<Body>) -> BoxFuture<'static, Response<Body>> {
        let path = request.uri().path().to_owned();
        let method = match self.tree.find(&path) {
            Ok(target) => target.method,
            Err(unknown) => return Box::pin(std::future::ready(to_status(&unknown).into_http())),
        };
        let deadline = request.extensions().get::<Deadline>().map(|deadline| deadline.0);
        match method.is_streaming() {
            true => self.respond_streaming(method, path, deadline, request),
            false => self.respond_unary(path, deadline, request),
        }
    }

    fn respond_unary(
        self: &Arc<Self>,
        path: String,
        deadline: Option<Instant>,
        request: Request<Body>,
    ) -> BoxFuture<'static, Response<Body>> {
        let (served, limit) = (self.clone(), self.session.receive_limit());
        let answer = transport::answer_unary(request, limit, move |headers, body| async move {
            let span = tracing::debug_span!("serve", peer = served.session.name(), path);
            let begun = span.in_scope(|| served.begin(&path, deadline, &headers, body, None));
            // Up to a kilobyte, which a long call need not hold.
            drop(headers);
            let answer = match begun {
                Ok((context, answer)) => context.scope(served.run(&path, answer)).instrument(span).await,
                Err(error) => Err(error),
            };
            match answer {
                Ok(Replied::Message(reply)) => Ok(reply),
                Ok(Replied::Stream(_)) => Err(Status::internal("a stream as the reply of a unary method")),
                Err(error) => Err(answered(error)),
            }
        });
        Box::pin(self.calls.track_future(answer))
    }

    fn respond_streaming(
        self: &Arc<Self>,
        method: &'static Method,
        path: String,
        deadline: Option<Instant>,
        request: Request<Body>,
    ) -> BoxFuture<'static, Response<Body>> {
        let (served, limit) = (self.clone(), self.session.receive_limit());
        // Held by the stream in the reply, to its end.
        let under_way = method.client_streaming.then(|| self.calls.token());
        Box::pin(transport::answer_streaming(request, limit, move |headers, mut requests| async move {
            let span = tracing::debug_span!("serve", peer = served.session.name(), path);
            let (body, requests) = match method.client_streaming {
                true => (Bytes::new(), Some(requests)),
                false => (requests.only().await.map_err(|status| *status)?, None),
            };
            let begun = span.in_scope(|| served.begin(&path, deadline, &headers, body, requests));
            drop(headers);
            let (context, answer) = begun.map_err(answered)?;
            let replied = context.clone().scope(served.run(&path, answer)).instrument(span.clone()).await;
            Ok(match replied.map_err(answered)? {
                Replied::Message(reply) => transport::Replied::Message(reply),
                Replied::Stream(items) => transport::Replied::Stream(Box::pin(Sending::new(
                    items,
                    context,
                    span,
                    path,
                    &served.session,
                    under_way,
                ))),
            })
        }))
    }

    /// The future of the reply, to be run in the context.
    fn begin(
        &self,
        path: &str,
        deadline: Option<Instant>,
        headers: &HeaderMap,
        body: Bytes,
        requests: Option<Requests>,
    ) -> Result<(Context, Answer)> {
        let target = self.tree.find(path)?;
        self.session.saw_peer(transport::is_our_client(headers));
        self.session.peer_context().heard();
        let key = headers.get(RECIPE).and_then(|key| key.to_str().ok()).map(str::to_owned);
        let call = Call { body, requests, session: self.session.clone(), key };
        Ok((Context::received(deadline, headers), target.dispatch(call)?))
    }

    async fn run(&self, path: &str, answer: Answer) -> Result<Replied> {
        let outcome = self.guarded(path, answer).await;
        if outcome.is_ok() && self.release.is_some_and(|release| release.path == path) {
            self.released.cancel();
        }
        outcome
    }

    /// Calls the release method, if the service has one.
    async fn release(&self) {
        if let Some(method) = self.release {
            let path = method.path;
            let answered = match self.begin(path, None, &HeaderMap::new(), Bytes::new(), None) {
                Ok((context, answer)) => context.scope(self.run(path, answer)).await,
                Err(error) => Err(error),
            };
            if let Err(error) = answered {
                tracing::debug!(path, %error, "an object that was replaced did not close cleanly");
            }
        }
    }

    /// Runs `answer`; a panic in it becomes an error status, and the process lives.
    async fn guarded(&self, path: &str, answer: Answer) -> Result<Replied> {
        let mut answer = pin!(answer);
        let caught = std::future::poll_fn(|context| {
            let polled = std::panic::catch_unwind(AssertUnwindSafe(|| answer.as_mut().poll(context)));
            match polled {
                Ok(polled) => polled.map(Ok),
                Err(panic) => Poll::Ready(Err(panic)),
            }
        });
        caught.await.unwrap_or_else(|panic| Err(panicked(&self.session.peer_context().local, path, &*panic)))
    }
}

/// The status for the error of a handler.
pub(super) fn answered(error: Error) -> Status {
    match error.loss() {
        // It was the handler's own call that was not sent; the handler itself ran.
        Some(_) => to_status(&error.handed_over(true)),
        None => to_status(&error),
    }
}

/// The error for a panic of an implementation.
pub(super) fn panicked(who: &str, path: &str, panic: &(dyn Any + Send)) -> Error {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("a panic without a text");
    Error::internal(format!("{who} panicked in {path}: {text}"))
}

/// [`MountedTree`] behind a socket of its own.
pub(crate) struct LentHandler(pub(crate) Arc<MountedTree>);

impl Lent for LentHandler {
    /// Its status is ignored: the replaced object is dropped either way.
    fn release(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.0.release())
    }
}

impl Handler for LentHandler {
    fn handle(&self, request: Request<Body>, _: ConnectionId) -> BoxFuture<'static, Response<Body>> {
        self.0.respond(request)
    }

    fn signs(&self) -> SignsOfLife {
        self.0.signs()
    }
}
