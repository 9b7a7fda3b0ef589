//! When to start a plugin again: backoff, budget and breaker, as data and as a state machine without a clock.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::service::Timing;

/// When a plugin is started again after it ended, and how long the runtime waits for what.
///
/// ```
/// use loop_runtime::host::RestartPolicy;
///
/// let mut policy = RestartPolicy::default();
/// policy.give_up_after = Some(1); // a command line tool: fail rather than wait
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RestartPolicy {
    /// Backoff before the second restart in a row; doubles up to [`RestartPolicy::backoff_max`]. The first restart
    /// after a stable run is immediate: a lone crash is sporadic. Default 100 ms.
    pub backoff: Duration,
    /// The longest backoff. Default 10 s.
    pub backoff_max: Duration,
    /// How much of a backoff is random, 0 to 1, so that plugins that died together do not start together. Default 0.5.
    pub jitter: f64,
    /// A run as long as this forgets earlier crashes. Default 30 s.
    pub stable_after: Duration,
    /// Restarts within [`RestartPolicy::budget_window`] before the breaker opens; `None` switches it off. Default 5.
    pub budget: Option<u32>,
    /// Default 60 s.
    pub budget_window: Duration,
    /// How long the breaker stays open at first; doubles up to [`RestartPolicy::open_max`]. Default 30 s.
    pub open: Duration,
    /// Default 5 min.
    pub open_max: Duration,
    /// Openings of the breaker after which the plugin is given up until a reset; `None` never gives up: a node must
    /// heal by itself after an outage. Default `None`.
    pub give_up_after: Option<u32>,
    /// From the start of the process to the end of its handshake line. Default 10 s.
    pub start_timeout: Duration,
    /// One tick of the health check; `None` switches it off. After two silent ticks the plugin is asked, after three
    /// it is suspect, after ten it counts as hung and is killed. Ticks are counted, not measured, so that a host that
    /// stood still does not kill healthy plugins. Default 1 s.
    pub health_tick: Option<Duration>,
    /// When a process is replaced by hand, how long the calls that are under way on it may go on before they are cut
    /// off. New calls wait for the next process meanwhile. Default 5 s.
    pub restart_drain: Duration,
    /// How long a plugin that was asked to shut down, or does so by itself, may take until it is killed. Counted in
    /// tenths that this process lived through. Default 2 s, as in go-plugin.
    pub exit_grace: Duration,
    /// How long a killed process may take to be reaped before the runtime goes on without it. Default 5 s.
    pub reap: Duration,
    /// Lost objects are made again at the next call instead of at once. Default `false`: objects have background work.
    pub lazy: bool,
    /// The waits of calls, constructors and releases.
    pub timing: Timing,
}

impl Default for RestartPolicy {
    fn default() -> Self {
        Self {
            backoff: Duration::from_millis(100),
            backoff_max: Duration::from_secs(10),
            jitter: 0.5,
            stable_after: Duration::from_secs(30),
            budget: Some(5),
            budget_window: Duration::from_secs(60),
            open: Duration::from_secs(30),
            open_max: Duration::from_secs(300),
            give_up_after: None,
            start_timeout: Duration::from_secs(10),
            health_tick: Some(Duration::from_secs(1)),
            restart_drain: Duration::from_secs(5),
            exit_grace: Duration::from_secs(2),
            reap: Duration::from_secs(5),
            lazy: false,
            timing: Timing::default(),
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
        while self.restarts.front().is_some_and(|at| now.duration_since(*at) >= policy.budget_window) {
            self.restarts.pop_front();
        }
        let over = policy.budget.is_some_and(|budget| self.restarts.len() >= budget as usize);
        if over || self.on_probation {
            self.openings = self.openings.saturating_add(1);
            self.restarts.clear();
            self.on_probation = true;
            if policy.give_up_after.is_some_and(|most| self.openings >= most) {
                return Decision::GiveUp;
            }
            let doubled = policy.open.saturating_mul(1 << (self.openings - 1).min(16));
            return Decision::Open(doubled.min(policy.open_max));
        }
        self.restarts.push_back(now);
        Decision::Backoff(match self.in_a_row {
            1 => Duration::ZERO,
            n => {
                let full = policy.backoff.saturating_mul(1 << (n - 2).min(16)).min(policy.backoff_max);
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
        assert_eq!(record.ended(&policy, now, Duration::ZERO, 0.0), Decision::Open(policy.open_max));
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
