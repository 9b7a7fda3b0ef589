//! The order in which a plugin tells what happens to it.

use crate::host::What;

/// Where its events are.
#[derive(Debug, Default)]
pub(super) struct Grammar {
    /// The last that started.
    last: u64,
    launching: bool,
    running: Option<u64>,
    /// Another has taken its place.
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
    /// It cannot come now.
    pub(super) fn take(&mut self, what: &What) -> Result<(), String> {
        let holds = !self.closed
            && match what {
                What::Launching { .. } => {
                    let alone = self.running.is_none() && self.leaving.is_none();
                    !std::mem::replace(&mut self.launching, true) && (alone || self.upgrading)
                }
                What::LaunchFailed { .. } => std::mem::take(&mut self.launching),
                What::Started { generation, .. } => {
                    let before = self.running.replace(*generation);
                    let is_next = *generation > std::mem::replace(&mut self.last, *generation);
                    let has_place = before.is_none() || (self.upgrading && self.leaving.is_none());
                    self.leaving = self.leaving.or(before);
                    std::mem::take(&mut self.launching) && is_next && has_place
                }
                What::Ended(ended) => {
                    let of_running = self.running.take_if(|it| *it == ended.generation).is_some();
                    of_running || self.leaving.take_if(|it| *it == ended.generation).is_some()
                }
                What::Upgrading { generation } => {
                    let begins = !std::mem::replace(&mut self.upgrading, true);
                    begins && self.running == Some(*generation) && !self.launching
                }
                What::UpgradeAborted { .. } => std::mem::take(&mut self.upgrading) && !self.launching,
                What::Upgraded { from, to } => {
                    std::mem::take(&mut self.upgrading) && self.leaving == Some(*from) && self.running == Some(*to)
                }
                What::Suspect { generation, .. }
                | What::Recovered { generation }
                | What::NotServing { generation }
                | What::BrokerLost { generation } => self.running == Some(*generation),
                What::Backoff { .. } | What::BreakerOpened { .. } | What::GaveUp { .. } => self.running.is_none(),
                What::Closed { .. } => {
                    self.closed = true;
                    self.running.is_none() && self.leaving.is_none() && !self.launching && !self.upgrading
                }
                _ => true,
            };
        if holds { Ok(()) } else { Err(format!("{what:?} while {self:?}")) }
    }
}
