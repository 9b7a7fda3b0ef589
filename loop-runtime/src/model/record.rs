//! What is known of a plugin.

use std::collections::{BTreeSet, VecDeque};
use std::time::Instant;

use crate::host::RestartPolicy;

/// What is known of a plugin.
pub(super) struct PluginRecord {
    pub(super) policy: RestartPolicy,
    pub(super) published: u64,
    /// The generations that are over: what was lent to them is cut.
    pub(super) over: BTreeSet<u64>,
    /// The generation that is on its way out: no call begins on it.
    pub(super) stopping: Option<u64>,
    pub(super) launches: VecDeque<Instant>,
    pub(super) not_before: Option<Instant>,
    pub(super) failed_for_good: bool,
    /// A user has asked to forget failures since the last launch began: the next is forgotten too.
    pub(super) was_reset: bool,
    /// Callers are told at once since then.
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

    /// Notes a launch that nobody asked for; whether there were too many.
    pub(super) fn launched(&mut self, now: Instant) -> bool {
        let window = self.policy.restart_window;
        while self.launches.front().is_some_and(|at| now - *at >= window) {
            self.launches.pop_front();
        }
        self.launches.push_back(now);
        // The budget, that which opens the breaker, and the trials that it lets through within the window.
        self.policy.max_restarts.is_some_and(|budget| self.launches.len() > budget as usize + 3)
    }

    pub(super) fn forget_launches(&mut self) {
        self.launches.clear();
        self.not_before = None;
        self.failed_for_good = false;
        self.was_reset = true;
    }

    /// Notes that the launch under way failed for good.
    pub(super) fn fails_for_good(&mut self) {
        self.failed_for_good = !self.was_reset;
    }
}
