//! When to start a plugin again: backoff, budget and breaker, as data and as a state machine without a clock.

mod settings;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::service::Timeouts;

/// When a plugin is restarted after it ended, and the timeouts of the runtime.
///
/// Every setter takes the policy and returns it, changed:
///
/// ```
/// use loop_runtime::host::RestartPolicy;
///
/// // A command line tool: fail rather than wait.
/// let policy = RestartPolicy::default().give_up_after(Some(1));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use = "a policy does nothing before a `Host` has it"]
pub struct RestartPolicy {
    pub(crate) initial_backoff: Duration,
    pub(crate) max_backoff: Duration,
    pub(crate) jitter: f64,
    pub(crate) stable_after: Duration,
    pub(crate) max_restarts: Option<u32>,
    pub(crate) restart_window: Duration,
    pub(crate) breaker_open: Duration,
    pub(crate) max_breaker_open: Duration,
    pub(crate) give_up_after: Option<u32>,
    pub(crate) start_timeout: Duration,
    pub(crate) health_check_interval: Option<Duration>,
    pub(crate) restart_drain_timeout: Duration,
    pub(crate) shutdown_timeout: Duration,
    pub(crate) reap_timeout: Duration,
    pub(crate) lazy_recovery: bool,
    pub(crate) timeouts: Timeouts,
}

impl Default for RestartPolicy {
    fn default() -> Self {
        Self {
            initial_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(10),
            jitter: 0.5,
            stable_after: Duration::from_secs(30),
            max_restarts: Some(5),
            restart_window: Duration::from_secs(60),
            breaker_open: Duration::from_secs(30),
            max_breaker_open: Duration::from_secs(300),
            give_up_after: None,
            start_timeout: Duration::from_secs(10),
            health_check_interval: Some(Duration::from_secs(1)),
            restart_drain_timeout: Duration::from_secs(5),
            shutdown_timeout: Duration::from_secs(2),
            reap_timeout: Duration::from_secs(5),
            lazy_recovery: false,
            timeouts: Timeouts::default(),
        }
    }
}

/// What to do after an end or a failed start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Decision {
    Backoff(Duration),
    Open(Duration),
    GiveUp,
}

/// What the policy remembers of one plugin.
#[derive(Debug, Default)]
pub(super) struct Record {
    in_a_row: u32,
    restarts: VecDeque<Instant>,
    openings: u32,
    on_probation: bool,
}

impl Record {
    pub(super) fn in_a_row(&self) -> u32 {
        self.in_a_row
    }

    pub(super) fn openings(&self) -> u32 {
        self.openings
    }

    /// Notes the end of a run of `uptime` (zero for a failed start) at `now` and decides. `random` is 0 to 1.
    pub(super) fn ended(&mut self, policy: &RestartPolicy, now: Instant, uptime: Duration, random: f64) -> Decision {
        if uptime >= policy.stable_after {
            *self = Self::default();
        }
        self.in_a_row = self.in_a_row.saturating_add(1);
        while self.restarts.front().is_some_and(|at| now.duration_since(*at) >= policy.restart_window) {
            self.restarts.pop_front();
        }
        let over = policy.max_restarts.is_some_and(|budget| self.restarts.len() >= budget as usize);
        if over || self.on_probation {
            self.openings = self.openings.saturating_add(1);
            self.restarts.clear();
            self.on_probation = true;
            if policy.give_up_after.is_some_and(|most| self.openings >= most) {
                return Decision::GiveUp;
            }
            let doubled = policy.breaker_open.saturating_mul(1 << (self.openings - 1).min(16));
            return Decision::Open(doubled.min(policy.max_breaker_open));
        }
        self.restarts.push_back(now);
        Decision::Backoff(match self.in_a_row {
            1 => Duration::ZERO,
            n => {
                let full = policy.initial_backoff.saturating_mul(1 << (n - 2).min(16)).min(policy.max_backoff);
                full.mul_f64(1.0 - policy.jitter.clamp(0.0, 1.0) * random)
            }
        })
    }

    /// Forgets everything.
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> RestartPolicy {
        RestartPolicy { jitter: 0.0, ..RestartPolicy::default() }
    }

    #[test]
    fn the_first_crash_after_a_stable_run_restarts_at_once() {
        let (policy, mut record, now) = (policy(), Record::default(), Instant::now());
        assert_eq!(record.ended(&policy, now, Duration::ZERO, 0.0), Decision::Backoff(Duration::ZERO));
        assert_eq!(record.ended(&policy, now, Duration::ZERO, 0.0), Decision::Backoff(Duration::from_millis(100)));
        assert_eq!(record.ended(&policy, now, Duration::ZERO, 0.0), Decision::Backoff(Duration::from_millis(200)));
        assert_eq!(record.ended(&policy, now, policy.stable_after, 0.0), Decision::Backoff(Duration::ZERO));
    }

    #[test]
    fn over_budget_the_breaker_opens_and_stays_open_on_probation() {
        let (policy, mut record, now) = (policy(), Record::default(), Instant::now());
        for _ in 0..5 {
            assert!(matches!(record.ended(&policy, now, Duration::ZERO, 0.0), Decision::Backoff(_)));
        }
        assert_eq!(record.ended(&policy, now, Duration::ZERO, 0.0), Decision::Open(Duration::from_secs(30)));
        assert_eq!(record.ended(&policy, now, Duration::from_secs(1), 0.0), Decision::Open(Duration::from_secs(60)));
        for _ in 0..10 {
            record.ended(&policy, now, Duration::ZERO, 0.0);
        }
        assert_eq!(record.ended(&policy, now, Duration::ZERO, 0.0), Decision::Open(policy.max_breaker_open));
        assert!(matches!(record.ended(&policy, now, policy.stable_after, 0.0), Decision::Backoff(_)));
    }

    #[test]
    fn a_plugin_that_dies_each_quarter_of_a_minute_stays_up() {
        let (policy, mut record, start) = (policy(), Record::default(), Instant::now());
        for n in 0..100 {
            let now = start + Duration::from_secs(15 * n);
            assert!(matches!(record.ended(&policy, now, Duration::from_secs(15), 0.0), Decision::Backoff(_)), "{n}");
        }
    }

    #[test]
    fn gives_up_when_told_to_and_forgets_on_reset() {
        let mut policy = policy();
        policy.give_up_after = Some(1);
        let (mut record, now) = (Record::default(), Instant::now());
        for _ in 0..5 {
            record.ended(&policy, now, Duration::ZERO, 0.0);
        }
        assert_eq!(record.ended(&policy, now, Duration::ZERO, 0.0), Decision::GiveUp);
        record.reset();
        assert_eq!(record.ended(&policy, now, Duration::ZERO, 0.0), Decision::Backoff(Duration::ZERO));
    }

    #[test]
    fn jitter_takes_at_most_its_share() {
        let (mut policy, now) = (policy(), Instant::now());
        policy.jitter = 0.5;
        let second = |random| {
            let mut record = Record::default();
            record.ended(&policy, now, Duration::ZERO, random);
            record.ended(&policy, now, Duration::ZERO, random)
        };
        assert_eq!(second(0.0), Decision::Backoff(Duration::from_millis(100)));
        assert_eq!(second(1.0), Decision::Backoff(Duration::from_millis(50)));
    }
}
