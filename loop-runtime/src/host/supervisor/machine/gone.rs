//! What is reported of a process that was reaped.

use std::sync::Arc;

use super::messages::{Action, Remains};
use crate::host::Exit;
use crate::host::event::{EndCause, Ended, EventKind};

/// A process that was reaped, of which the rest is still to be discarded.
#[derive(Debug)]
pub(super) struct Gone {
    pub(super) ended: Arc<Ended>,
    /// The id of a process that could not be reaped.
    unreaped: Option<u32>,
}

impl Gone {
    pub(super) fn new(generation: u64, why: EndCause, in_a_row: u32, remains: Remains) -> Self {
        let Remains { pid, exit, unreaped, stderr, uptime } = remains;
        let ended = Ended { generation, cause: why, exit, stderr, uptime, in_a_row };
        Self { ended: Arc::new(ended), unreaped: unreaped.then_some(pid) }
    }

    pub(super) fn tell(self, out: &mut Vec<Action>) {
        if let Some(pid) = self.unreaped {
            out.push(Action::Tell(EventKind::Unreaped { generation: self.ended.generation, pid }));
        }
        out.push(Action::Tell(EventKind::Ended(Arc::unwrap_or_clone(self.ended))));
    }
}

/// Why it ended, if `noticed` was seen first: how a process exited says more than that its connections ended.
pub(super) fn settled(noticed: EndCause, exit: Option<Exit>) -> EndCause {
    if !matches!(noticed, EndCause::Exited | EndCause::ShutDown | EndCause::ConnectionLost | EndCause::BrokerLost) {
        return noticed;
    }
    match exit.map(|exit| (exit.status(), exit.signal())) {
        Some((Some(0), _) | (None, Some(libc::SIGTERM))) => EndCause::ShutDown,
        // Killed here, as it may be, because it did not exit.
        None | Some((None, Some(libc::SIGKILL))) if noticed == EndCause::ShutDown => EndCause::ConnectionLost,
        None | Some((None, Some(libc::SIGKILL) | None)) => noticed,
        Some(_) => EndCause::Exited,
    }
}
