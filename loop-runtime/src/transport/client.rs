//! The calling side of one connection.

use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, HeaderValue, Method, Request, Response, Uri, Version, header};
use hyper::body::Incoming;
use hyper::client::conn::http2::SendRequest;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tonic::body::Body;

use super::failure::{Failure, TransportError};
use super::frame::{self, Framed, ReadError};
use super::guard::Guarded;
use super::limits::Limits;
use super::{BoxFuture, peer, status, timeout, tune};

/// Peers do not look at the authority; this one is what go-plugin's hosts send under TLS.
static AUTHORITY: Authority = Authority::from_static("localhost");
static GRPC: HeaderValue = HeaderValue::from_static("application/grpc");
static TRAILERS: HeaderValue = HeaderValue::from_static("trailers");

/// One HTTP/2 connection to a peer that serves gRPC.
///
/// Clones share the connection. It is never dialled again: once it has ended, every call fails with
/// [`Failure::NotSent`]. It ends when the peer or [`close`](Self::close) ends it, when the driver is dropped, or when
/// the last clone is dropped and the calls in flight are done.
///
/// No keepalive pings are sent: grpc-go's servers close connections that ping more often than every five minutes.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    sender: SendRequest<Body>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    ended: CancellationToken,
    cut: CancellationToken,
    max_receive: usize,
}

/// The answer to a unary call.
#[derive(Debug)]
pub(crate) struct Reply {
    /// The message, without its frame.
    pub(crate) body: Bytes,
    pub(crate) headers: HeaderMap,
}

impl Reply {
    /// Whether the reply came from a server of ours.
    pub(crate) fn is_ours(&self) -> bool {
        peer::is_our_server(&self.headers)
    }
}

impl Connection {
    /// Speaks HTTP/2 over `io`. Returns as soon as our preface is written: whether the peer answers shows with the
    /// first call.
    ///
    /// The second value drives the connection until it has ended; spawn it. Dropping it closes the connection.
    /// Must be called inside a tokio runtime.
    pub(crate) async fn open<IO>(
        io: IO,
        limits: &Limits,
    ) -> Result<(Self, impl Future<Output = ()> + Send + 'static + use<IO>), TransportError>
    where
        IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let ended = CancellationToken::new();
        let cut = CancellationToken::new();
        let io = TokioIo::new(Guarded::new(io, cut.clone(), ended.clone()));
        let mut builder = hyper::client::conn::http2::Builder::new(TokioExecutor::new());
        tune::client(&mut builder, limits);
        let (sender, connection) = builder
            .timer(TokioTimer::new())
            .handshake(io)
            .await
            .map_err(|error| TransportError::because("the connection could not be opened", &error))?;

        let shared = Shared { ended, cut, max_receive: limits.max_receive };
        let this = Self { sender, shared: Arc::new(shared) };
        let ended = this.shared.ended.clone();
        let close_on_drop = this.shared.cut.clone().drop_guard();
        let driver = async move {
            let _close_on_drop = close_on_drop;
            if let Err(error) = connection.await {
                tracing::debug!(%error, "connection ended");
            }
            // With all clones dropped, hyper is done here before the calls in flight are.
            ended.cancelled().await;
        };
        Ok((this, driver))
    }

    /// Whether new calls are sure to fail.
    pub(crate) fn is_dead(&self) -> bool {
        self.shared.ended.is_cancelled() || self.shared.cut.is_cancelled() || self.sender.is_closed()
    }

    /// Cancelled once the connection has ended and its socket is closed.
    pub(crate) fn ended(&self) -> &CancellationToken {
        &self.shared.ended
    }

    /// Ends the connection now. Calls in flight fail with [`Failure::Lost`].
    pub(crate) fn close(&self) {
        self.shared.cut.cancel();
    }

    /// Calls a unary method with an encoded message.
    ///
    /// `timeout` is told to the peer, which then stops by itself. The caller's own wait is not bounded by it: dropping
    /// the returned future cancels the call, at the peer too. `headers` are sent besides gRPC's own.
    pub(crate) async fn unary(
        &self,
        path: &str,
        headers: HeaderMap,
        timeout: Option<Duration>,
        message: Bytes,
    ) -> Result<Reply, Failure> {
        let body = Framed::new(message, None).map_err(Failure::Answered)?;
        let path = PathAndQuery::try_from(path)
            .map_err(|error| TransportError::because("the method's path is invalid", &error))
            .map_err(Failure::NotSent)?;
        let mut request = Request::new(Body::new(body));
        *request.method_mut() = Method::POST;
        *request.headers_mut() = headers;
        request.headers_mut().insert(header::CONTENT_TYPE, GRPC.clone());
        request.headers_mut().insert(header::TE, TRAILERS.clone());
        if let Some(timeout) = timeout {
            request.headers_mut().insert(timeout::GRPC_TIMEOUT, timeout::format(timeout));
        }
        let (head, body) = self.send(request, path).await?.into_parts();
        if let Some(status) = status::received(&head.headers)
            && status.code() != tonic::Code::Ok
        {
            return Err(Failure::answered(status));
        }
        match frame::read(body, self.shared.max_receive).await {
            Ok(read) => finish(head, read),
            Err(ReadError::Refused(status)) => Err(Failure::Answered(status)),
            Err(ReadError::Body(error)) => Err(Failure::after_sending(&error)),
        }
    }

    /// Sends a request that somebody else framed, and returns the response with its body unread.
    ///
    /// Path, headers and body are kept; the origin and `user-agent` become ours. Dropping the future, or later the
    /// response's body, cancels the call.
    pub(crate) async fn forward(&self, request: Request<Body>) -> Result<Response<Body>, Failure> {
        let path = request.uri().path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
        let (head, body) = request.into_parts();
        let mut request = Request::new(body);
        *request.method_mut() = head.method;
        *request.headers_mut() = head.headers;
        Ok(self.send(request, path).await?.map(Body::new))
    }

    async fn send(&self, mut request: Request<Body>, path: PathAndQuery) -> Result<Response<Incoming>, Failure> {
        let mut uri = http::uri::Parts::default();
        uri.scheme = Some(Scheme::HTTP);
        uri.authority = Some(AUTHORITY.clone());
        uri.path_and_query = Some(path);
        *request.uri_mut() = Uri::from_parts(uri)
            .map_err(|error| TransportError::because("the method's path is invalid", &error))
            .map_err(Failure::NotSent)?;
        *request.version_mut() = Version::HTTP_2;
        request.headers_mut().insert(header::USER_AGENT, peer::USER_AGENT.clone());

        // hyper hands back a request that it never began to send; nothing else proves that.
        self.sender.clone().try_send_request(request).await.map_err(|mut error| {
            let unsent = error.take_message().is_some();
            let error = error.into_error();
            match unsent {
                true => Failure::NotSent(TransportError::because("the connection is closed", &error)),
                false => Failure::after_sending(&error),
            }
        })
    }
}

fn finish(head: http::response::Parts, read: frame::Read) -> Result<Reply, Failure> {
    let frame::Read { message, trailers } = read;
    // Without a body, the status is among the headers.
    let status = trailers.as_ref().map_or_else(|| status::received(&head.headers), status::received);
    match status {
        Some(status) if status.code() != tonic::Code::Ok => Err(Failure::answered(status)),
        Some(_) => match message {
            Some(body) => Ok(Reply { body, headers: head.headers }),
            None => Err(Failure::answered(Status::internal("the peer answered OK without a message"))),
        },
        None if head.status != http::StatusCode::OK => Err(Failure::answered(status::of_http(head.status))),
        // hyper shows a stream that was reset with CANCEL as one that ended.
        None => Err(Failure::Lost(TransportError::new("the peer ended the call without a status"))),
    }
}

/// For the clients that tonic generates.
impl tower_service::Service<Request<Body>> for Connection {
    type Response = Response<Body>;
    type Error = Failure;
    type Future = BoxFuture<'static, Result<Response<Body>, Failure>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let this = self.clone();
        Box::pin(async move { this.forward(request).await })
    }
}
