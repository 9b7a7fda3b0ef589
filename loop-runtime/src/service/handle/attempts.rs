//! How often a call is sent, and over which links: a pure state machine, without links, tasks or a clock.

use std::time::Duration;

/// How often a repeatable call is executed at most: a request that kills plugins must not kill them for ever.
pub(crate) const EXECUTIONS: u32 = 3;

/// The longest pause before a call that was refused unprocessed is retried over the same link.
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// Whether a call may run more than once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// It runs at most once.
    Once,
    /// Idempotent: it may run again.
    Repeatable,
    /// The first call of a constructor: what was lost may be its own new connection, while the parent's link is still
    /// usable.
    Constructor,
}

/// The outcome of an attempt over one link that brought no reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// A retry would not help.
    Final,
    /// It certainly did not run.
    NotRun,
    /// It was sent, and no reply came.
    MayHaveRun,
}

/// What to do after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Retry over the same link, after a pause.
    Same { pause: Duration },
    /// Retry over the next link: the previous one is not found any more.
    Other,
    /// Return the error to the caller.
    Tell,
}

/// The attempts of one call.
#[derive(Debug)]
pub(crate) struct Attempts {
    class: Class,
    executions: u32,
    refusals: u32,
}

impl Attempts {
    pub(crate) fn new(class: Class) -> Self {
        Self { class, executions: 0, refusals: 0 }
    }

    /// Whether one of the attempts may have run.
    pub(crate) fn may_have_run(&self) -> bool {
        self.executions > 0
    }

    /// Decides after an attempt over a link that is still `usable` for further calls, or never again.
    pub(crate) fn after(&mut self, outcome: Outcome, usable: bool) -> Next {
        match outcome {
            Outcome::Final => Next::Tell,
            // Refused unprocessed, by a peer at its limit of concurrent streams: there will be room.
            Outcome::NotRun if usable => {
                let pause = match self.refusals {
                    0 => Duration::ZERO,
                    n => Duration::from_millis(1 << (n - 1).min(16)).min(LONGEST_PAUSE),
                };
                self.refusals = self.refusals.saturating_add(1);
                Next::Same { pause }
            }
            Outcome::NotRun => Next::Other,
            Outcome::MayHaveRun => {
                self.executions += 1;
                match self.class {
                    Class::Once => Next::Tell,
                    _ if self.executions >= EXECUTIONS => Next::Tell,
                    // Only this call was reset, the link works: waiting for another link is of no use.
                    Class::Repeatable if usable => Next::Tell,
                    Class::Constructor if usable => Next::Same { pause: Duration::ZERO },
                    Class::Repeatable | Class::Constructor => Next::Other,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLASSES: [Class; 3] = [Class::Once, Class::Repeatable, Class::Constructor];

    #[test]
    fn what_did_not_run_is_sent_again_whatever_its_class() {
        for class in CLASSES {
            let mut attempts = Attempts::new(class);
            assert_eq!(attempts.after(Outcome::NotRun, false), Next::Other);
            for n in 0..20 {
                let Next::Same { pause } = attempts.after(Outcome::NotRun, true) else { panic!("the link is as good") };
                assert!((n == 0) == pause.is_zero() && pause <= LONGEST_PAUSE, "{n}: {pause:?}");
            }
            assert!(!attempts.may_have_run());
        }
    }

    #[test]
    fn what_may_have_run_is_repeated_by_class() {
        for (class, usable, next) in [
            (Class::Once, false, Next::Tell),
            (Class::Once, true, Next::Tell),
            (Class::Repeatable, false, Next::Other),
            (Class::Repeatable, true, Next::Tell),
            (Class::Constructor, false, Next::Other),
            (Class::Constructor, true, Next::Same { pause: Duration::ZERO }),
        ] {
            let mut attempts = Attempts::new(class);
            assert_eq!(attempts.after(Outcome::MayHaveRun, usable), next, "{class:?} {usable}");
            assert!(attempts.may_have_run());
        }
    }

    #[test]
    fn nothing_runs_more_than_three_times() {
        for class in [Class::Repeatable, Class::Constructor] {
            let mut attempts = Attempts::new(class);
            assert_eq!(attempts.after(Outcome::MayHaveRun, false), Next::Other);
            assert_eq!(attempts.after(Outcome::NotRun, false), Next::Other);
            assert_eq!(attempts.after(Outcome::MayHaveRun, false), Next::Other);
            assert_eq!(attempts.after(Outcome::MayHaveRun, false), Next::Tell);
        }
    }

    #[test]
    fn an_answer_is_told() {
        for class in CLASSES {
            assert_eq!(Attempts::new(class).after(Outcome::Final, true), Next::Tell);
        }
    }
}
