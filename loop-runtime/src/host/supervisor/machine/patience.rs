//! A bounded wait for a plugin.

use std::time::{Duration, Instant};

/// How long one slice is, roughly.
const SLICE: Duration = Duration::from_millis(100);
/// The most slices of one wait.
const SLICES: u32 = 10;

/// What is waited for may be stopped with everything else, this process included: in a container that is frozen, on a
/// machine that sleeps. So the time is counted in slices; one during which this process did not run is one slice,
/// however long it took.
#[derive(Debug)]
pub(super) struct Patience {
    slice: Duration,
    left: u32,
    at: Instant,
}

impl Patience {
    pub(super) fn new(bound: Duration, now: Instant) -> Self {
        let slices = bound.as_millis() / SLICE.as_millis();
        let left = u32::try_from(slices).unwrap_or(SLICES).clamp(1, SLICES);
        let slice = bound / left;
        Self { slice, left, at: after(now, slice) }
    }

    /// Takes note of the time.
    pub(super) fn has_ended(&mut self, now: Instant) -> bool {
        if self.left > 0 && now >= self.at {
            self.left -= 1;
            self.at = after(now, self.slice);
        }
        self.left == 0
    }

    /// When to look again.
    pub(super) fn at(&self) -> Instant {
        self.at
    }
}

/// The clock ends before some durations that a policy may hold.
pub(super) fn after(now: Instant, wait: Duration) -> Instant {
    const FAR: Duration = Duration::from_secs(30 * 365 * 24 * 3600);
    now.checked_add(wait).unwrap_or_else(|| now + FAR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lasts_as_long_as_it_is_bounded() {
        for millis in [0, 20, 250, 2000, 100_000] {
            let bound = Duration::from_millis(millis);
            let start = Instant::now();
            let (mut patience, mut now) = (Patience::new(bound, start), start);
            while !patience.has_ended(now) {
                now = patience.at();
            }
            assert_eq!(now - start, bound);
        }
    }

    #[test]
    fn counts_what_was_slept_through_as_one_slice() {
        let now = Instant::now();
        let mut patience = Patience::new(Duration::from_secs(2), now);
        let woken = now + Duration::from_secs(3600);
        assert!(!patience.has_ended(woken) && !patience.has_ended(woken));
        assert_eq!(patience.at(), woken + Duration::from_millis(200));
    }

    #[test]
    fn the_longest_wait_is_none_that_panics() {
        let now = Instant::now();
        assert!(!Patience::new(Duration::MAX, now).has_ended(now));
        assert!(after(now, Duration::MAX) > now);
    }
}
