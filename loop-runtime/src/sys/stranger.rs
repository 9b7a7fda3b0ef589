//! A process that somebody else started.

use std::io;
#[cfg(target_os = "linux")]
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Pid, Signal};

/// How often a process is looked at where the system cannot report its end.
const POLL: Duration = Duration::from_millis(250);

/// A process that is no child of this one. On Linux it is held by a descriptor, so that its id, once free, can go to
/// another process without harm; elsewhere, and with an old kernel, there is only the id.
#[derive(Debug)]
pub(crate) struct Stranger {
    pid: Pid,
    #[cfg(target_os = "linux")]
    descriptor: Option<OwnedFd>,
}

impl Stranger {
    /// Fails with [`io::ErrorKind::NotFound`] if there is no such process.
    pub(crate) fn new(pid: u32) -> io::Result<Self> {
        let none = || io::Error::new(io::ErrorKind::NotFound, "there is no such process");
        let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or_else(none)?;
        #[cfg(target_os = "linux")]
        match rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()) {
            Ok(descriptor) => return Ok(Self { pid, descriptor: Some(descriptor) }),
            Err(Errno::SRCH) => return Err(none()),
            // An old kernel, or a sandbox without the call.
            Err(_) => {}
        }
        if rustix::process::test_kill_process(pid) == Err(Errno::SRCH) {
            return Err(none());
        }
        Ok(Self {
            pid,
            #[cfg(target_os = "linux")]
            descriptor: None,
        })
    }

    /// Waits until the process has ended, reaped or not. Must run in a tokio runtime with all drivers.
    pub(crate) async fn ended(&self) {
        if self.ended_by_descriptor().await.is_err() {
            while rustix::process::test_kill_process(self.pid) != Err(Errno::SRCH) {
                tokio::time::sleep(POLL).await;
            }
        }
    }

    #[cfg(target_os = "linux")]
    async fn ended_by_descriptor(&self) -> io::Result<()> {
        use tokio::io::Interest;
        use tokio::io::unix::AsyncFd;

        let descriptor = self.descriptor.as_ref().ok_or(io::ErrorKind::Unsupported)?.try_clone()?;
        // SAFETY: an `OwnedFd` is an open descriptor, the same one until it is dropped; `AsyncFd` owns it.
        let watched = unsafe { AsyncFd::register_with_interest(descriptor, Interest::READABLE) }?;
        let _ = watched.readable().await?;
        Ok(())
    }

    #[cfg(not(target_os = "linux"))]
    async fn ended_by_descriptor(&self) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Sends it a signal. One that has ended gets none.
    pub(crate) fn signal(&self, signal: Signal) {
        #[cfg(target_os = "linux")]
        if let Some(descriptor) = &self.descriptor {
            let _ = rustix::process::pidfd_send_signal(descriptor, signal);
            return;
        }
        let _ = rustix::process::kill_process(self.pid, signal);
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[tokio::test]
    async fn its_end_is_seen_before_it_is_reaped_and_nobody_gets_its_signals() {
        let mut child = Command::new("/bin/sleep").arg("1000").spawn().unwrap();
        let stranger = Stranger::new(child.id()).unwrap();
        let waiting = tokio::time::timeout(Duration::from_millis(20), stranger.ended());
        assert!(waiting.await.is_err(), "it lives");
        stranger.signal(Signal::KILL);
        tokio::join!(stranger.ended(), stranger.ended());
        child.wait().unwrap();
        stranger.signal(Signal::KILL);
        stranger.ended().await;
        assert_eq!(Stranger::new(child.id()).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn what_is_no_process_id_is_not_found() {
        for pid in [0, u32::MAX] {
            assert_eq!(Stranger::new(pid).unwrap_err().kind(), io::ErrorKind::NotFound);
        }
    }
}
