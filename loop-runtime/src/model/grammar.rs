//! The order of a plugin's events.

use crate::host::EventKind;

/// The position in its sequence of events.
#[derive(Debug, Default)]
pub(super) struct Grammar {
    /// The last generation that started.
    last: u64,
    launching: bool,
    running: Option<u64>,
    /// The generation that was replaced.
    leaving: Option<u64>,
    upgrading: bool,
    closed: bool,
}

impl Grammar {
    pub(super) fn is_upgrading(&self) -> bool {
        self.upgrading
    }

    /// Takes the next event.
    ///
    /// # Errors
    ///
    /// It is not allowed here.
    pub(super) fn take(&mut self, what: &EventKind) -> Result<(), String> {
        let holds = !self.closed
            && match what {
                EventKind::Launching { .. } => {
                    let alone = self.running.is_none() && self.leaving.is_none();
                    !std::mem::replace(&mut self.launching, true) && (alone || self.upgrading)
                }
                EventKind::LaunchFailed { .. } => std::mem::take(&mut self.launching),
                EventKind::Started { generation, .. } => {
                    let before = self.running.replace(*generation);
                    let is_next = *generation > std::mem::replace(&mut self.last, *generation);
                    let has_place = before.is_none() || (self.upgrading && self.leaving.is_none());
                    self.leaving = self.leaving.or(before);
                    std::mem::take(&mut self.launching) && is_next && has_place
                }
                EventKind::Ended(ended) => {
                    let of_running = self.running.take_if(|it| *it == ended.generation).is_some();
                    of_running || self.leaving.take_if(|it| *it == ended.generation).is_some()
                }
                EventKind::Upgrading { generation } => {
                    let begins = !std::mem::replace(&mut self.upgrading, true);
                    begins && self.running == Some(*generation) && !self.launching
                }
                EventKind::UpgradeAborted { .. } => std::mem::take(&mut self.upgrading) && !self.launching,
                EventKind::Upgraded { from, to } => {
                    std::mem::take(&mut self.upgrading) && self.leaving == Some(*from) && self.running == Some(*to)
                }
                EventKind::Suspect { generation, .. }
                | EventKind::Recovered { generation }
                | EventKind::NotServing { generation }
                | EventKind::BrokerLost { generation } => self.running == Some(*generation),
                EventKind::Backoff { .. } | EventKind::BreakerOpened { .. } | EventKind::GaveUp { .. } => {
                    self.running.is_none()
                }
                EventKind::Closed { .. } => {
                    self.closed = true;
                    self.running.is_none() && self.leaving.is_none() && !self.launching && !self.upgrading
                }
                _ => true,
            };
        if holds { Ok(()) } else { Err(format!("{what:?} while {self:?}")) }
    }
}
