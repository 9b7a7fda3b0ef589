//! From the request for a process to its start, or to what follows from a start that failed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::closing::Closing;
use super::messages::{Action, Root};
use super::running::{End, Running};
use super::{Machine, Phase};
use crate::host::LaunchError;
use crate::host::event::{EndCause, EventKind, State};
use crate::host::policy::Decision;

impl Machine {
    pub(super) fn launch(&mut self, out: &mut Vec<Action>) {
        self.attempt = self.attempt.saturating_add(1);
        out.push(Action::State(State::Starting { attempt: self.attempt }));
        out.push(Action::Root(Root::Making));
        self.phase = Phase::Held;
        if !self.is_accompanied() {
            self.launch_now(out);
        }
    }

    pub(super) fn launch_now(&mut self, out: &mut Vec<Action>) {
        let attempt = self.attempt;
        self.phase = Phase::Starting;
        out.push(Action::Tell(EventKind::Launching { attempt }));
        out.push(Action::Launch { generation: self.generation + 1 });
    }

    pub(super) fn started(&mut self, pid: u32, took: Duration, now: Instant, out: &mut Vec<Action>) {
        self.generation += 1;
        let generation = self.generation;
        self.attempt = 0;
        self.is_first = false;
        self.phase = Phase::Running(Running::default());
        out.push(Action::Install { generation });
        out.push(Action::State(State::Running { generation, pid }));
        out.push(Action::Tell(EventKind::Started { generation, pid, took }));
        if self.was_reset {
            self.forget(out);
        }
        let is_outdated = std::mem::take(&mut self.is_outdated);
        if self.is_unwanted {
            self.begin_closing(true, now, out);
        } else if is_outdated {
            self.stop(End::InOrder(EndCause::Restart), now, out);
        }
    }

    pub(super) fn start_failed(
        &mut self,
        error: Arc<LaunchError>,
        unreaped: Option<u32>,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let attempt = self.attempt;
        self.is_outdated = false;
        // After a success, a program that is absent or incomplete is being replaced.
        let permanent = error.is_permanent() && !(self.generation > 0 && error.is_of_the_program());
        let why: Arc<str> = format!("attempt {attempt} failed: {error}").into();
        if let Some(pid) = unreaped {
            out.push(Action::Tell(EventKind::Unreaped { generation: self.generation + 1, pid }));
        }
        out.push(Action::Tell(EventKind::LaunchFailed { attempt, permanent, error }));
        if self.is_first {
            self.phase = Phase::Closing(Closing::new(None, now, out));
        } else if self.is_unwanted {
            self.begin_closing(false, now, out);
        } else if self.was_reset {
            self.forget(out);
            self.launch(out);
        } else if permanent {
            self.wait(Decision::GiveUp, why, now, out);
        } else {
            let decision = self.failures.ended(&self.policy, now, Duration::ZERO);
            self.wait(decision, why, now, out);
        }
    }
}
