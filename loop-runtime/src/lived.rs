//! Waits that discount the time during which this process did not run.
//!
//! A suspended machine, or a stopped process, wakes with all of its timers due, and its peers have had no time to
//! answer. Where a timeout decides that a peer is broken, or that an object is gone, the wait is counted in slices
//! instead: all slices of one suspension count as one.

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval_at};

/// Slices of a wait.
const PARTS: u32 = 10;

/// Waits for `time`, of which one suspension counts for a tenth at most. Without any it is an ordinary sleep.
pub(crate) async fn sleep(time: Duration) {
    // An interval must not be zero.
    let part = (time / PARTS).max(Duration::from_nanos(1));
    let mut parts = interval_at(Instant::now() + part, part);
    parts.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for _ in 0..PARTS {
        parts.tick().await;
    }
}

/// The output of `future` within [`sleep`]'s `time`. What arrived while this process did not run is polled first.
pub(crate) async fn within<F: Future>(time: Duration, future: F) -> Option<F::Output> {
    tokio::select! {
        biased;
        came = future => Some(came),
        () = sleep(time) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::time::advance;

    use super::*;

    const TIME: Duration = Duration::from_secs(5);

    #[tokio::test(start_paused = true)]
    async fn what_comes_in_time_is_kept_and_what_does_not_is_dropped() {
        let began = Instant::now();
        assert_eq!(within(TIME, pending::<()>()).await, None);
        assert_eq!(began.elapsed(), TIME);
        assert_eq!(within(TIME, tokio::time::sleep(TIME / 2)).await, Some(()));
        assert_eq!(within(TIME, tokio::time::sleep(TIME * 2)).await, None);
        assert_eq!(within(Duration::ZERO, pending::<()>()).await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stop_counts_as_a_tenth() {
        for stop in [6, 60, 100_000] {
            let (mut answer, mut question) = tokio::io::duplex(8);
            let waiting = tokio::spawn(within(TIME, async move { question.read_u8().await.unwrap() }));
            tokio::task::yield_now().await;
            advance(Duration::from_secs(stop)).await;
            // The peer was stopped too, and answers a moment later.
            tokio::time::sleep(TIME / 2).await;
            assert!(!waiting.is_finished());
            answer.write_u8(7).await.unwrap();
            assert_eq!(waiting.await.unwrap(), Some(7));
        }
    }
}
