//! The calling side of one connection.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use h2::client::{ResponseFuture, SendRequest};
use h2::{Reason, RecvStream, SendStream};
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
use super::signs::SignsOfLife;
use super::state::State;
use super::whole_frames::WholeFrames;
use super::{BoxFuture, peer, sendable, status, timeout, tune};
use crate::sync::ArcSwapOption;

/// Peers ignore the authority; this is what go-plugin's hosts send under TLS.
static AUTHORITY: Authority = Authority::from_static("localhost");
static GRPC: HeaderValue = HeaderValue::from_static("application/grpc");
static TRAILERS: HeaderValue = HeaderValue::from_static("trailers");

/// How many calls begin on one connection before it is retired: half of the stream ids. However many begin
/// concurrently, none exhausts the ids.
const CALLS: u32 = 1 << 29;

/// One HTTP/2 connection to a peer that serves gRPC.
///
///Clones share the connection. It is never redialled, and has three states:
///
/// * *usable*;
/// * *retired*: new calls fail with [`Failure::NotRun`], those in flight are answered, then it ends. The reasons are a
///   GOAWAY with `NO_ERROR`, [`retire`](Self::retire), or stream ids that run low. Nothing else is a reason: neither a
///   refused call nor a limit that was reached;
/// * *ended*: by the peer, by [`close`](Self::close), because the driver was dropped, or because no call is in flight
///   and it is retired or the last clone was dropped. Calls in flight fail with [`Failure::MayHaveRun`].
///
/// Each change is an event that needs no call to be noticed: [`retired`](Self::retired), [`ended`](Self::ended).
///
/// No keepalive pings are sent: grpc-go's servers close connections that ping more often than every five minutes.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// `None` once the connection is not usable: without it, h2 ends the connection after the last call.
    sender: ArcSwapOption<SendRequest<Bytes>>,
    state: Arc<State>,
    begun: AtomicU32,
    /// How many calls begin here before the connection is retired.
    calls: u32,
    max_receive: usize,
    max_header_list: usize,
}

/// The response to a unary call.
#[derive(Debug)]
pub(crate) struct Reply {
    /// The message, without its frame.
    pub(crate) body: Bytes,
    pub(crate) headers: HeaderMap,
}

impl Reply {
    /// Whether the reply came from a server of this runtime.
    pub(crate) fn is_ours(&self) -> bool {
        peer::is_our_server(&self.headers)
    }
}

impl Connection {
    /// Opens HTTP/2 over `io`. Returns as soon as our preface is written: whether the peer answers is seen with the
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
        Self::open_beside(io, limits, SignsOfLife::default()).await
    }

    /// [`open`](Self::open), to a peer whose signs of life over all its connections are `signs`.
    pub(crate) async fn open_beside<IO>(
        io: IO,
        limits: &Limits,
        signs: SignsOfLife,
    ) -> Result<(Self, impl Future<Output = ()> + Send + 'static + use<IO>), TransportError>
    where
        IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        Self::open_for(io, limits, CALLS, signs).await
    }

    /// [`open_beside`](Self::open_beside), for so many calls.
    pub(super) async fn open_for<IO>(
        io: IO,
        limits: &Limits,
        calls: u32,
        signs: SignsOfLife,
    ) -> Result<(Self, impl Future<Output = ()> + Send + 'static + use<IO>), TransportError>
    where
        IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let state = Arc::new(State::new());
        let io = Guarded::new(io, state.cut().clone(), state.ended().clone());
        let io = HeaderBlocks::new(WholeFrames::of_server(io, state.clone(), signs), 0, limits.max_header_list);
        let (sender, connection) = tune::client(limits)
            .handshake(io)
            .await
            .map_err(|error| TransportError::because("the connection could not be opened", &error))?;
        let shared = Arc::new(Shared {
            sender: ArcSwapOption::from_pointee(sender),
            state: state.clone(),
            begun: AtomicU32::new(0),
            calls,
            max_receive: limits.max_receive,
            max_header_list: limits.max_header_list as usize,
        });
        // The driver must not keep the connection open.
        let weak = Arc::downgrade(&shared);
        let driver = async move {
            let mut connection = pin!(connection);
            let ended = tokio::select! {
                biased;
                ended = connection.as_mut() => ended,
                () = state.retired().cancelled() => {
                    if let Some(shared) = weak.upgrade() {
                        shared.sender.store(None);
                    }
                    connection.await
                }
            };
            if let Err(error) = ended {
                tracing::debug!(%error, "connection ended");
            }
        };
        Ok((Self { shared }, driver))
    }

    /// Whether new calls are taken.
    pub(crate) fn is_usable(&self) -> bool {
        self.shared.state.is_usable()
    }

    /// Cancelled as soon as no new calls are taken: when the connection retires, and at its end at the latest.
    pub(crate) fn retired(&self) -> &CancellationToken {
        self.shared.state.retired()
    }

    /// Takes no new calls from now on; ends the connection once those in flight are answered.
    pub(crate) fn retire(&self) {
        self.shared.state.retire();
    }

    /// Cancelled once the connection has ended and its socket is closed.
    pub(crate) fn ended(&self) -> &CancellationToken {
        self.shared.state.ended()
    }

    /// Whether the peer retired it with `NO_ERROR`: its end then indicates nothing else.
    pub(crate) fn went_away(&self) -> bool {
        self.shared.state.went_away()
    }

    /// Ends the connection now. Calls in flight fail with [`Failure::MayHaveRun`].
    pub(crate) fn close(&self) {
        self.shared.state.close();
    }

    /// Calls a unary method with an encoded message.
    ///
    /// `timeout` is sent to the peer, which then stops by itself. It does not bound the caller's own wait: dropping
    /// the returned future cancels the call, at the peer too. `headers` are sent besides gRPC's own.
    pub(crate) async fn unary(
        &self,
        path: &str,
        headers: HeaderMap,
        timeout: Option<Duration>,
        message: Bytes,
    ) -> Result<Reply, Failure> {
        let framed = Framed::new(message, None).map_err(|status| self.impossible(status.message()))?;
        let (request, path) = self.request(path, headers, timeout)?;
        let (mut response, mut stream) = self.begin(request, path, false)?;
        // All at once: it is in memory either way. Should that fail, the response has the reason.
        framed.send(&mut stream);
        let (head, body) = self.answer(&mut response).await?.into_parts();
        let body = Received::new(body);
        if let Some(status) = status::received(&head.headers)
            && status.code() != tonic::Code::Ok
        {
            return Err(Failure::answered(status));
        }
        match frame::read(body, self.shared.max_receive).await {
            Ok(read) => finish(head, read),
            Err(ReadError::Refused(status)) => Err(Failure::Answered(status)),
            Err(ReadError::Body(error)) => Err(Failure::in_an_answer(&error)),
        }
    }

    /// The head of a gRPC request.
    pub(super) fn request(
        &self,
        path: &str,
        headers: HeaderMap,
        timeout: Option<Duration>,
    ) -> Result<(Request<()>, PathAndQuery), Failure> {
        let path = PathAndQuery::try_from(path).map_err(|why| impossible(format!("{path:?} is no path: {why}")))?;
        let mut request = Request::new(());
        *request.method_mut() = Method::POST;
        *request.headers_mut() = headers;
        request.headers_mut().insert(header::CONTENT_TYPE, GRPC.clone());
        // Any other value is refused when the call begins.
        request.headers_mut().entry(header::TE).or_insert_with(|| TRAILERS.clone());
        if let Some(timeout) = timeout {
            request.headers_mut().insert(timeout::GRPC_TIMEOUT, timeout::format(timeout));
        }
        Ok((request, path))
    }

    /// The longest message accepted, in bytes.
    pub(super) fn max_receive(&self) -> usize {
        self.shared.max_receive
    }

    pub(super) fn impossible(&self, why: &str) -> Failure {
        impossible(why.to_owned())
    }

    /// Sends a request that is framed already, and returns the response with its body unread.
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
        let (mut response, mut stream) = self.begin(request, path, end)?;
        if end {
            return Ok(self.answer(&mut response).await?.map(|body| Body::new(Received::new(body))));
        }
        let mut sending = Box::pin(async move { body::send(body, &mut stream, Reason::CANCEL).await });
        tokio::select! {
            biased;
            response = self.answer(&mut response) => {
                // The peer answers before the end of the request: both go on.
                let response = response?;
                let sending = tokio::spawn(sending).abort_handle();
                return Ok(response.map(|body| Body::new(Received::while_sending(body, sending))));
            }
            () = &mut sending => {}
        }
        Ok(self.answer(&mut response).await?.map(|body| Body::new(Received::new(body))))
    }

    /// Waits for the response headers.
    async fn answer(&self, response: &mut ResponseFuture) -> Result<Response<RecvStream>, Failure> {
        (&mut *response).await.map_err(|error| self.unanswered(&error, response.stream_id().into()))
    }

    /// The failure of the call on `stream`, which was begun and has no response.
    pub(super) fn unanswered(&self, error: &h2::Error, stream: u32) -> Failure {
        Failure::before_an_answer(error, self.shared.state.is_unseen(stream))
    }

    /// Queues the headers of a request. What fails here was certainly not sent: h2 checks the connection and queues the
    /// headers in one step. Dropping both results, or what is made of them, cancels the call.
    pub(super) fn begin(
        &self,
        mut request: Request<()>,
        path: PathAndQuery,
        end: bool,
    ) -> Result<(ResponseFuture, SendStream<Bytes>), Failure> {
        request.headers_mut().insert(header::USER_AGENT, peer::USER_AGENT.clone());
        sendable::check(&path, request.headers(), self.shared.max_header_list).map_err(impossible)?;
        let mut uri = http::uri::Parts::default();
        uri.scheme = Some(Scheme::HTTP);
        uri.authority = Some(AUTHORITY.clone());
        uri.path_and_query = Some(path);
        *request.uri_mut() = Uri::from_parts(uri).map_err(|why| impossible(format!("the path is invalid: {why}")))?;

        let not_usable = || {
            let what = if self.ended().is_cancelled() { "has ended" } else { "takes no new calls" };
            Failure::NotRun(TransportError::new(format!("the connection {what}")))
        };
        if !self.is_usable() {
            return Err(not_usable());
        }
        let Some(sender) = self.shared.sender.load_full() else { return Err(not_usable()) };
        let begun = SendRequest::clone(&sender).send_request(request, end).map_err(|error| {
            if error.is_go_away() || error.is_io() {
                // h2 knows it before the event.
                self.retire();
                return Failure::NotRun(TransportError::because("the connection takes no new calls", &error));
            }
            impossible(error.to_string())
        })?;
        if self.shared.begun.fetch_add(1, Ordering::Relaxed) + 1 >= self.shared.calls {
            self.retire();
        }
        Ok(begun)
    }
}

fn impossible(why: String) -> Failure {
    Failure::Impossible(TransportError::new(why))
}

fn finish(head: http::response::Parts, read: frame::Read) -> Result<Reply, Failure> {
    let frame::Read { message, trailers } = read;
    // Trailers-only: the status is among the headers.
    let status = trailers.as_ref().map_or_else(|| status::received(&head.headers), status::received);
    match status {
        Some(status) if status.code() != tonic::Code::Ok => Err(Failure::answered(status)),
        Some(_) => match message {
            Some(body) => Ok(Reply { body, headers: head.headers }),
            None => Err(Failure::answered(Status::internal("the peer answered OK without a message"))),
        },
        None if head.status != http::StatusCode::OK => Err(Failure::answered(status::of_http(head.status))),
        // A stream that was reset with CANCEL reads as ended.
        None => {
            Err(Failure::MayHaveRun(TransportError::new("the peer ended the call without a status").said_by_peer()))
        }
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
