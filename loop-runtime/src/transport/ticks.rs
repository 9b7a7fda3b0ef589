//! Ticks as this process lived them.
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
