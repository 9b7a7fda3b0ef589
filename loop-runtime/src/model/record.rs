//! The record of a plugin.

use std::collections::{BTreeSet, VecDeque};
use std::time::Instant;

use crate::host::RestartPolicy;

/// What is known of a plugin.
pub(super) struct PluginRecord {
    pub(super) policy: RestartPolicy,
    pub(super) published: u64,
    /// The generations that have ended: what was lent to them is cut.
    pub(super) over: BTreeSet<u64>,
    /// The generation that is stopping: no call begins on it.
    pub(super) stopping: Option<u64>,
    pub(super) launches: VecDeque<Instant>,
    pub(super) not_before: Option<Instant>,
    pub(super) failed_for_good: bool,
    /// A user has reset the failures since the last launch began: its own does not count either.
    pub(super) was_reset: bool,
    /// Since when callers fail at once.
    pub(super) told_at_once_since: Option<Instant>,
    pub(super) is_closed: bool,
}

impl PluginRecord {
    pub(super) fn new(policy: RestartPolicy) -> Self {
        Self {
            policy,
            published: 0,
            over: BTreeSet::new(),
            stopping: None,
            launches: VecDeque::new(),
            not_before: None,
            failed_for_good: false,
            was_reset: false,
            told_at_once_since: None,
            is_closed: false,
        }
    }

    /// Notes a launch that no user asked for; returns whether there were too many.
    pub(super) fn launched(&mut self, now: Instant) -> bool {
        let window = self.policy.restart_window;
        while self.launches.front().is_some_and(|at| now - *at >= window) {
            self.launches.pop_front();
        }
        self.launches.push_back(now);
        // The budget, the launch that opens the breaker, and the trials that it permits within the window.
        self.policy.max_restarts.is_some_and(|budget| self.launches.len() > budget as usize + 3)
    }

    pub(super) fn forget_launches(&mut self) {
        self.launches.clear();
        self.not_before = None;
        self.failed_for_good = false;
        self.was_reset = true;
    }

    /// Notes that the current launch failed permanently.
    pub(super) fn fails_for_good(&mut self) {
        self.failed_for_good = !self.was_reset;
    }
}
