#![doc = include_str!("streams.md")]

mod channel;

use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use futures_core::Stream;

pub use self::channel::{Sender, Unread};
use crate::error::{Error, LoopError};

/// Items that come over time, in the result of a service method or among its arguments.
///
/// One type for both directions and both sides: an implementation returns one made with [`new`](Self::new),
/// [`iter`](Self::iter) or [`channel`](Self::channel), and a caller reads it with [`next`](Self::next), in process or across the
/// boundary. It is a [`futures_core::Stream`], so the combinators of `futures` and `tokio-stream` work on it.
///
/// It ends in exactly one way: with `None`, after all items; or with one `Err`, and `None` after that. A connection that is lost
/// is always an `Err`: a stream that was cut off never looks finished.
///
/// Dropping it cancels: the stream of the other side is dropped where it stands, and a [`Sender`] is told.
///
/// ```
/// use loop_runtime::prelude::*;
///
/// /// Counts.
/// #[loop_service(package = "acme.counter.v1")]
/// pub trait Counter {
///     /// The numbers below `end`, in order.
///     async fn below(&self, end: u64) -> Result<Streaming<u64>>;
///     /// The sum of all numbers.
///     async fn sum(&self, numbers: Streaming<u64>) -> Result<u64>;
/// }
///
/// struct Local;
///
/// impl Counter for Local {
///     async fn below(&self, end: u64) -> Result<Streaming<u64>> {
///         Ok(Streaming::iter(0..end))
///     }
///
///     async fn sum(&self, mut numbers: Streaming<u64>) -> Result<u64> {
///         let mut sum = 0;
///         while let Some(number) = numbers.next().await {
///             sum += number?;
///         }
///         Ok(sum)
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// let numbers = Local.below(5).await?;
/// assert_eq!(Local.sum(numbers).await?, 10);
/// # Ok(())
/// # }
/// ```
pub struct Streaming<T, E = Error> {
    /// `None` after its end. Never locked: it makes the type `Sync`, as a future that borrows it must be.
    source: Option<Mutex<Source<T, E>>>,
    resubscribed: Option<Arc<AtomicU64>>,
}

type Source<T, E> = Pin<Box<dyn Stream<Item = Result<T, E>> + Send>>;

impl<T, E> Streaming<T, E> {
    /// The items of `stream`, to its end or to its first `Err`.
    ///
    /// Across the boundary it is polled only when the reader has room for what it gives: see [back pressure](self#back-pressure).
    pub fn new(stream: impl Stream<Item = Result<T, E>> + Send + 'static) -> Self {
        Self { source: Some(Mutex::new(Box::pin(stream))), resubscribed: None }
    }

    /// The values of an iterator, or of a collection.
    pub fn iter<I>(items: I) -> Self
    where
        I: IntoIterator<Item = T, IntoIter: Send + Unpin + 'static>,
        T: 'static,
        E: 'static,
    {
        struct Iter<I, E>(I, std::marker::PhantomData<fn() -> E>);

        impl<I: Iterator + Unpin, E> Stream for Iter<I, E> {
            type Item = Result<I::Item, E>;

            fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
                Poll::Ready(self.0.next().map(Ok))
            }
        }

        Self::new(Iter(items.into_iter(), std::marker::PhantomData))
    }

    /// What is sent into the first value comes out of the second; up to `capacity` items wait in between, at least 1.
    ///
    /// The stream ends once every clone of the sender is dropped. If one is dropped by a panic, it ends with an error.
    pub fn channel(capacity: usize) -> (Sender<T, E>, Self)
    where
        T: Send + 'static,
        E: LoopError + Send + 'static,
    {
        let (sender, receiver) = channel::channel(capacity);
        (sender, Self::new(receiver))
    }

    /// The next item; `None` at the end. Dropping the future loses no item.
    pub async fn next(&mut self) -> Option<Result<T, E>> {
        std::future::poll_fn(|cx| self.poll_item(cx)).await
    }

    /// How often the stream was subscribed to again after a loss, because its method is
    /// [`#[rpc(resubscribe)]`](macro@crate::loop_service). Between two items that it separates, some may be missing, and
    /// what a new subscription begins with may come again. Always 0 for other streams.
    pub fn times_resubscribed(&self) -> u64 {
        self.resubscribed.as_ref().map_or(0, |count| count.load(Ordering::Relaxed))
    }

    /// A stream across the boundary, that counts in `resubscribed`.
    pub(crate) fn counted(
        stream: impl Stream<Item = Result<T, E>> + Send + 'static,
        resubscribed: Arc<AtomicU64>,
    ) -> Self {
        Self { source: Some(Mutex::new(Box::pin(stream))), resubscribed: Some(resubscribed) }
    }

    fn poll_item(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T, E>>> {
        let Some(source) = &mut self.source else { return Poll::Ready(None) };
        let source = source.get_mut().unwrap_or_else(PoisonError::into_inner);
        let item = ready!(source.as_mut().poll_next(cx));
        if !matches!(item, Some(Ok(_))) {
            self.source = None;
        }
        Poll::Ready(item)
    }
}

impl<T, E> Stream for Streaming<T, E> {
    type Item = Result<T, E>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_item(cx)
    }
}

impl<T, E> fmt::Debug for Streaming<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Streaming").field("ended", &self.source.is_none()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
