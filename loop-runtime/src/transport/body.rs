//! Bodies on HTTP/2 streams, in both directions.

use std::fmt::Display;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::{Reason, RecvStream, SendStream};
use http::HeaderMap;
use http_body::{Body as HttpBody, Frame};
use tokio::task::AbortHandle;

/// A body received on a stream. Dropping it before its end cancels the call.
pub(super) struct Received {
    stream: RecvStream,
    data_ended: bool,
    /// The task that sends the request, as long as this body is read.
    _sending: Option<AbortOnDrop>,
}

impl Received {
    pub(super) fn new(stream: RecvStream) -> Self {
        Self { stream, data_ended: false, _sending: None }
    }

    /// Aborts `sending` when this is dropped.
    pub(super) fn while_sending(stream: RecvStream, sending: AbortHandle) -> Self {
        Self { stream, data_ended: false, _sending: Some(AbortOnDrop(sending)) }
    }

    fn poll_trailers(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<HeaderMap, h2::Error>>> {
        Poll::Ready(match ready!(self.stream.poll_trailers(cx)) {
            Ok(trailers) => trailers.map(Ok),
            Err(error) => unless_ended(error),
        })
    }
}

/// A peer that has finished its response resets the stream with `NO_ERROR` (an older one with `CANCEL`): what was
/// received until then is the body, and a missing status says the rest.
fn unless_ended<T>(error: h2::Error) -> Option<Result<T, h2::Error>> {
    let ended = error.is_reset() && matches!(error.reason(), Some(Reason::NO_ERROR | Reason::CANCEL));
    (!ended).then_some(Err(error))
}

impl HttpBody for Received {
    type Data = Bytes;
    type Error = h2::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, h2::Error>>> {
        if !self.data_ended {
            match ready!(self.stream.poll_data(cx)) {
                Some(Ok(data)) => {
                    // The window is released once the data were taken. An error here is one of the stream, and
                    // is returned with the next frame.
                    let _ = self.stream.flow_control().release_capacity(data.len());
                    return Poll::Ready(Some(Ok(Frame::data(data))));
                }
                Some(Err(error)) => return Poll::Ready(unless_ended(error)),
                None => self.data_ended = true,
            }
        }
        self.poll_trailers(cx).map(|trailers| trailers.map(|trailers| trailers.map(Frame::trailers)))
    }

    fn is_end_stream(&self) -> bool {
        self.stream.is_end_stream()
    }
}

/// Aborts a task that sends a request, once nobody waits for its answer any more.
pub(super) struct AbortOnDrop(pub(super) AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Sends `body` to its end, or until the peer resets the stream; resets it with `broken` if the body breaks off. Dropping the
/// future before that resets the stream, once its other half is dropped too.
///
/// The body is polled only when the peer has room for data.
pub(super) async fn send<B>(mut body: B, stream: &mut SendStream<Bytes>, broken: Reason)
where
    B: HttpBody<Data = Bytes, Error: Display> + Unpin,
{
    loop {
        // Trailers need no room.
        if body.size_hint().upper() != Some(0) && room(stream).await.is_err() {
            return;
        }
        let next = poll_fn(|cx| match stream.poll_reset(cx) {
            Poll::Ready(_) => Poll::Ready(Err(Gone)),
            Poll::Pending => Pin::new(&mut body).poll_frame(cx).map(Ok),
        });
        match next.await {
            Ok(Some(Ok(frame))) => match frame.into_data() {
                Ok(data) => {
                    let end = body.is_end_stream();
                    // All of it, however much room there is: it is in memory either way.
                    if stream.send_data(data, end).is_err() || end {
                        return;
                    }
                    // A body that is always ready lets others have their turn.
                    tokio::task::coop::consume_budget().await;
                }
                // Nothing follows trailers.
                Err(frame) => {
                    if let Ok(trailers) = frame.into_trailers() {
                        // It fails if the stream was reset, which is no concern of the sender.
                        let _ = stream.send_trailers(trailers);
                    }
                    return;
                }
            },
            Ok(Some(Err(error))) => {
                tracing::debug!(%error, "a body broke off");
                stream.send_reset(broken);
                return;
            }
            Ok(None) => {
                // As above.
                let _ = stream.send_data(Bytes::new(), true);
                return;
            }
            Err(Gone) => return,
        }
    }
}

/// The stream was reset.
struct Gone;

/// Waits until the peer's window is not empty.
async fn room(stream: &mut SendStream<Bytes>) -> Result<(), Gone> {
    if stream.capacity() > 0 {
        return Ok(());
    }
    stream.reserve_capacity(1);
    while stream.capacity() == 0 {
        match poll_fn(|cx| stream.poll_capacity(cx)).await {
            Some(Ok(_)) => {}
            Some(Err(_)) | None => return Err(Gone),
        }
    }
    Ok(())
}
