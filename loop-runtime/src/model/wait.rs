//! What a task may wait for: its turn, and the clock.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use super::sim::{now, random, with};

/// Sometimes yields to other tasks.
pub(super) async fn hop() {
    let mut left = random(|random| [0, 0, 0, 1, 2][random.below(5)]);
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(());
        }
        left -= 1;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Waits for a moment.
pub(super) struct Sleep {
    at: Instant,
    key: Option<(Instant, u64)>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let at = self.at;
        if now() >= at {
            return Poll::Ready(());
        }
        // Once fired, it is ready.
        if self.key.is_none() {
            self.key = Some(with(|sim| {
                let key = (at, sim.next_timer.replace(sim.next_timer.get() + 1));
                sim.timers.borrow_mut().insert(key, context.waker().clone());
                key
            }));
        }
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            // Kept until the borrow has ended: it may hold the last reference to its task.
            let waker = with(|sim| sim.timers.borrow_mut().remove(&key));
            drop(waker);
        }
    }
}

pub(super) fn sleep_until(at: Instant) -> Sleep {
    Sleep { at, key: None }
}

pub(super) fn sleep(time: Duration) -> Sleep {
    sleep_until(now() + time)
}

/// `None` if `future` takes longer than `bound`.
pub(super) async fn timeout<T>(bound: Duration, future: impl Future<Output = T>) -> Option<T> {
    timeout_at(now() + bound, future).await
}

pub(super) async fn timeout_at<T>(until: Instant, future: impl Future<Output = T>) -> Option<T> {
    let (mut future, mut sleep) = (pin!(future), sleep_until(until));
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending => Pin::new(&mut sleep).poll(context).map(|()| None),
    })
    .await
}

/// Waits until `at`; for ever if it is `None`.
pub(super) async fn sleep_until_some(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}
