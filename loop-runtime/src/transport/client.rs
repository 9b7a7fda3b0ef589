//! The calling side of one connection.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use h2::SendStream;
use h2::client::{ResponseFuture, SendRequest};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, HeaderValue, Method, Request, Response, Uri, header};
use http_body::Body as _;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tonic::body::Body;

use super::body::{self, Received};
use super::failure::{Failure, TransportError};
use super::frame::{self, Framed, ReadError};
use super::guard::Guarded;
use super::header_blocks::HeaderBlocks;
use super::limits::Limits;
use super::whole_frames::WholeFrames;
use super::{BoxFuture, peer, status, timeout, tune};

/// Peers do not look at the authority; this one is what go-plugin's hosts send under TLS.
static AUTHORITY: Authority = Authority::from_static("localhost");
static GRPC: HeaderValue = HeaderValue::from_static("application/grpc");
static TRAILERS: HeaderValue = HeaderValue::from_static("trailers");

/// One HTTP/2 connection to a peer that serves gRPC.
///
/// Clones share the connection. It is never dialled again: once it has ended, every call fails with
/// [`Failure::NotRun`]. It ends when the peer or [`close`](Self::close) ends it, when the driver is dropped, or when
/// the last clone is dropped and the calls in flight are done.
///
/// No keepalive pings are sent: grpc-go's servers close connections that ping more often than every five minutes.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    sender: SendRequest<Bytes>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    ended: CancellationToken,
    cut: CancellationToken,
    /// The connection took no new call: the peer is winding it down, or it has broken.
    refuses: AtomicBool,
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
        let io = WholeFrames::of_server(Guarded::new(io, cut.clone(), ended.clone()));
        let io = HeaderBlocks::new(io, limits.max_header_list);
        let (sender, connection) = tune::client(limits)
            .handshake(io)
            .await
            .map_err(|error| TransportError::because("the connection could not be opened", &error))?;
        let driver = async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "connection ended");
            }
        };
        let shared = Shared { ended, cut, refuses: AtomicBool::new(false), max_receive: limits.max_receive };
        Ok((Self { sender, shared: Arc::new(shared) }, driver))
    }

    /// Whether new calls are sure to fail.
    pub(crate) fn is_dead(&self) -> bool {
        self.shared.ended.is_cancelled()
            || self.shared.cut.is_cancelled()
            || self.shared.refuses.load(Ordering::Relaxed)
    }

    pub(crate) fn is_usable(&self) -> bool {
        !self.is_dead()
    }

    pub(crate) fn retired(&self) -> &CancellationToken {
        &self.shared.ended
    }

    /// Cancelled once the connection has ended and its socket is closed.
    pub(crate) fn ended(&self) -> &CancellationToken {
        &self.shared.ended
    }

    /// Ends the connection now. Calls in flight fail with [`Failure::MayHaveRun`].
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
        let framed = Framed::new(message, None).map_err(Failure::Answered)?;
        let path = PathAndQuery::try_from(path)
            .map_err(|error| TransportError::because("the method's path is invalid", &error))
            .map_err(Failure::NotRun)?;
        let mut request = Request::new(());
        *request.method_mut() = Method::POST;
        *request.headers_mut() = headers;
        request.headers_mut().insert(header::CONTENT_TYPE, GRPC.clone());
        request.headers_mut().insert(header::TE, TRAILERS.clone());
        if let Some(timeout) = timeout {
            request.headers_mut().insert(timeout::GRPC_TIMEOUT, timeout::format(timeout));
        }
        let (response, mut stream) = self.begin(request, path, false)?;
        // All of it at once: it is in memory either way. Should that fail, the answer tells why.
        framed.send(&mut stream);
        let (head, body) = response.await.map_err(|error| Failure::after_sending(&error))?.into_parts();
        let body = Received::new(body);
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
        let mut request = Request::new(());
        *request.method_mut() = head.method;
        *request.headers_mut() = head.headers;
        let end = body.is_end_stream();
        let (mut response, stream) = self.begin(request, path, end)?;
        let lost = |error| Failure::after_sending(&error);
        if end {
            return Ok(response.await.map_err(lost)?.map(|body| Body::new(Received::new(body))));
        }
        let mut sending = Box::pin(body::send(body, stream));
        tokio::select! {
            biased;
            response = &mut response => {
                // The peer answers what has not come whole: both go on.
                let response = response.map_err(lost)?;
                let sending = tokio::spawn(sending).abort_handle();
                Ok(response.map(|body| Body::new(Received::while_sending(body, sending))))
            }
            () = &mut sending => Ok(response.await.map_err(lost)?.map(|body| Body::new(Received::new(body)))),
        }
    }

    /// Queues the head of a request. What fails here was certainly not sent: h2 looks at the connection and queues the
    /// head in one step. Dropping both of the results, or what comes of them, cancels the call.
    fn begin(
        &self,
        mut request: Request<()>,
        path: PathAndQuery,
        end: bool,
    ) -> Result<(ResponseFuture, SendStream<Bytes>), Failure> {
        if self.is_dead() {
            return Err(Failure::NotRun(TransportError::new("the connection is closed")));
        }
        let mut uri = http::uri::Parts::default();
        uri.scheme = Some(Scheme::HTTP);
        uri.authority = Some(AUTHORITY.clone());
        uri.path_and_query = Some(path);
        *request.uri_mut() = Uri::from_parts(uri)
            .map_err(|error| TransportError::because("the method's path is invalid", &error))
            .map_err(Failure::NotRun)?;
        request.headers_mut().insert(header::USER_AGENT, peer::USER_AGENT.clone());

        self.sender.clone().send_request(request, end).map_err(|error| {
            // A request that cannot be encoded says nothing of the connection.
            if error.is_go_away() || error.is_io() {
                self.shared.refuses.store(true, Ordering::Relaxed);
            }
            Failure::NotRun(TransportError::because("the connection is closed", &error))
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
        // A stream that was reset with CANCEL reads as one that ended.
        None => Err(Failure::MayHaveRun(TransportError::new("the peer ended the call without a status"))),
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
