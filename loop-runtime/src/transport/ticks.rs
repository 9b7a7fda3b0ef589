//! Time as this process lived it.
//!
//! A machine that is suspended, and a process that is stopped, wakes with all of its timers due, and its peers have had no time
//! to answer. Where waiting decides that a peer is broken, ticks are counted instead: however many were slept through, they are
//! one.

use std::time::Duration;

use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

pub(super) const TICK: Duration = Duration::from_secs(1);

/// For how many ticks a peer may stand still, where nothing else is wrong with it: long after a watched process that gives no
/// sign of life is taken for hung (ten, by default), and not so long that nobody would wait for the end.
pub(super) const STANDSTILL: u32 = 90;

/// Ticks from now on. Those that nobody waited for in time are not made up for.
pub(super) fn ticks() -> Interval {
    let mut ticks = interval_at(Instant::now() + TICK, TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// What `future` comes to within `count` ticks. What has come while this process did not run is looked at before a tick is
/// counted.
#[cfg(any(feature = "auto-mtls", test))]
pub(super) async fn within<F: Future>(count: u32, future: F) -> Option<F::Output> {
    let (mut ticks, mut future) = (ticks(), std::pin::pin!(future));
    for _ in 0..count {
        tokio::select! {
            biased;
            came = future.as_mut() => return Some(came),
            _ = ticks.tick() => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::time::{advance, sleep};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_comes_in_time_is_kept_and_what_does_not_is_dropped() {
        let began = Instant::now();
        assert_eq!(within(5, pending::<()>()).await, None);
        assert_eq!(began.elapsed(), TICK * 5);
        assert_eq!(within(5, sleep(TICK * 4)).await, Some(()));
        assert_eq!(within(5, sleep(TICK * 6)).await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stop_is_one_tick() {
        for stop in [6, 60, 100_000] {
            let (mut answer, question) = tokio::io::duplex(8);
            let waiting = tokio::spawn(within(5, async move {
                let mut question = question;
                tokio::io::AsyncReadExt::read_u8(&mut question).await.unwrap()
            }));
            tokio::task::yield_now().await;
            advance(TICK * stop).await;
            // The peer was stopped too, and answers a moment later.
            sleep(TICK * 2).await;
            assert!(!waiting.is_finished());
            tokio::io::AsyncWriteExt::write_u8(&mut answer, 7).await.unwrap();
            assert_eq!(waiting.await.unwrap(), Some(7));
        }
    }
}
