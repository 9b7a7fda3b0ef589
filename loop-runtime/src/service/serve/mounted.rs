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
use tonic::body::Body;
use tracing::Instrument;

use super::contract::{Answer, Call, Service};
use super::export::{Mount, typed};
use super::tree::Tree;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::service::base::{BoxFuture, Method, to_status};
use crate::service::session::{Lent, RECIPE, Session};
use crate::transport::{self, ConnectionId, Deadline, Handler, SignsOfLife};

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
}

impl MountedTree {
    /// `released` is cancelled once the method `release` was answered.
    pub(crate) fn new(
        tree: Tree,
        session: Arc<Session>,
        release: Option<&'static Method>,
        released: CancellationToken,
    ) -> Self {
        Self { tree, session, release, released }
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

    /// Answers one unary request. A method that is not served here is refused before the message is read: the call may
    /// be a stream whose client waits for the response.
    pub(crate) fn respond(self: &Arc<Self>, request: Request<Body>) -> BoxFuture<'static, Response<Body>> {
        let served = self.clone();
        let path = request.uri().path().to_owned();
        if let Err(unknown) = self.tree.find(&path) {
            return Box::pin(std::future::ready(to_status(&unknown).into_http()));
        }
        let deadline = request.extensions().get::<Deadline>().map(|deadline| deadline.0);
        let limit = self.session.receive_limit();
        Box::pin(transport::answer_unary(request, limit, move |headers, body| async move {
            let span = tracing::debug_span!("serve", peer = served.session.name(), path);
            let begun = span.in_scope(|| served.begin(&path, deadline, &headers, body));
            // Up to a kilobyte, which a long call need not hold.
            drop(headers);
            let answer = match begun {
                Ok((context, answer)) => context.scope(served.run(&path, answer)).instrument(span).await,
                Err(error) => Err(error),
            };
            answer.map_err(|error| match error.loss() {
                // It was the handler's own call that was not sent; the handler itself ran.
                Some(_) => to_status(&error.handed_over(true)),
                None => to_status(&error),
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
    ) -> Result<(Context, Answer)> {
        let target = self.tree.find(path)?;
        self.session.saw_peer(transport::is_our_client(headers));
        self.session.peer_context().heard();
        let key = headers.get(RECIPE).and_then(|key| key.to_str().ok()).map(str::to_owned);
        let call = Call { body, session: self.session.clone(), key };
        Ok((Context::received(deadline, headers), target.dispatch(call)?))
    }

    async fn run(&self, path: &str, answer: Answer) -> Result<Bytes> {
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
            let answered = match self.begin(path, None, &HeaderMap::new(), Bytes::new()) {
                Ok((context, answer)) => context.scope(self.run(path, answer)).await,
                Err(error) => Err(error),
            };
            if let Err(error) = answered {
                tracing::debug!(path, %error, "an object that was replaced did not close cleanly");
            }
        }
    }

    /// Runs `answer`; a panic in it becomes an error status, and the process lives.
    async fn guarded(&self, path: &str, answer: Answer) -> Result<Bytes> {
        let mut answer = pin!(answer);
        let caught = std::future::poll_fn(|context| {
            let polled = std::panic::catch_unwind(AssertUnwindSafe(|| answer.as_mut().poll(context)));
            match polled {
                Ok(polled) => polled.map(Ok),
                Err(panic) => Poll::Ready(Err(panic)),
            }
        });
        caught.await.unwrap_or_else(|panic| {
            let what = panic_text(&*panic);
            let who = &self.session.peer_context().local;
            Err(Error::internal(format!("{who} panicked in {path}: {what}")))
        })
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("a panic without a text")
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
