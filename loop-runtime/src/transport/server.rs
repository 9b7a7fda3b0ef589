//! The serving side of one connection.

use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use http::{Request, Response, header};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::Status;
use tonic::body::Body;

use super::limits::Limits;
use super::{BoxFuture, peer, timeout, tune};

/// A number for every connection that this process accepted, never used twice.
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

/// When the caller stops waiting, in the extensions of a request that came with a `grpc-timeout`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(pub(crate) Instant);

/// Answers the calls of a connection.
pub(crate) trait Handler: Send + Sync + 'static {
    /// Answers one call.
    ///
    /// The future is dropped, wherever it stands, when the caller cancels the call, when its time (see [`Deadline`])
    /// is over, or when the connection ends. Calls of one connection run as tasks of their own, concurrently.
    fn handle(&self, request: Request<Body>, peer: ConnectionId) -> BoxFuture<'static, Response<Body>>;
}

/// Serves HTTP/2 on `io` until the connection has ended and no handler of it runs any more.
///
/// It ends when the peer ends it; after `stop`, once the calls in flight are answered (new ones are turned away); and
/// at once after `abort`, or when the future is dropped. A peer that opens the connection and says nothing is waited
/// for even after `stop`: follow it by `abort`, after as long as you are willing to wait.
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
    let mut builder = hyper::server::conn::http2::Builder::new(Tracked(tasks.clone()));
    tune::server(&mut builder, &limits);
    let service = service_fn(move |request| {
        let answer = answer(&*handler, request, peer);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    {
        let mut connection = pin!(builder.timer(TokioTimer::new()).serve_connection(TokioIo::new(io), service));
        let mut stopping = false;
        let ended = loop {
            tokio::select! {
                ended = connection.as_mut() => break ended,
                () = abort.cancelled() => break Ok(()),
                () = stop.cancelled(), if !stopping => {
                    stopping = true;
                    connection.as_mut().graceful_shutdown();
                }
            }
        };
        if let Err(error) = ended {
            tracing::debug!(?peer, %error, "connection ended");
        }
    }
    // The connection is dropped: that resets its streams, and the reset drops their handlers.
    tasks.close();
    tasks.wait().await;
}

fn answer(
    handler: &dyn Handler,
    request: Request<Incoming>,
    peer: ConnectionId,
) -> impl Future<Output = Response<Body>> + use<> {
    let mut request = request.map(Body::new);
    let run = match timeout::received(request.headers()) {
        Ok(timeout) => {
            let now = tokio::time::Instant::now();
            let until = timeout.and_then(|it| now.checked_add(it));
            if let Some(until) = until {
                request.extensions_mut().insert(Deadline(until.into_std()));
            }
            Ok((handler.handle(request, peer), until))
        }
        Err(text) => Err(Status::internal(format!("malformed grpc-timeout: {text:?}"))),
    };
    async move {
        let mut response = match run {
            Ok((run, None)) => run.await,
            Ok((run, Some(until))) => match tokio::time::timeout_at(until, run).await {
                Ok(response) => response,
                Err(_) => Status::deadline_exceeded("context deadline exceeded").into_http(),
            },
            Err(status) => status.into_http(),
        };
        response.headers_mut().insert(header::SERVER, peer::SERVER_NAME.clone());
        response
    }
}

/// Runs hyper's tasks so that their end can be awaited.
#[derive(Clone, Debug)]
pub(super) struct Tracked(TaskTracker);

impl<F> hyper::rt::Executor<F> for Tracked
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, future: F) {
        self.0.spawn(future);
    }
}
