//! What is remembered of failures, until a stable run or a reset.

use std::time::{Duration, Instant};

use super::messages::Action;
use crate::host::policy::{Decision, Record, RestartPolicy};

/// Generations in a row that end while constructors run before these are suspected.
const POISONED: u32 = 3;

#[derive(Debug)]
pub(super) struct Failures {
    record: Record,
    random: Random,
    poisoned: u32,
}

impl Failures {
    /// `seed` is for the jitter.
    pub(super) fn new(seed: u64) -> Self {
        Self { record: Record::default(), random: Random(seed), poisoned: 0 }
    }

    /// Notes the end of a run of `uptime`, or a failed start, and decides.
    pub(super) fn ended(&mut self, policy: &RestartPolicy, now: Instant, uptime: Duration) -> Decision {
        self.record.ended(policy, now, uptime, self.random.next())
    }

    pub(super) fn in_a_row(&self) -> u32 {
        self.record.in_a_row()
    }

    pub(super) fn openings(&self) -> u32 {
        self.record.openings()
    }

    pub(super) fn forget(&mut self, out: &mut Vec<Action>) {
        self.record.reset();
        self.poisoned = 0;
        out.push(Action::Caution(false));
    }

    /// Notes which constructors were running when a generation ended: one that kills the plugin each time must not open
    /// the breaker for all the others.
    pub(super) fn suspect(&mut self, making: &[u64], out: &mut Vec<Action>) {
        self.poisoned = if making.is_empty() { 0 } else { self.poisoned + 1 };
        if self.poisoned > POISONED
            && let [only] = making[..]
        {
            out.push(Action::Quarantine(only));
            self.poisoned = 0;
        }
        out.push(Action::Caution(self.poisoned >= POISONED));
    }
}

/// Good enough for jitter, and the same for the same seed.
#[derive(Debug)]
struct Random(u64);

impl Random {
    /// 0 to 1.
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed >> 40) as f64 / (1u64 << 24) as f64
    }
}
