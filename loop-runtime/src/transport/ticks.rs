//! Ticks as this process lived through them.
//!
//! A suspended machine, or a stopped process, wakes with all of its timers due, while its peers have had no time to
//! answer. Where a wait decides that a peer is broken, ticks are counted instead: however many were missed, they count
//! as one.

use std::time::Duration;

use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

pub(super) const TICK: Duration = Duration::from_secs(1);

/// For how many ticks a peer may stall, where nothing else is wrong with it: long after a watched process without a
/// sign of life counts as hung (ten, by default), and not so long that nobody would wait for the end.
pub(super) const STANDSTILL: u32 = 90;

/// Ticks from now on. Missed ones are not made up for.
pub(super) fn ticks() -> Interval {
    let mut ticks = interval_at(Instant::now() + TICK, TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}
