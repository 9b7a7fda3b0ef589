//! Faults of a plugin's process, on demand.

use rustix::process::Signal;

use crate::error::{Error, Result};
use crate::host::Running;
use crate::host::Supervisor;

/// Injects faults into the process of a plugin. Returns at once: the effect is seen in the plugin's
/// [events](Supervisor::events), or by calling it.
///
/// ```no_run
/// # async fn test(plugin: loop_runtime::host::Supervisor) -> loop_runtime::Result<()> {
/// use loop_runtime::testing::Faults;
///
/// plugin.kill()?; // the next idempotent call is answered by another process
/// # Ok(())
/// # }
/// ```
pub trait Faults {
    /// Kills the process and its group, as an out-of-memory killer does: SIGKILL.
    ///
    /// # Errors
    ///
    /// No process is running at the moment, here and below.
    fn kill(&self) -> Result<()>;

    /// Stops the process and its group without ending them, as a debugger or a frozen container does: SIGSTOP. A
    /// health check that is not switched off kills it after about ten of its ticks.
    ///
    /// # Errors
    ///
    /// As [`Faults::kill`].
    fn freeze(&self) -> Result<()>;

    /// Continues a frozen process: SIGCONT.
    ///
    /// # Errors
    ///
    /// As [`Faults::kill`].
    fn thaw(&self) -> Result<()>;

    /// Cuts the host's main connection to the process, which is then replaced.
    ///
    /// # Errors
    ///
    /// As [`Faults::kill`].
    fn cut(&self) -> Result<()>;
}

impl Faults for Supervisor {
    fn kill(&self) -> Result<()> {
        running(self).map(|running| running.process.signal(Signal::KILL))
    }

    fn freeze(&self) -> Result<()> {
        running(self).map(|running| running.process.signal(Signal::STOP))
    }

    fn thaw(&self) -> Result<()> {
        running(self).map(|running| running.process.signal(Signal::CONT))
    }

    fn cut(&self) -> Result<()> {
        running(self).map(|running| running.mains.cut())
    }
}

fn running(plugin: &Supervisor) -> Result<Running> {
    plugin.running().ok_or_else(|| Error::failed_precondition(format!("{}: no process is running", plugin.name())))
}
