//! The close of a plugin: handles bottom-up, then the process, which is asked, then killed.

use std::time::Instant;

use super::messages::{Action, Input, Root};
use super::winding::Winding;
use super::{Gone, RestartPolicy};
use crate::host::event::{EndCause, EventKind};

#[derive(Debug)]
pub(super) struct Closing {
    began: Instant,
    step: Step,
}

#[derive(Debug)]
enum Step {
    /// Handles are closed while the process can still be called.
    Handles {
        process: Option<Process>,
    },
    Process(Winding),
    Discarding(Gone),
    /// Handles that hung were dropped with the process.
    Rest,
    Done,
}

#[derive(Debug)]
struct Process {
    generation: u64,
    leave: bool,
    has_exited: bool,
}

impl Closing {
    /// `process` is the generation that runs, and whether it is left alone.
    pub(super) fn new(process: Option<(u64, bool)>, now: Instant, out: &mut Vec<Action>) -> Self {
        out.push(Action::CloseHandles);
        let process = process.map(|(generation, leave)| Process { generation, leave, has_exited: false });
        Self { began: now, step: Step::Handles { process } }
    }

    pub(super) fn step(&mut self, input: Input, policy: &RestartPolicy, now: Instant, out: &mut Vec<Action>) {
        match (&mut self.step, input) {
            (Step::Handles { process: Some(process) }, Input::Exited { .. }) => process.has_exited = true,
            (Step::Handles { process: Some(Process { generation, leave, has_exited }) }, Input::HandlesClosed) => {
                out.push(Action::Uninstall);
                let winding = if *has_exited {
                    Winding::at_once(*generation, EndCause::Closed, *leave, out)
                } else {
                    // Calls that take longer are cut off with the process.
                    let bounds = (policy.timeouts.drain_timeout, policy.shutdown_timeout);
                    Winding::in_order((*generation, EndCause::Closed, *leave), bounds, now, out)
                };
                self.step = Step::Process(winding);
            }
            (Step::Process(winding), Input::Reaped { generation, remains }) => {
                let gone = Gone::new(generation, winding.why, 0, remains);
                out.push(Action::Discard { generation, ended: gone.ended.clone() });
                self.step = Step::Discarding(gone);
            }
            (Step::Process(winding), input) => winding.step(&input, now, out),
            (Step::Discarding(_), Input::Discarded { .. }) => {
                out.push(Action::CloseHandles);
                if let Step::Discarding(gone) = std::mem::replace(&mut self.step, Step::Rest) {
                    gone.tell(out);
                }
            }
            (Step::Handles { process: None } | Step::Rest, Input::HandlesClosed) => {
                self.step = Step::Done;
            }
            _ => {}
        }
    }

    /// Whether nothing is left to be closed.
    pub(super) fn is_done(&self) -> bool {
        matches!(self.step, Step::Done)
    }

    pub(super) fn finish(&self, now: Instant, out: &mut Vec<Action>) {
        out.push(Action::Root(Root::Closed));
        out.push(Action::Tell(EventKind::Closed { took: now.duration_since(self.began) }));
        out.push(Action::Finish);
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        match &self.step {
            Step::Process(winding) => winding.deadline(),
            Step::Handles { .. } | Step::Discarding(_) | Step::Rest | Step::Done => None,
        }
    }
}
