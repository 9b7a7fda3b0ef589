//! The end of one generation, step by step.

use std::time::{Duration, Instant};

use super::messages::{Action, Input, Pulse};
use super::patience::Patience;
use crate::host::event::EndCause;
use crate::service::settle;

/// A generation that is on its way out, whatever the reason.
#[derive(Debug)]
pub(super) struct Winding {
    pub(super) generation: u64,
    pub(super) why: EndCause,
    step: Step,
    /// The process was started by another host, and is left running.
    leave: bool,
    exit_grace: Duration,
    /// It is to be asked to shut down once calls in flight have ended; else it does so by itself.
    asks: bool,
}

#[derive(Debug)]
enum Step {
    /// Calls in flight are drained.
    Draining(Patience),
    /// It was asked to shut down, or does so by itself.
    Leaving(Patience),
    /// Its connections broke, and it is about to exit, which says more, or has to be killed.
    Dying(Patience),
    /// Killed, to be reaped.
    Ending,
}

impl Winding {
    fn new(generation: u64, why: EndCause, step: Step, leave: bool) -> Self {
        Self { generation, why, step, leave, exit_grace: Duration::ZERO, asks: false }
    }

    /// Calls in flight have `drain`, then the process is asked to shut down and has `exit_grace`, then it is killed.
    pub(super) fn in_order(
        (generation, why, leave): (u64, EndCause, bool),
        (drain, exit_grace): (Duration, Duration),
        now: Instant,
        out: &mut Vec<Action>,
    ) -> Self {
        out.push(Action::Drain { generation });
        let step = Step::Draining(Patience::new(drain, now));
        Self { exit_grace, asks: true, ..Self::new(generation, why, step, leave) }
    }

    /// It takes no connections any more, and answers what it was asked before. The streams that a server in Go waits for are
    /// ended last.
    pub(super) fn by_itself(
        (generation, leave): (u64, bool),
        bounds: (Duration, Duration),
        now: Instant,
        out: &mut Vec<Action>,
    ) -> Self {
        Self { asks: false, ..Self::in_order((generation, EndCause::ShutDown, leave), bounds, now, out) }
    }

    /// What cannot be used any more: it shuts down by itself, or it broke.
    pub(super) fn lost(
        (generation, why, leave): (u64, EndCause, bool),
        exit_grace: Duration,
        now: Instant,
        out: &mut Vec<Action>,
    ) -> Self {
        let step = if why == EndCause::ShutDown {
            // What it lent and was lent it takes back itself.
            Step::Leaving(Patience::new(exit_grace, now))
        } else {
            out.push(Action::Cut { generation });
            Step::Dying(Patience::new(settle::CONNECTIONS, now))
        };
        Self { exit_grace, ..Self::new(generation, why, step, leave) }
    }

    pub(super) fn at_once(generation: u64, why: EndCause, leave: bool, out: &mut Vec<Action>) -> Self {
        let mut winding = Self::new(generation, why, Step::Ending, leave);
        winding.end(out);
        winding
    }

    fn end(&mut self, out: &mut Vec<Action>) {
        self.step = Step::Ending;
        // What has exited can be reaped, whoever it belongs to.
        let leave = self.leave && self.why != EndCause::Exited;
        out.push(Action::End { generation: self.generation, leave });
    }

    /// Looks at what concerns this generation, and at the time.
    pub(super) fn step(&mut self, input: &Input, now: Instant, out: &mut Vec<Action>) {
        let is_over = matches!(input, Input::Tick) && self.patience().is_some_and(|patience| patience.has_ended(now));
        match (&self.step, input) {
            (Step::Ending, _) => {}
            (Step::Draining(_) | Step::Dying(_), Input::Exited { .. }) => self.end_because(EndCause::Exited, out),
            (_, Input::Exited { .. }) => self.end(out),
            (Step::Draining(_), Input::Pulse { pulse: Pulse::Hung, .. }) => self.end_because(EndCause::Hung, out),
            (Step::Draining(_), Input::Lost { why, .. }) => {
                let why = if self.why == EndCause::Closed { self.why } else { *why };
                *self = Self::lost((self.generation, why, self.leave), self.exit_grace, now, out);
            }
            (Step::Draining(_), Input::Drained { .. }) => self.ask(now, out),
            (Step::Draining(_), _) if is_over => self.ask(now, out),
            (Step::Leaving(_) | Step::Dying(_), _) if is_over => self.end(out),
            _ => {}
        }
    }

    /// Whether it ends because it was asked to.
    pub(super) fn was_asked(&self) -> bool {
        self.asks
    }

    /// Gives the calls in flight no more than `drain` from now on.
    pub(super) fn hurry(&mut self, drain: Duration, now: Instant) {
        let sooner = Patience::new(drain, now);
        if let Step::Draining(patience) = &mut self.step {
            *patience = sooner;
        }
    }

    /// What was asked for came differently.
    fn end_because(&mut self, why: EndCause, out: &mut Vec<Action>) {
        if self.why != EndCause::Closed {
            (self.why, self.asks) = (why, false);
        }
        self.end(out);
    }

    fn patience(&mut self) -> Option<&mut Patience> {
        match &mut self.step {
            Step::Draining(patience) | Step::Leaving(patience) | Step::Dying(patience) => Some(patience),
            Step::Ending => None,
        }
    }

    fn ask(&mut self, now: Instant, out: &mut Vec<Action>) {
        if self.leave {
            return self.end(out);
        }
        let generation = self.generation;
        out.push(if self.asks { Action::ShutDown { generation } } else { Action::LetGo { generation } });
        self.step = Step::Leaving(Patience::new(self.exit_grace, now));
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        match &self.step {
            Step::Draining(patience) | Step::Leaving(patience) | Step::Dying(patience) => Some(patience.at()),
            Step::Ending => None,
        }
    }
}
