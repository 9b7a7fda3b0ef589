//! Time as this process lived it.
//!
//! A machine that is suspended, and a process that is stopped, wakes with all of its timers due, and its peers have had no time
//! to answer. Where waiting decides that a peer is broken, or that an object is gone, parts of the wait are counted instead: of
//! those that were slept through, however many, one.

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval_at};

/// Parts of a wait.
const PARTS: u32 = 10;

/// Waits for `time`, of which at most a tenth was slept through at once. Takes as long as any other wait on a machine that runs.
pub(crate) async fn sleep(time: Duration) {
    // An interval cannot be nothing.
    let part = (time / PARTS).max(Duration::from_nanos(1));
    let mut parts = interval_at(Instant::now() + part, part);
    parts.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for _ in 0..PARTS {
        parts.tick().await;
    }
}

/// What `future` comes to within [`sleep`]'s `time`. What has come while this process did not run is looked at first.
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
