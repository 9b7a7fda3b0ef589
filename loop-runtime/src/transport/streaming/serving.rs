//! The serving side.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Request, Response, header};
use http_body::Body as _;
use tonic::Status;
use tonic::body::Body;

use super::Outbound;
use super::batches::{Batches, Role};
use crate::transport::assembly::{self, Assembly};
use crate::transport::unary;

/// The messages of a request, as they come. Dropping it tells the client to send no more.
pub(crate) struct Requests {
    body: Option<Body>,
    assembly: Assembly,
    data: Bytes,
}

/// What an implementation has replied.
pub(crate) enum Replied {
    /// The one message of a unary reply.
    Message(Bytes),
    Stream(Outbound),
}

impl Requests {
    fn new(body: Body, limit: usize) -> Self {
        Self { body: Some(body), assembly: Assembly::new(limit), data: Bytes::new() }
    }

    /// The next message; `None` once the client has sent its last one, and after an error.
    ///
    /// An error is the client's cancellation or the end of its connection, or a violation of gRPC or of our limits.
    pub(crate) fn poll_message(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Box<Status>>>> {
        loop {
            if !self.data.is_empty() {
                match self.assembly.next(&mut self.data) {
                    Ok(Some(message)) => return Poll::Ready(Some(Ok(message))),
                    Ok(None) => {}
                    Err(status) => return self.fail(status),
                }
            }
            let Some(body) = &mut self.body else { return Poll::Ready(None) };
            match ready!(Pin::new(body).poll_frame(cx)) {
                // A request has no trailers in gRPC.
                Some(Ok(frame)) => self.data = frame.into_data().unwrap_or_default(),
                Some(Err(error)) => {
                    return self.fail(Status::cancelled(format!("the request did not come whole: {error}")));
                }
                None if self.assembly.is_in_the_middle() => return self.fail(assembly::cut_off()),
                None => {
                    self.body = None;
                    return Poll::Ready(None);
                }
            }
        }
    }

    pub(crate) async fn next(&mut self) -> Option<Result<Bytes, Box<Status>>> {
        poll_fn(|cx| self.poll_message(cx)).await
    }

    /// The only message of a unary request.
    pub(crate) async fn only(&mut self) -> Result<Bytes, Box<Status>> {
        let no_message = || Box::new(Status::internal("the body of the call holds no message"));
        let message = self.next().await.ok_or_else(no_message)??;
        match self.next().await {
            None => Ok(message),
            Some(Ok(_)) => Err(Box::new(Status::internal("more than one message in the body of a unary call"))),
            Some(Err(status)) => Err(status),
        }
    }

    fn fail(&mut self, status: Status) -> Poll<Option<Result<Bytes, Box<Status>>>> {
        self.body = None;
        self.data = Bytes::new();
        Poll::Ready(Some(Err(Box::new(status))))
    }
}

/// [`answer_unary`](super::super::answer_unary) for calls with any number of messages, each of at most `limit` bytes: runs `run`
/// with the request's headers and messages, and sends what it returns. The response headers are sent as soon as it has
/// returned.
pub(crate) fn answer_streaming<F, R>(
    request: Request<Body>,
    limit: usize,
    run: F,
) -> impl Future<Output = Response<Body>>
where
    F: FnOnce(HeaderMap, Requests) -> R,
    R: Future<Output = Result<Replied, Status>>,
{
    let (Parts { headers, .. }, body) = request.into_parts();
    async move {
        if let Some(refused) = unary::refuse(&headers) {
            return refused;
        }
        match run(headers, Requests::new(body, limit)).await {
            Ok(Replied::Message(message)) => unary::respond(Ok(message)),
            Ok(Replied::Stream(messages)) => {
                let mut response = Response::new(Body::new(Batches::new(messages, Role::Server)));
                response.headers_mut().insert(header::CONTENT_TYPE, unary::GRPC.clone());
                response
            }
            Err(status) => status.into_http(),
        }
    }
}
