//! A service of one plugin lent to another: the host forwards bodies undecoded.
//!
//! A forward is bound to a handle, not to a connection, so it survives the death of either side. While the target is
//! down, callers wait for it a few seconds; a lost call is retried only if it is idempotent by contract.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::{Body as HttpBody, Frame};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tracing::Instrument;

use super::kept::Kept;
use crate::error::{Code, Error, Result};
use crate::service::base::{BoxFuture, Method, Names, to_status, unknown_service};
use crate::service::handle::{Attempting, Class, Handle, Remote, over_links};
use crate::service::session::{AttemptError, InFlight, Lent, Link, Session};
use crate::transport::{self, ConnectionId, Deadline, Failure, Handler, SignsOfLife};

/// A remote service to lend on, restricted to the names of its own tree.
pub(crate) struct Forwarded {
    pub(crate) target: Remote,
    pub(crate) names: Arc<Names>,
}

/// Forwards the calls of a lease to a remote service.
pub(crate) struct Forward {
    target: Remote,
    names: Arc<Names>,
    session: Arc<Session>,
    release: Option<&'static Method>,
    released: CancellationToken,
}

impl Forward {
    /// `release` is the method by which the peer releases the target, if it owns it; `released` is
    /// cancelled then.
    pub(crate) fn new(
        to: &Forwarded,
        session: &Arc<Session>,
        release: Option<&'static Method>,
        released: CancellationToken,
    ) -> Self {
        // What is not owned cannot be released here: the call is forwarded like any other.
        let release = release.filter(|_| to.target.handle().is_owned());
        Self { target: to.target.clone(), names: to.names.clone(), session: session.clone(), release, released }
    }

    /// Closes our own handle, so that the release call is sent once, by its keeper.
    async fn close(
        target: Remote,
        limit: usize,
        released: CancellationToken,
        request: Request<Body>,
    ) -> Response<Body> {
        let close = async |_, _| target.handle().close().await.map_err(|error| to_status(&error));
        let answer = transport::answer_unary(request, limit, close).await;
        released.cancel();
        answer
    }
}

impl Lent for Forward {
    /// The target lives on until its handle is closed.
    fn release(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}

impl Handler for Forward {
    fn handle(&self, request: Request<Body>, _: ConnectionId) -> BoxFuture<'static, Response<Body>> {
        self.session.saw_peer(transport::is_our_client(request.headers()));
        let (target, names) = (self.target.clone(), self.names.clone());
        let limit = self.session.receive_limit();
        let to = &target.handle().peer_context.name;
        let span = tracing::debug_span!("forward", peer = self.session.name(), to, path = request.uri().path());
        if self.release.is_some_and(|release| release.path == request.uri().path()) {
            return Box::pin(Self::close(target.clone(), limit, self.released.clone(), request).instrument(span));
        }
        let answer = async move {
            let answer = forward(target.handle(), &names, limit, request).await;
            answer.unwrap_or_else(|error| to_status(&error).into_http())
        };
        Box::pin(answer.instrument(span))
    }

    fn signs(&self) -> SignsOfLife {
        self.session.peer_context().signs()
    }
}

async fn forward(target: &Arc<Handle>, names: &Names, limit: usize, request: Request<Body>) -> Result<Response<Body>> {
    let path = request.uri().path().to_owned();
    let (service, method) = path.trim_start_matches('/').rsplit_once('/').unwrap_or((path.as_str(), ""));
    if !names.contains(service) {
        return Err(unknown_service(service));
    }
    let wait = Instant::now() + target.peer_context.timeouts.forward_timeout;
    let deadline = request.extensions().get::<Deadline>().map(|deadline| deadline.0);
    let until = deadline.map_or(wait, |deadline| deadline.min(wait));
    let call = Passed { path: &path, until, deadline };
    let known = names.method(service, method);
    let (head, body) = request.into_parts();
    let answer = if known.is_some_and(|method| method.idempotent) {
        let body = Limited::new(body, limit).collect().await;
        let body = body.map_err(|why| Error::new(Code::ResourceExhausted, format!("a request to pass on: {why}")))?;
        over_links(target, Class::Repeatable, &Repeat { call: &call, head, body: body.to_bytes() }).await
    } else {
        // A method that the contract does not name may be streaming, and its caller may wait for a response to go on.
        let body = if known.is_some() { Kept::read(body).await? } else { Kept::unread(body) };
        over_links(target, Class::Once, &Once { call: &call, head, body }).await
    };
    answer.map_err(|error| match (error.loss(), deadline) {
        // The deadline expired at the peer first: grpc-go then resets the call without a status.
        (Some(loss), Some(at)) if at <= Instant::now() => Error::deadline_after(&path).handed_over(loss.may_have_run),
        _ => error,
    })
}

/// A call that is forwarded.
struct Passed<'a> {
    path: &'a str,
    /// Until when to wait for the target.
    until: Instant,
    deadline: Option<Instant>,
}

impl Passed<'_> {
    fn lost(&self, link: &Link, how: &dyn std::fmt::Display) -> Error {
        Error::passed_on_lost(link.session().name(), self.path, how)
    }

    /// One attempt; a response is forwarded whatever its status.
    async fn send(&self, link: &Link, request: Request<Body>) -> Result<Response<Body>, AttemptError> {
        match link.outcome(pin!(link.connection().forward(request))).await {
            Some(Ok(response)) => {
                link.session().peer_context().alive();
                link.note_answer();
                Ok(response)
            }
            Some(Err(Failure::Answered(status))) => {
                link.session().peer_context().alive();
                link.note_answer();
                Ok(status.into_http())
            }
            Some(Err(failure)) => Err(link.failed(self.path, failure, self.deadline).await),
            None => Err(AttemptError::MayHaveRun(self.lost(link, &"the connection was lost"))),
        }
    }
}

/// Sends the request and streams the response back: the call runs at most once. A short request is kept until then, so
/// that a call that certainly did not run can be retried; a longer one has one attempt.
struct Once<'a> {
    call: &'a Passed<'a>,
    head: http::request::Parts,
    body: Kept,
}

impl Attempting for Once<'_> {
    type Reply = Response<Body>;

    async fn attempt(&self, link: &Arc<Link>) -> Result<Response<Body>, AttemptError> {
        let in_flight = link.in_flight();
        let gone = || Error::disconnected(link.session().name(), false);
        if !link.is_usable() {
            return Err(AttemptError::NotRun(gone()));
        }
        let body = self.body.take().ok_or_else(|| AttemptError::Impossible(gone()))?;
        let request = Request::from_parts(self.head.clone(), body);
        let response = self.call.send(link, request).await?;
        Ok(response.map(|body| {
            Body::new(Relay {
                body,
                peer: link.session().name().to_owned(),
                path: self.call.path.to_owned(),
                _in_flight: in_flight,
            })
        }))
    }

    fn until(&self) -> Instant {
        self.call.until
    }

    fn lost(&self, link: &Link, error: Error) -> impl Future<Output = Error> + Send {
        std::future::ready(self.call.lost(link, &cause(&error)))
    }
}

/// Keeps the request and buffers the whole response, so that the call can be retried.
struct Repeat<'a> {
    call: &'a Passed<'a>,
    head: http::request::Parts,
    body: Bytes,
}

impl Attempting for Repeat<'_> {
    type Reply = Response<Body>;

    async fn attempt(&self, link: &Arc<Link>) -> Result<Response<Body>, AttemptError> {
        let _in_flight = link.in_flight();
        if !link.is_usable() {
            return Err(AttemptError::NotRun(Error::disconnected(link.session().name(), false)));
        }
        let request = Request::from_parts(self.head.clone(), Body::new(Full::new(self.body.clone())));
        let (head, body) = self.call.send(link, request).await?.into_parts();
        if body.is_end_stream() {
            // A trailers-only response: the headers have to end the stream here too, as grpc-go expects.
            return Ok(Response::from_parts(head, Body::empty()));
        }
        // The host's own limit for replies of the target holds for what it forwards, too.
        let limit = link.session().reply_limit();
        let name = link.session().name();
        match Limited::new(body, limit.saturating_add(transport::MESSAGE_PREFIX)).collect().await {
            Ok(whole) => Ok(Response::from_parts(head, Body::new(whole))),
            Err(why) if why.is::<LengthLimitError>() => {
                let text = format!("{name}: the reply of {} is longer than {limit} bytes", self.call.path);
                Err(AttemptError::Answered(Error::new(Code::ResourceExhausted, text)))
            }
            Err(why) => Err(AttemptError::MayHaveRun(self.call.lost(link, &why))),
        }
    }

    fn until(&self) -> Instant {
        self.call.until
    }

    fn lost(&self, link: &Link, error: Error) -> impl Future<Output = Error> + Send {
        std::future::ready(self.call.lost(link, &cause(&error)))
    }
}

/// The text of the cause of a loss.
fn cause(error: &Error) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}

/// A response body on its way back. If its connection ends midway, trailers report that to the caller as a loss one hop
/// on: a stream that is just reset would look like the loss of this process.
struct Relay {
    body: Body,
    peer: String,
    path: String,
    _in_flight: InFlight,
}

impl HttpBody for Relay {
    type Data = Bytes;
    type Error = tonic::Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, tonic::Status>>> {
        let frame = std::task::ready!(Pin::new(&mut self.body).poll_frame(context));
        Poll::Ready(match frame {
            Some(Err(why)) => {
                let status = to_status(&Error::passed_on_lost(&self.peer, &self.path, &why));
                self.body = Body::empty();
                let mut trailers = HeaderMap::new();
                Some(status.add_header(&mut trailers).map(|()| Frame::trailers(trailers)))
            }
            frame => frame,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }
}
