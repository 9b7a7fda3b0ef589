//! The serving side of one unary call.

use std::future::Future;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header};
use tonic::Status;
use tonic::body::Body;

use super::frame::{self, Framed, ReadError};

pub(super) static GRPC: HeaderValue = HeaderValue::from_static("application/grpc");
pub(super) static OK: HeaderValue = HeaderValue::from_static("0");
const GRPC_ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");
const GRPC_ACCEPT_ENCODING: HeaderName = HeaderName::from_static("grpc-accept-encoding");
/// The encoding that leaves a message as it is.
const IDENTITY: &str = "identity";
pub(super) const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");

/// Reads the request's message, of at most `limit` bytes, runs `run` with it and the request's headers, and frames
/// what it returns: the reply's message, or the status.
///
/// Requests that are not gRPC get HTTP status 415; malformed ones are answered without `run`.
pub(crate) fn answer_unary<F, R>(request: Request<Body>, limit: usize, run: F) -> impl Future<Output = Response<Body>>
where
    F: FnOnce(HeaderMap, Bytes) -> R,
    R: Future<Output = Result<Bytes, Status>>,
{
    // Outside the future, which would reserve space for the whole request to its end.
    let (Parts { headers, .. }, body) = request.into_parts();
    async move {
        if let Some(refused) = refuse(&headers) {
            return refused;
        }
        match receive(body, limit).await {
            Ok(message) => respond(run(headers, message).await),
            Err(status) => status.into_http(),
        }
    }
}

/// The answer to a request that is not gRPC, or whose messages cannot be read.
pub(super) fn refuse(headers: &HeaderMap) -> Option<Response<Body>> {
    if !is_grpc(headers) {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return Some(response);
    }
    refuse_encoding(headers)
}

pub(super) fn respond(reply: Result<Bytes, Status>) -> Response<Body> {
    let framed = reply.and_then(|message| {
        let trailers = HeaderMap::from_iter([(GRPC_STATUS, OK.clone())]);
        Framed::new(message, Some(trailers)).map_err(|status| *status)
    });
    match framed {
        Ok(framed) => {
            let mut response = Response::new(Body::new(framed));
            response.headers_mut().insert(header::CONTENT_TYPE, GRPC.clone());
            response
        }
        Err(status) => status.into_http(),
    }
}

/// The answer to a request whose messages may be compressed: nothing is decompressed here, and the peer is told what it can
/// use instead, as [gRPC's page on compression](https://github.com/grpc/grpc/blob/master/doc/compression.md) asks.
fn refuse_encoding(headers: &HeaderMap) -> Option<Response<Body>> {
    let encoding = headers.get(GRPC_ENCODING)?;
    if encoding == IDENTITY {
        return None;
    }
    let encoding = String::from_utf8_lossy(encoding.as_bytes());
    let status = Status::unimplemented(format!("grpc-encoding {encoding:?} is not supported: {IDENTITY} is"));
    let mut response = status.into_http();
    response.headers_mut().insert(GRPC_ACCEPT_ENCODING, HeaderValue::from_static(IDENTITY));
    Some(response)
}

fn is_grpc(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|it| it.as_bytes().starts_with(b"application/grpc"))
}

async fn receive(body: Body, limit: usize) -> Result<Bytes, Status> {
    match frame::read(body, limit).await {
        Ok(read) => read.message.ok_or_else(|| Status::internal("the body of the call holds no message")),
        Err(ReadError::Refused(status)) => Err(*status),
        // The peer reset the stream; the handler's future is about to be dropped.
        Err(ReadError::Body(error)) => Err(Status::cancelled(format!("the request did not come whole: {error}"))),
    }
}
