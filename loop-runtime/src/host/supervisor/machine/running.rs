//! What is decided about a generation while it runs.

use super::messages::{Action, Input, Pulse};
use crate::host::event::{EndCause, EventKind};

#[derive(Debug, Default)]
pub(super) struct Running {
    /// Another main connection is being made.
    is_redialling: bool,
    /// The first main connection is retired, and the broker's stream goes on over it.
    was_retired: bool,
    /// That has ended since.
    lost_broker: bool,
}

/// How it is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// There is nothing that can be used any more, or it shuts down.
    Lost(EndCause),
    AtOnce(EndCause),
    /// Calls in flight are drained first, then it is asked to shut down.
    InOrder(EndCause),
    /// Calls in flight are drained first, then it shuts down by itself.
    ByItself,
}

impl Running {
    /// `needs_broker` is whether services are, or may be, lent to it or by it.
    pub(super) fn step(
        &mut self,
        input: &Input,
        needs_broker: bool,
        generation: u64,
        out: &mut Vec<Action>,
    ) -> Option<End> {
        match input {
            Input::Exited { .. } => Some(End::AtOnce(EndCause::Exited)),
            Input::Restart { .. } => Some(End::InOrder(EndCause::Restart)),
            Input::Pulse { pulse, .. } => {
                out.push(Action::Tell(match *pulse {
                    Pulse::Suspect { silent } => EventKind::Suspect { generation, silent },
                    Pulse::Recovered => EventKind::Recovered { generation },
                    Pulse::NotServing => EventKind::NotServing { generation },
                    Pulse::Hung => return Some(End::AtOnce(EndCause::Hung)),
                }));
                None
            }
            // It went with the connection that it was on, and the process serves on.
            Input::Lost { why: EndCause::BrokerLost, .. } if self.was_retired => {
                if needs_broker {
                    return Some(End::InOrder(EndCause::BrokerLost));
                }
                self.lost_broker = true;
                out.push(Action::Tell(EventKind::BrokerLost { generation }));
                None
            }
            Input::Lost { why, .. } => Some(End::Lost(*why)),
            Input::Dispensed { .. } if self.lost_broker && needs_broker => Some(End::InOrder(EndCause::BrokerLost)),
            Input::Retired { .. } if !self.is_redialling => {
                (self.is_redialling, self.was_retired) = (true, true);
                out.push(Action::Redial { generation });
                None
            }
            Input::Redialled { .. } if self.is_redialling => {
                self.is_redialling = false;
                out.push(Action::Move { generation });
                None
            }
            Input::RedialRefused { .. } if self.is_redialling => Some(End::ByItself),
            _ => None,
        }
    }
}
