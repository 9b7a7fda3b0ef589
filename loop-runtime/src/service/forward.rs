//! A service of one plugin lent to another: the host passes bodies on unread.
//!
//! A forward is bound to a handle, not to a connection, so it survives the death of either side. While the target is
//! away, callers wait for it a few seconds; a call that was lost is repeated only if the contract says that it may be.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::{Body as HttpBody, Frame};
use http_body_util::{BodyExt, Full, Limited};
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tracing::Instrument;

use super::BoxFuture;
use super::handle::Handle;
use super::link::{InFlight, Link};
use super::method::Method;
use super::remote::Remote;
use super::session::Session;
use super::status::to_status;
use super::tree::{Names, unknown_service};
use crate::error::{Code, Error, Result};
use crate::transport::{self, ConnectionId, Deadline, Failure, Handler};

/// How many times an idempotent call is carried out at most, as for a call of our own.
const EXECUTIONS: u32 = 3;

/// Hands the calls of a lease to a remote service, for the names of its own tree only.
pub(crate) struct Forward {
    target: Remote,
    names: Arc<Names>,
    session: Arc<Session>,
    release: Option<&'static Method>,
    released: CancellationToken,
}

impl Forward {
    /// `release` is the method by which the peer gives the target back, if it was handed over to it; `released` is
    /// cancelled then.
    pub(crate) fn new(
        target: &Remote,
        names: &Arc<Names>,
        session: &Arc<Session>,
        release: Option<&'static Method>,
        released: CancellationToken,
    ) -> Self {
        // What is not ours cannot be given back by us: it is told like any other call.
        let release = release.filter(|_| target.handle().is_owned());
        Self { target: target.clone(), names: names.clone(), session: session.clone(), release, released }
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

impl Handler for Forward {
    fn handle(&self, request: Request<Body>, _: ConnectionId) -> BoxFuture<'static, Response<Body>> {
        self.session.saw_peer(transport::is_our_client(request.headers()));
        let (target, names) = (self.target.clone(), self.names.clone());
        let limit = self.session.receive_limit();
        let to = &target.handle().family.name;
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
}

async fn forward(target: &Arc<Handle>, names: &Names, limit: usize, request: Request<Body>) -> Result<Response<Body>> {
    let path = request.uri().path().to_owned();
    let (service, method) = path.trim_start_matches('/').rsplit_once('/').unwrap_or((path.as_str(), ""));
    if !names.contains(service) {
        return Err(unknown_service(service));
    }
    let wait = Instant::now() + target.family.timing.forward_wait;
    let deadline = request.extensions().get::<Deadline>().map(|deadline| deadline.0);
    let until = deadline.map_or(wait, |deadline| deadline.min(wait));
    let answer = if names.method(service, method).is_some_and(|method| method.idempotent) {
        repeat(target, until, limit, request).await
    } else {
        once(target, until, request).await
    };
    answer.map_err(|error| match (error.loss(), deadline) {
        // The peer's clock was the first to notice: grpc-go then resets the call without an answer.
        (Some(loss), Some(at)) if at <= Instant::now() => {
            Error::deadline(loss.may_have_run, format!("{path}: the caller's deadline passed"))
        }
        _ => error,
    })
}

/// Sends the request over one link and streams the answer back.
async fn once(target: &Arc<Handle>, until: Instant, request: Request<Body>) -> Result<Response<Body>> {
    let mut last = 0;
    let (link, in_flight) = loop {
        let link = target.ensure(until, last).await?;
        last = link.number();
        if let Some(in_flight) = link.begin() {
            break (link, in_flight);
        }
    };
    let response = send(&link, request).await?;
    Ok(response.map(|body| Body::new(Relay { body, peer: link.session().name().to_owned(), _in_flight: in_flight })))
}

/// Keeps the request and reads the whole answer, so that the call can be sent again.
async fn repeat(target: &Arc<Handle>, until: Instant, limit: usize, request: Request<Body>) -> Result<Response<Body>> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, limit).collect().await;
    let body =
        body.map_err(|why| Error::new(Code::ResourceExhausted, format!("a request to pass on: {why}")))?.to_bytes();
    let (mut executions, mut last) = (0, 0);
    loop {
        let link = target.ensure(until, last).await.map_err(|error| error.handed_over(executions > 0))?;
        last = link.number();
        let Some(_in_flight) = link.begin() else { continue };
        let request = Request::from_parts(head.clone(), Body::new(Full::new(body.clone())));
        let answer = async {
            let (head, body) = send(&link, request).await?.into_parts();
            if body.is_end_stream() {
                // The status is among the headers, which have to end the stream here too: grpc-go looks for it nowhere else.
                return Ok(Response::from_parts(head, Body::empty()));
            }
            let whole = body.collect().await.map_err(|why| lost(link.session().name(), &why))?;
            Ok(Response::from_parts(head, Body::new(whole)))
        };
        match answer.await {
            Ok(response) => return Ok(response),
            Err(error) => {
                let Some(loss) = Error::loss(&error) else { return Err(error) };
                executions += u32::from(loss.may_have_run);
                // A link that lives on broke off this call only: waiting for another one is of no use.
                if executions >= EXECUTIONS || link.is_usable() {
                    return Err(error);
                }
            }
        }
    }
}

async fn send(link: &Link, request: Request<Body>) -> Result<Response<Body>> {
    let name = link.session().name();
    let Some(sent) = link.outcome(pin!(link.connection().forward(request))).await else {
        return Err(lost(name, &"the connection is gone"));
    };
    match sent {
        Ok(response) => {
            link.session().family().alive();
            Ok(response)
        }
        Err(Failure::Answered(status)) => Ok(status.into_http()),
        Err(Failure::NotSent(why)) => {
            link.settle_end().await;
            Err(Error::lost(false, format!("{name}: {why}")))
        }
        Err(Failure::Lost(why)) => {
            link.settle_end().await;
            Err(lost(name, &why))
        }
    }
}

fn lost(peer: &str, why: &dyn std::fmt::Display) -> Error {
    Error::lost(true, format!("{peer}: lost while a call was passed on, which may have run: {why}"))
}

/// An answer on its way back. If its connection ends in the middle, the caller is told that, in trailers, as a loss
/// one hop on: a stream that just breaks would look like the loss of this process.
struct Relay {
    body: Body,
    peer: String,
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
                let status = to_status(&lost(&self.peer, &why));
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
