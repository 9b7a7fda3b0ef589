//! Two processes for a moment: the next one is made ready beside the one that runs, takes its place in one step, and the
//! old one then ends in order.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::gone::Gone;
use super::messages::{Action, Input};
use super::running::Running;
use super::winding::Winding;
use super::{Machine, Ownership, Phase};
use crate::error::Error;
use crate::host::LaunchError;
use crate::host::event::{EndCause, EventKind, State};

/// A process that is to take the place of the one that runs.
#[derive(Debug)]
pub(super) enum Upgrade {
    /// The process that was replaced last still has calls to answer: three at a time are too many.
    Waiting,
    /// Set if it is not wanted any more, with the reason.
    Starting { off: Option<Arc<str>> },
    /// Everything that lives in the old process is made in it.
    Preparing { pid: u32, took: Duration },
    /// The old one goes on.
    Abandoned { why: Arc<str>, end: Leaving },
}

/// A process beside the one that runs, on its way out.
#[derive(Debug)]
pub(super) enum Leaving {
    Winding(Winding),
    Discarding(Gone),
}

impl Leaving {
    /// Breaks when nothing is left of it.
    fn step(mut self, input: &Input, now: Instant, out: &mut Vec<Action>) -> ControlFlow<Gone, Self> {
        match (&mut self, input) {
            (Self::Winding(winding), Input::Reaped { generation, remains }) => {
                let gone = Gone::new(*generation, winding.why, 0, remains.clone());
                out.push(Action::Discard { generation: *generation, ended: gone.ended.clone() });
                self = Self::Discarding(gone);
            }
            (Self::Winding(winding), input) => winding.step(input, now, out),
            (Self::Discarding(_), Input::Discarded { .. }) => {}
            (Self::Discarding(_), _) => return ControlFlow::Continue(self),
        }
        match (self, input) {
            (Self::Discarding(gone), Input::Discarded { .. }) => ControlFlow::Break(gone),
            (end, _) => ControlFlow::Continue(end),
        }
    }

    fn generation(&self) -> u64 {
        match self {
            Self::Winding(winding) => winding.generation,
            Self::Discarding(gone) => gone.ended.generation,
        }
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        match self {
            Self::Winding(winding) => winding.deadline(),
            Self::Discarding(_) => None,
        }
    }
}

impl Machine {
    /// Whether a process is there beside the one that runs, or is about to be.
    pub(super) fn is_accompanied(&self) -> bool {
        self.upgrade.is_some() || self.leaving.is_some()
    }

    /// When something beside the generation that runs is due.
    pub(super) fn deadline_beside(&self) -> Option<Instant> {
        let candidate = match &self.upgrade {
            Some(Upgrade::Abandoned { end, .. }) => end.deadline(),
            _ => None,
        };
        candidate.into_iter().chain(self.leaving.as_ref().and_then(Leaving::deadline)).min()
    }

    pub(super) fn begin_upgrade(&mut self, out: &mut Vec<Action>) {
        let refused = match self.phase {
            _ if self.ownership != Ownership::Ours => "it was reattached to",
            _ if self.upgrade.is_some() => "another upgrade is under way",
            Phase::Running(_) if self.leaving.is_some() => {
                self.upgrade = Some(Upgrade::Waiting);
                return;
            }
            Phase::Running(_) => {
                self.upgrade = Some(Upgrade::Starting { off: None });
                out.push(Action::Tell(EventKind::Upgrading { generation: self.generation }));
                out.push(Action::Tell(EventKind::Launching { attempt: 1 }));
                out.push(Action::LaunchBeside { generation: self.generation + 1 });
                return;
            }
            _ => "it is not running",
        };
        out.push(Action::Upgraded(Err(refused.into())));
    }

    /// Takes in what is not about the generation that runs.
    pub(super) fn step_beside(&mut self, input: &Input, now: Instant, out: &mut Vec<Action>) {
        let is_about = |generation: u64| input.generation().is_none_or(|about| about == generation);
        if let Some(leaving) = self.leaving.take_if(|leaving| is_about(leaving.generation())) {
            match leaving.step(input, now, out) {
                ControlFlow::Continue(leaving) => self.leaving = Some(leaving),
                ControlFlow::Break(gone) => gone.tell(out),
            }
        }
        if is_about(self.generation + 1)
            && let Some(upgrade) = self.upgrade.take()
        {
            self.step_candidate(upgrade, input, now, out);
        }
    }

    fn step_candidate(&mut self, upgrade: Upgrade, input: &Input, now: Instant, out: &mut Vec<Action>) {
        let candidate = self.generation + 1;
        self.upgrade = Some(match (upgrade, input) {
            (Upgrade::Starting { off: Some(why) }, Input::Started { .. }) => self.abandoned(why, now, out),
            (Upgrade::Starting { off: None }, Input::Started { pid, took }) => {
                out.push(Action::Prepare { generation: candidate });
                Upgrade::Preparing { pid: *pid, took: *took }
            }
            (Upgrade::Starting { off }, Input::StartFailed { error, unreaped }) => {
                if let Some(pid) = *unreaped {
                    out.push(Action::Tell(EventKind::Unreaped { generation: candidate, pid }));
                }
                let why = off.unwrap_or_else(|| error.to_string().into());
                return self.aborted(error.clone(), why, out);
            }
            (Upgrade::Preparing { pid, took }, Input::Prepared { .. }) => return self.commit(pid, took, now, out),
            (Upgrade::Preparing { .. }, Input::PrepareFailed { why, .. }) => self.abandoned(why.clone(), now, out),
            (Upgrade::Preparing { .. }, Input::Exited { .. } | Input::Lost { .. }) => {
                let why = "the new process ended while it was made ready".into();
                let winding = Winding::at_once(candidate, EndCause::Exited, false, out);
                Upgrade::Abandoned { why, end: Leaving::Winding(winding) }
            }
            (Upgrade::Abandoned { why, end }, input) => match end.step(input, now, out) {
                ControlFlow::Continue(end) => Upgrade::Abandoned { why, end },
                ControlFlow::Break(_) => {
                    let source = Error::failed_precondition(&*why);
                    return self.aborted(Arc::new(LaunchError::SetUp { source }), why, out);
                }
            },
            (upgrade, _) => upgrade,
        });
    }

    /// The new process has done nothing yet but what it was made ready by, and ends as any other.
    fn abandoned(&self, why: Arc<str>, now: Instant, out: &mut Vec<Action>) -> Upgrade {
        let candidate = self.generation + 1;
        out.push(Action::Retire { generation: candidate });
        let bounds = (Duration::ZERO, self.policy.shutdown_timeout);
        let winding = Winding::in_order((candidate, EndCause::Upgrade, false), bounds, now, out);
        Upgrade::Abandoned { why, end: Leaving::Winding(winding) }
    }

    fn aborted(&mut self, error: Arc<LaunchError>, why: Arc<str>, out: &mut Vec<Action>) {
        let permanent = error.is_permanent();
        out.push(Action::Tell(EventKind::LaunchFailed { attempt: 1, permanent, error }));
        out.push(Action::Tell(EventKind::UpgradeAborted { generation: self.generation, error: why.clone() }));
        out.push(Action::Upgraded(Err(why)));
    }

    /// From here on no call begins on the old process, which still has calls to answer.
    fn commit(&mut self, pid: u32, took: Duration, now: Instant, out: &mut Vec<Action>) {
        let from = self.generation;
        let generation = from + 1;
        self.generation = generation;
        self.phase = Phase::Running(Running::default());
        out.push(Action::Retire { generation: from });
        out.push(Action::Commit { generation });
        out.push(Action::State(State::Running { generation, pid }));
        out.push(Action::Tell(EventKind::Started { generation, pid, took }));
        out.push(Action::Tell(EventKind::Upgraded { from, to: generation }));
        out.push(Action::Upgraded(Ok(())));
        self.forget(out);
        let bounds = (self.policy.restart_drain_timeout, self.policy.shutdown_timeout);
        let winding = Winding::in_order((from, EndCause::Upgrade, false), bounds, now, out);
        self.leaving = Some(Leaving::Winding(winding));
    }

    /// The old process does not go on, or is not wanted any more.
    pub(super) fn abandon_upgrade(&mut self, why: &str, now: Instant, out: &mut Vec<Action>) {
        self.upgrade = match self.upgrade.take() {
            Some(Upgrade::Waiting) => {
                out.push(Action::Upgraded(Err(why.into())));
                None
            }
            Some(Upgrade::Starting { off: None }) => {
                out.push(Action::CallOff);
                Some(Upgrade::Starting { off: Some(why.into()) })
            }
            Some(Upgrade::Preparing { .. }) => Some(self.abandoned(why.into(), now, out)),
            other => other,
        };
        if let Some(Leaving::Winding(winding)) = &mut self.leaving {
            winding.hurry(self.policy.timeouts.drain_timeout, now);
        }
    }
}
