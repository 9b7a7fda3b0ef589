//! The serving side of one connection.

use std::future::{Future, poll_fn, ready};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use http::{HeaderMap, Request, Response, header};
use http_body::Body as _;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::Status;
use tonic::body::Body;

use super::body::{self, Received};
use super::frames::PREFACE;
use super::header_blocks::HeaderBlocks;
use super::limits::Limits;
use super::signs::SignsOfLife;
use super::whole_frames::WholeFrames;
use super::{BoxFuture, peer, timeout, tune};

/// The id of a connection that this process accepted, never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ConnectionId(u64);

impl ConnectionId {
    fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }

    #[cfg(test)]
    pub(crate) fn for_test() -> Self {
        Self::next()
    }
}

/// The caller's deadline, in the extensions of a request that has a `grpc-timeout`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(pub(crate) std::time::Instant);

/// Handles the calls of a connection.
pub(crate) trait Handler: Send + Sync + 'static {
    /// Handles one call.
    ///
    /// The future is dropped, at whichever await, when the caller cancels the call, when its [`Deadline`] passes, or
    /// when the connection ends. Calls of one connection run as tasks of their own, concurrently.
    fn handle(&self, request: Request<Body>, peer: ConnectionId) -> BoxFuture<'static, Response<Body>>;

    /// The signs of life of the peer over all connections to it, if they are counted.
    fn signs(&self) -> SignsOfLife {
        SignsOfLife::default()
    }

    /// Whether calls of `path` are between the two runtimes, such as the health check. They are not subject to
    /// [`Limits::max_in_flight`].
    fn is_fixed(&self, _path: &str) -> bool {
        false
    }
}

/// Serves HTTP/2 on `io` until the connection has ended and none of its handlers runs.
///
/// It ends when the peer ends it; after `stop`, once the calls in flight are answered (new ones are refused); and at
/// once after `abort`, or when the future is dropped. Even after `stop` it waits for a peer that opens the connection
/// and sends nothing: follow it by `abort`, after as long as you are willing to wait.
///
/// [`Limits::max_in_flight`] calls are handled concurrently. Further ones queue in order: [`tune::RESERVE`] of them
/// here, where the runtime's own calls overtake them, the rest at the peer.
pub(crate) async fn serve_connection<IO>(
    io: IO,
    handler: Arc<dyn Handler>,
    limits: Limits,
    stop: CancellationToken,
    abort: CancellationToken,
) where
    IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let peer = ConnectionId::next();
    let tasks = TaskTracker::new();
    {
        // Pinned here: a future passed by value takes its space twice, and this one is large.
        let accepting = pin!(accept(io, &handler, &limits, &stop, peer, &tasks));
        if let Some(Err(error)) = abort.run_until_cancelled(accepting).await {
            tracing::debug!(?peer, %error, "connection ended");
        }
    }
    // The connection is dropped: that resets its streams, which drops their handlers.
    tasks.close();
    tasks.wait().await;
}

/// Accepts calls until the connection has ended, each as a task of its own.
async fn accept<IO>(
    io: IO,
    handler: &Arc<dyn Handler>,
    limits: &Limits,
    stop: &CancellationToken,
    peer: ConnectionId,
    tasks: &TaskTracker,
) -> Result<(), h2::Error>
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    let io = HeaderBlocks::new(WholeFrames::of_client(io, handler.signs()), PREFACE, limits.max_header_list);
    let mut connection = tune::server(limits).handshake::<_, Bytes>(io).await?;
    let turns = Arc::new(Semaphore::new((limits.at_a_time() as usize).min(Semaphore::MAX_PERMITS)));
    let mut stopping = false;
    loop {
        let accepted = tokio::select! {
            biased;
            accepted = connection.accept() => accepted,
            () = stop.cancelled(), if !stopping => {
                stopping = true;
                connection.graceful_shutdown();
                continue;
            }
        };
        let Some(accepted) = accepted else { return Ok(()) };
        let (request, respond) = accepted?;
        let (request, until) = match received(request) {
            Ok(received) => received,
            Err(status) => {
                tasks.spawn(respond_with(Box::pin(ready(status.into_http())), None, respond, None));
                continue;
            }
        };
        let turn = match handler.is_fixed(request.uri().path()) {
            true => None,
            false => match turns.clone().try_acquire_owned() {
                Ok(turn) => Some(turn),
                Err(_) => {
                    tasks.spawn(respond_in_turn(turns.clone(), handler.clone(), request, peer, until, respond));
                    continue;
                }
            },
        };
        tasks.spawn(respond_with(handler.handle(request, peer), until, respond, turn));
    }
}

/// As [`respond_with`], once it is the call's turn.
async fn respond_in_turn(
    turns: Arc<Semaphore>,
    handler: Arc<dyn Handler>,
    request: Request<Body>,
    peer: ConnectionId,
    until: Option<Instant>,
    mut respond: SendResponse<Bytes>,
) {
    let turn = {
        let mut turn = pin!(async {
            let turn = turns.acquire_owned();
            match until {
                Some(until) => tokio::time::timeout_at(until, turn).await.ok(),
                None => Some(turn.await),
            }
        });
        let turn = poll_fn(|cx| match respond.poll_reset(cx) {
            Poll::Ready(_) => Poll::Ready(None),
            Poll::Pending => turn.as_mut().poll(cx).map(Some),
        });
        turn.await
    };
    let answer: BoxFuture<'static, _> = match turn {
        // The caller has cancelled it.
        None => return,
        Some(Some(_)) => handler.handle(request, peer),
        Some(None) => Box::pin(ready(late())),
    };
    respond_with(answer, until, respond, turn.flatten().and_then(Result::ok)).await;
}

fn late_status() -> Status {
    Status::deadline_exceeded("context deadline exceeded")
}

fn late() -> Response<Body> {
    late_status().into_http()
}

/// Sends the response, and drops it when its deadline passes or the peer resets the stream.
///
/// This is the task of one call, of which there may be ten thousand.
#[allow(clippy::manual_async_fn, reason = "an `async fn` keeps room for what it is given twice")]
fn respond_with(
    mut answer: BoxFuture<'static, Response<Body>>,
    until: Option<Instant>,
    mut respond: SendResponse<Bytes>,
    turn: Option<OwnedSemaphorePermit>,
) -> impl Future<Output = ()> {
    async move {
        // Held to the end of the response.
        let _turn = turn;
        // The body that is left once the headers are sent; the headers are not kept while it waits.
        let left = {
            let mut answer = pin!(async {
                let Some(until) = until else { return answer.as_mut().await };
                tokio::time::timeout_at(until, answer.as_mut()).await.unwrap_or_else(|_| late())
            });
            poll_fn(|cx| match respond.poll_reset(cx) {
                Poll::Ready(_) => Poll::Ready(None),
                Poll::Pending => answer.as_mut().poll(cx).map(|response| begin(response, &mut respond)),
            })
            .await
        };
        if let Some((body, mut stream)) = left {
            let sending = body::send(body, &mut stream, Reason::INTERNAL_ERROR);
            let Some(until) = until else { return sending.await };
            // A stream that goes on ends at the deadline too.
            if tokio::time::timeout_at(until, sending).await.is_err() {
                let mut trailers = HeaderMap::new();
                if late_status().add_header(&mut trailers).is_ok() {
                    // It fails if the caller has reset it.
                    let _ = stream.send_trailers(trailers);
                }
            }
        }
    }
}

/// Sends the response headers, and returns the body if there is one.
fn begin(mut response: Response<Body>, respond: &mut SendResponse<Bytes>) -> Option<(Body, SendStream<Bytes>)> {
    response.headers_mut().insert(header::SERVER, peer::SERVER_NAME.clone());
    let (head, body) = response.into_parts();
    let end = body.is_end_stream();
    match respond.send_response(Response::from_parts(head, ()), end) {
        Ok(stream) => (!end).then_some((body, stream)),
        Err(error) => {
            tracing::debug!(%error, "nobody is there for the answer");
            None
        }
    }
}

/// The request and its deadline.
fn received(request: Request<RecvStream>) -> Result<(Request<Body>, Option<Instant>), Status> {
    let mut request = request.map(|body| Body::new(Received::new(body)));
    let timeout = timeout::received(request.headers())
        .map_err(|text| Status::internal(format!("malformed grpc-timeout: {text:?}")))?;
    let until = timeout.and_then(|it| Instant::now().checked_add(it));
    if let Some(until) = until {
        request.extensions_mut().insert(Deadline(until.into_std()));
    }
    Ok((request, until))
}
