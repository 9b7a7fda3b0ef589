//! A bounded channel whose receiver is a stream.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use tokio::sync::{Semaphore, mpsc};

use crate::error::{Error, LoopError};

/// The sending half of [`Streaming::channel`](super::Streaming::channel).
pub struct Sender<T, E = Error> {
    items: mpsc::Sender<Result<T, E>>,
    /// A clone was dropped by a panic.
    broken: Arc<AtomicBool>,
}

impl<T, E> Sender<T, E> {
    /// Sends an item, once there is room for it. Dropping the future before that sends nothing.
    ///
    /// # Errors
    ///
    /// Nobody reads any more; the item comes back.
    pub async fn send(&self, item: T) -> Result<(), Unread<T>> {
        match self.items.reserve().await {
            Ok(room) => {
                room.send(Ok(item));
                Ok(())
            }
            Err(_) => Err(Unread(item)),
        }
    }

    /// Ends the stream with an error, once there is room for it. What other clones send after it is not read. Dropping the
    /// future before that sends nothing, and drops this sender.
    pub async fn fail(self, error: E) {
        // It fails if nobody reads any more, and then nobody misses it.
        let _ = self.items.send(Err(error)).await;
    }

    /// Waits until nobody reads any more: the [`Streaming`](super::Streaming) was dropped, here or on the other side of the
    /// boundary.
    pub async fn closed(&self) {
        self.items.closed().await;
    }

    /// Whether nobody reads any more.
    pub fn is_closed(&self) -> bool {
        self.items.is_closed()
    }
}

impl<T, E> Clone for Sender<T, E> {
    fn clone(&self) -> Self {
        Self { items: self.items.clone(), broken: self.broken.clone() }
    }
}

impl<T, E> Drop for Sender<T, E> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.broken.store(true, Ordering::Release);
        }
    }
}

impl<T, E> fmt::Debug for Sender<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("closed", &self.is_closed()).finish_non_exhaustive()
    }
}

/// Nobody reads the stream any more. Holds the item that was not sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Unread<T>(T);

impl<T> Unread<T> {
    /// The item that was not sent.
    pub fn into_item(self) -> T {
        self.0
    }
}

impl<T> fmt::Debug for Unread<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unread").finish_non_exhaustive()
    }
}

impl<T> fmt::Display for Unread<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nobody reads the stream any more")
    }
}

impl<T> std::error::Error for Unread<T> {}

/// The receiving half, as a stream.
pub(super) struct Receiver<T, E> {
    items: mpsc::Receiver<Result<T, E>>,
    broken: Arc<AtomicBool>,
}

pub(super) fn channel<T, E>(capacity: usize) -> (Sender<T, E>, Receiver<T, E>) {
    let (sender, receiver) = mpsc::channel(capacity.clamp(1, Semaphore::MAX_PERMITS));
    let broken = Arc::new(AtomicBool::new(false));
    (Sender { items: sender, broken: broken.clone() }, Receiver { items: receiver, broken })
}

impl<T, E: LoopError> futures_core::Stream for Receiver<T, E> {
    type Item = Result<T, E>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let item = ready!(self.items.poll_recv(cx));
        if item.is_none() && self.broken.swap(false, Ordering::Acquire) {
            let error = Error::internal("the producer of this stream panicked");
            return Poll::Ready(Some(Err(E::from_error(error))));
        }
        Poll::Ready(item)
    }
}
