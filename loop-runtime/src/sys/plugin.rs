//! The plugin's ties to the process that started it.

use std::io;
use std::time::Duration;

use rustix::process::{Pid, getppid};

/// How often the parent is looked at where the system cannot report its end.
const POLL: Duration = Duration::from_millis(250);

/// The process that started this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Parent(Pid);

impl Parent {
    /// The present parent; `None` if it lives outside this process's namespace and cannot be watched.
    pub(crate) fn current() -> Option<Self> {
        getppid().map(Self)
    }

    /// Whether this process has been handed to another parent, as happens when its own ends.
    pub(crate) fn is_gone(self) -> bool {
        getppid() != Some(self.0)
    }

    /// Waits until the parent has ended. Must run in a tokio runtime with all drivers.
    pub(crate) async fn ended(self) {
        if self.ended_by_descriptor().await.is_err() {
            // An old kernel, a sandbox without the call, or no Linux.
            while !self.is_gone() {
                tokio::time::sleep(POLL).await;
            }
        }
    }

    #[cfg(target_os = "linux")]
    async fn ended_by_descriptor(self) -> io::Result<()> {
        use tokio::io::Interest;
        use tokio::io::unix::AsyncFd;

        let descriptor = rustix::process::pidfd_open(self.0, rustix::process::PidfdFlags::empty())?;
        // The number may have been used again between the fork and this call; then the parent is another by now.
        if !self.is_gone() {
            // SAFETY: an `OwnedFd` is an open descriptor, the same one until it is dropped; `AsyncFd` owns it.
            let watched = unsafe { AsyncFd::register_with_interest(descriptor, Interest::READABLE) }?;
            let _ = watched.readable().await?;
        }
        Ok(())
    }

    #[cfg(not(target_os = "linux"))]
    async fn ended_by_descriptor(self) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// Asks for a hangup signal when the parent ends, in place of whatever the parent itself had arranged, or clears that.
///
/// Linux sends the signal when the *thread* that forked ends, which in a Go host may happen at any time: whoever
/// receives it has to look at [`Parent::is_gone`].
#[cfg(target_os = "linux")]
pub(crate) fn hang_up_with_parent(on: bool) -> io::Result<()> {
    let signal = on.then_some(rustix::process::Signal::HUP);
    Ok(rustix::process::set_parent_process_death_signal(signal)?)
}

/// Other systems have no such signal; [`Parent::ended`] alone reports the end there.
#[cfg(not(target_os = "linux"))]
pub(crate) fn hang_up_with_parent(_: bool) -> io::Result<()> {
    Ok(())
}
