//! What a supervisor decides, without a clock, a socket or a task of its own.
//!
//! [`Machine::step`] takes what has happened and returns what to do about it. It alone writes the number of the
//! generation, the state, the events and what callers find at the root handle; it alone decides whether and when a
//! process is launched or ended. Whoever drives it carries out the actions in their order, answers those that ask for
//! an answer, and gives it a [`Input::Tick`] when [`Machine::deadline`] has come.
//!
//! Its invariants, whatever the inputs and their order:
//!
//! * One process at a time: nothing is launched before the last process was reaped, or could not be. An upgrade is the
//!   one exception: its process is launched beside the one that runs.
//! * For each `Launching` one `LaunchFailed` or `Started`, for each `Started` one `Ended`, numbers rising, `Closed` last.
//! * No call begins on a generation once the next one is published.
//! * A reset counts in every state. A close ends whatever is in progress.

mod closing;
mod failures;
mod gone;
mod messages;
mod patience;
mod running;
mod starting;
mod upgrade;
mod winding;

use std::sync::Arc;
use std::time::Instant;

use closing::Closing;
use failures::Failures;
use gone::{Gone, settled};
pub(crate) use messages::{Action, Input, Pulse, Remains, Root};
use patience::after;
use running::{End, Running};
use upgrade::{Leaving, Upgrade};
use winding::Winding;

use crate::host::event::{EndCause, EventKind, State};
use crate::host::policy::{Decision, RestartPolicy};

/// Decides for one plugin.
#[derive(Debug)]
pub(crate) struct Machine {
    policy: RestartPolicy,
    ownership: Ownership,
    failures: Failures,
    phase: Phase,
    /// The number of the last generation that ran.
    generation: u64,
    /// Attempts since the last success.
    attempt: u32,
    /// The outcome of the first start has not been reported yet.
    is_first: bool,
    /// A reset came during the launch or the end in progress.
    was_reset: bool,
    /// The launch in progress is not what a user wants by now.
    is_outdated: bool,
    /// A close came during the launch or the end in progress.
    is_unwanted: bool,
    closed_by_call: bool,
    /// Whether methods of the services that were asked for carry services. `None`: none was asked for.
    carries: Option<bool>,
    /// The process that is to take the place of the one that runs.
    upgrade: Option<Upgrade>,
    /// The process of which another has taken the place.
    leaving: Option<Leaving>,
}

/// Who started the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ownership {
    /// This host.
    Ours,
    /// Another host: it lives on unless a call closes it.
    Attached,
    /// Another host, in test mode: it lives on even then.
    AttachedForTest,
}

#[derive(Debug)]
enum Phase {
    /// Nothing yet.
    New,
    /// To be launched as soon as no other process is there.
    Held,
    Starting,
    Running(Running),
    /// Out of order, or to be replaced; then the policy decides.
    Stopping(Winding),
    /// Reaped; what was decided comes into effect when the rest of it is gone.
    Discarding(Gone, Next),
    /// In backoff, or behind an open breaker; or, without a time, given up.
    Waiting {
        until: Option<Instant>,
        half_open: bool,
    },
    Closing(Closing),
    Closed,
}

/// What follows an end.
#[derive(Clone, Copy, Debug)]
enum Next {
    Launch,
    Decided(Decision),
}

impl Machine {
    /// `seed` is for the jitter.
    pub(crate) fn new(policy: RestartPolicy, ownership: Ownership, seed: u64) -> Self {
        Self {
            policy,
            ownership,
            failures: Failures::new(seed),
            phase: Phase::New,
            generation: 0,
            attempt: 0,
            is_first: true,
            was_reset: false,
            is_outdated: false,
            is_unwanted: false,
            closed_by_call: false,
            carries: None,
            upgrade: None,
            leaving: None,
        }
    }

    /// Takes in what has happened by `now`, and says what to do.
    pub(crate) fn step(&mut self, input: Input, now: Instant) -> Vec<Action> {
        let mut out = Vec::new();
        if let Input::Dispensed { carries } = input {
            self.carries = Some(carries || self.carries == Some(true));
        }
        match input {
            Input::Upgrade => self.begin_upgrade(&mut out),
            Input::Started { .. } | Input::StartFailed { .. } if self.upgrade.is_some() => {
                self.step_beside(&input, now, &mut out);
            }
            Input::Tick => {
                self.step_beside(&input, now, &mut out);
                self.proceed(input, now, &mut out);
            }
            // A late input is about something that no longer exists.
            input if input.generation().is_some_and(|about| about != self.generation) => {
                self.step_beside(&input, now, &mut out);
            }
            input => self.proceed(input, now, &mut out),
        }
        self.go_on(now, &mut out);
        out
    }

    /// What waits until nothing else is there.
    fn go_on(&mut self, now: Instant, out: &mut Vec<Action>) {
        if self.leaving.is_none() && self.upgrade.take_if(|upgrade| matches!(upgrade, Upgrade::Waiting)).is_some() {
            self.begin_upgrade(out);
        }
        match &self.phase {
            _ if self.is_accompanied() => {}
            Phase::Held => self.launch_now(out),
            Phase::Closing(closing) if closing.is_done() => {
                closing.finish(now, out);
                self.phase = Phase::Closed;
            }
            _ => {}
        }
    }

    /// When the next [`Input::Tick`] is due.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let phase = match &self.phase {
            Phase::Stopping(winding) => winding.deadline(),
            Phase::Waiting { until, .. } => *until,
            Phase::Closing(closing) => closing.deadline(),
            Phase::New | Phase::Held | Phase::Starting | Phase::Running(_) | Phase::Discarding(..) | Phase::Closed => {
                None
            }
        };
        phase.into_iter().chain(self.deadline_beside()).min()
    }

    fn proceed(&mut self, input: Input, now: Instant, out: &mut Vec<Action>) {
        match (&mut self.phase, input) {
            (_, Input::Reset) => self.reset(out),
            (_, Input::Restart { replaced: true }) => self.replace(now, out),
            (_, Input::Close { by_call }) => self.close(by_call, now, out),
            (Phase::New, Input::Start) => self.launch(out),
            (Phase::Starting, Input::Started { pid, took }) => self.started(pid, took, now, out),
            (Phase::Starting, Input::StartFailed { error, unreaped }) => self.start_failed(error, unreaped, now, out),
            (Phase::Running(running), input) => {
                if let Some(end) = running.step(&input, self.carries != Some(false), self.generation, out) {
                    self.stop(end, now, out);
                }
            }
            (Phase::Stopping(winding), Input::Reaped { remains, .. }) => {
                // A process that was asked to end ended because of that, however it exited.
                let why = if winding.was_asked() { winding.why } else { settled(winding.why, remains.exit) };
                self.reaped(why, remains, now, out);
            }
            (Phase::Stopping(winding), input) => winding.step(&input, now, out),
            (Phase::Discarding(..), Input::Discarded { making, .. }) => self.discarded(&making, now, out),
            (Phase::Waiting { until: Some(until), half_open }, Input::Tick) if *until <= now => {
                if *half_open {
                    out.push(Action::Tell(EventKind::BreakerHalfOpen));
                }
                self.launch(out);
            }
            (Phase::Closing(closing), input) => {
                closing.step(input, &self.policy, now, out);
            }
            _ => {}
        }
    }

    fn reset(&mut self, out: &mut Vec<Action>) {
        out.push(Action::Tell(EventKind::Reset));
        match self.phase {
            // Now, not at the next failure, which it is not about.
            Phase::Running(_) => self.forget(out),
            Phase::Starting | Phase::Stopping(_) | Phase::Discarding(..) => self.was_reset = true,
            Phase::Waiting { .. } => {
                self.forget(out);
                self.launch(out);
            }
            Phase::Held => self.forget(out),
            Phase::New | Phase::Closing(_) | Phase::Closed => {}
        }
    }

    /// Another program has nothing to do with the failures of the last.
    fn replace(&mut self, now: Instant, out: &mut Vec<Action>) {
        match self.phase {
            Phase::Running(_) => {
                self.forget(out);
                self.stop(End::InOrder(EndCause::Restart), now, out);
            }
            Phase::Starting => (self.was_reset, self.is_outdated) = (true, true),
            Phase::Stopping(_) | Phase::Discarding(..) => self.was_reset = true,
            Phase::Waiting { .. } => {
                self.forget(out);
                self.launch(out);
            }
            Phase::Held => self.forget(out),
            Phase::New | Phase::Closing(_) | Phase::Closed => {}
        }
    }

    /// Forgets all failures, because a user asked for that.
    fn forget(&mut self, out: &mut Vec<Action>) {
        self.was_reset = false;
        self.attempt = 0;
        self.failures.forget(out);
    }

    fn close(&mut self, by_call: bool, now: Instant, out: &mut Vec<Action>) {
        self.closed_by_call |= by_call;
        match &mut self.phase {
            Phase::Starting if !self.is_unwanted => out.push(Action::CallOff),
            Phase::Stopping(winding) if !self.is_unwanted => winding.hurry(self.policy.timeouts.drain_timeout, now),
            Phase::Starting | Phase::Stopping(_) | Phase::Discarding(..) => {}
            Phase::Running(_) => return self.begin_closing(true, now, out),
            Phase::New | Phase::Held | Phase::Waiting { .. } => return self.begin_closing(false, now, out),
            Phase::Closing(_) | Phase::Closed => return,
        }
        self.is_unwanted = true;
    }

    fn begin_closing(&mut self, is_running: bool, now: Instant, out: &mut Vec<Action>) {
        self.abandon_upgrade("the plugin is being closed", now, out);
        out.push(Action::Root(Root::Vacant));
        out.push(Action::State(State::Closing));
        out.push(Action::Tell(EventKind::Closing));
        let process = is_running.then_some((self.generation, self.leaves()));
        self.phase = Phase::Closing(Closing::new(process, now, out));
    }

    /// Whether the process is not ours to end.
    fn leaves(&self) -> bool {
        match self.ownership {
            Ownership::Ours => false,
            Ownership::Attached => !self.closed_by_call,
            Ownership::AttachedForTest => true,
        }
    }

    /// From here on nobody finds the generation, and no call begins on it.
    fn stop(&mut self, end: End, now: Instant, out: &mut Vec<Action>) {
        let (generation, leave) = (self.generation, self.leaves());
        self.abandon_upgrade("the process that was to be replaced has ended, or is being restarted", now, out);
        out.push(Action::Uninstall);
        out.push(Action::Root(Root::Making));
        out.push(Action::State(State::Stopping { generation }));
        out.push(Action::Retire { generation });
        let bounds = (self.policy.restart_drain_timeout, self.policy.shutdown_timeout);
        self.phase = Phase::Stopping(match end {
            End::Lost(why) => Winding::lost((generation, why, leave), self.policy.shutdown_timeout, now, out),
            End::AtOnce(why) => Winding::at_once(generation, why, leave, out),
            End::InOrder(why) => Winding::in_order((generation, why, leave), bounds, now, out),
            End::ByItself => Winding::by_itself((generation, leave), bounds, now, out),
        });
    }

    fn reaped(&mut self, why: EndCause, remains: Remains, now: Instant, out: &mut Vec<Action>) {
        let next = if why == EndCause::Restart || self.was_reset {
            Next::Launch
        } else {
            Next::Decided(self.failures.ended(&self.policy, now, remains.uptime))
        };
        // An end by hand is nobody's fault.
        let in_a_row = match (&why, next) {
            (EndCause::Restart, _) => 0,
            (_, Next::Launch) => 1,
            (_, Next::Decided(_)) => self.failures.in_a_row(),
        };
        let gone = Gone::new(self.generation, why, in_a_row, remains);
        out.push(Action::Discard { generation: self.generation, ended: gone.ended.clone() });
        self.phase = Phase::Discarding(gone, next);
    }

    fn discarded(&mut self, making: &[u64], now: Instant, out: &mut Vec<Action>) {
        let Phase::Discarding(gone, next) = std::mem::replace(&mut self.phase, Phase::New) else { return };
        let why: Arc<str> = gone.ended.to_string().into();
        if gone.ended.cause != EndCause::Restart {
            self.failures.suspect(making, out);
        }
        gone.tell(out);
        // What was decided before a reset is void.
        let is_void = self.was_reset;
        if is_void {
            self.forget(out);
        }
        match next {
            _ if self.is_unwanted => self.begin_closing(false, now, out),
            Next::Decided(decision) if !is_void => self.wait(decision, why, now, out),
            Next::Launch | Next::Decided(_) => self.launch(out),
        }
    }

    /// Waits as decided; not at all if there is nothing to wait for, because a timer takes a millisecond even if it is
    /// due, and that is half of what a restart takes.
    fn wait(&mut self, decision: Decision, why: Arc<str>, now: Instant, out: &mut Vec<Action>) {
        let (retry_at, at_once) = match decision {
            Decision::Backoff(wait) => (Some(after(now, wait)), false),
            Decision::Open(wait) => (Some(after(now, wait)), true),
            Decision::GiveUp => (None, true),
        };
        out.push(Action::Root(Root::Failed { at_once, retry_at, why: why.clone() }));
        let (state, event) = match (retry_at, at_once) {
            (Some(until), false) => {
                (State::Backoff { until }, EventKind::Backoff { until, in_a_row: self.failures.in_a_row() })
            }
            (Some(until), true) => {
                (State::Open { until }, EventKind::BreakerOpened { until, times: self.failures.openings() })
            }
            (None, _) => (State::GivenUp { error: why.clone() }, EventKind::GaveUp { error: why }),
        };
        out.push(Action::State(state));
        out.push(Action::Tell(event));
        self.phase = Phase::Waiting { until: retry_at, half_open: at_once };
        self.proceed(Input::Tick, now, out);
    }
}

#[cfg(test)]
mod tests;
