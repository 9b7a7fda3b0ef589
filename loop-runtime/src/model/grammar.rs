//! The order in which a plugin tells what happens to it.

use crate::host::What;

/// Where its events are.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Grammar {
    at: At,
    generation: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum At {
    #[default]
    Between,
    Launching,
    Running(u64),
    Closed,
}

impl Grammar {
    /// Takes the next event.
    ///
    /// # Errors
    ///
    /// It cannot come now.
    pub(super) fn take(&mut self, what: &What) -> Result<(), String> {
        let next = match (self.at, what) {
            (At::Between, What::Launching { .. }) => At::Launching,
            (At::Launching, What::LaunchFailed { .. }) => At::Between,
            (At::Launching, What::Started { generation, .. }) if *generation > self.generation => {
                self.generation = *generation;
                At::Running(*generation)
            }
            (At::Running(now), What::Ended(ended)) if ended.generation == now => At::Between,
            (At::Between, What::Closed { .. }) => At::Closed,
            (
                At::Running(now),
                What::Suspect { generation, .. } | What::Recovered { generation } | What::NotServing { generation },
            ) if *generation == now => self.at,
            (
                at,
                What::Launching { .. }
                | What::LaunchFailed { .. }
                | What::Started { .. }
                | What::Ended(_)
                | What::Closed { .. }
                | What::Suspect { .. }
                | What::Recovered { .. }
                | What::NotServing { .. },
            ) => return Err(format!("{what:?} while {at:?}")),
            (At::Closed, what) => return Err(format!("{what:?} after the end")),
            (At::Running(_), What::Backoff { .. } | What::BreakerOpened { .. } | What::GaveUp { .. }) => {
                return Err(format!("{what:?} while a process runs"));
            }
            _ => return Ok(()),
        };
        self.at = next;
        Ok(())
    }
}
