//! A process that somebody else started.

use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Pid, Signal};
use tokio::io::Interest;

use super::{os, socket};

/// How often a process is looked at where the system cannot report its end.
const POLL: Duration = Duration::from_millis(250);

/// A process that is no child of this one. On Linux it is held by a descriptor, so that its id, once free, can go to
/// another process without harm; elsewhere, and with an old kernel, there is only the id.
#[derive(Debug)]
pub(crate) struct Stranger {
    pid: Pid,
    descriptor: Option<OwnedFd>,
}

impl Stranger {
    /// Fails with [`io::ErrorKind::NotFound`] if there is no such process.
    pub(crate) fn new(pid: u32) -> io::Result<Self> {
        let none = || io::Error::new(io::ErrorKind::NotFound, "there is no such process");
        let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or_else(none)?;
        match os::hold(pid) {
            Ok(descriptor) => Ok(Self { pid, descriptor }),
            Err(_) => Err(none()),
        }
    }

    /// Waits until the process has ended, reaped or not. Must run in a tokio runtime with all drivers.
    pub(crate) async fn ended(&self) {
        if self.ended_by_descriptor().await.is_err() {
            while rustix::process::test_kill_process(self.pid) != Err(Errno::SRCH) {
                tokio::time::sleep(POLL).await;
            }
        }
    }

    async fn ended_by_descriptor(&self) -> io::Result<()> {
        let descriptor = self.descriptor.as_ref().ok_or(io::ErrorKind::Unsupported)?.try_clone()?;
        let watched = socket::watch(descriptor, Interest::READABLE)?;
        let _ = watched.readable().await?;
        Ok(())
    }

    /// Sends it a signal. One that has ended gets none, as long as its id is not used again or a descriptor holds it.
    pub(crate) fn signal(&self, signal: Signal) {
        if !self.descriptor.as_ref().is_some_and(|held| os::signal_process(held.as_fd(), signal)) {
            let _ = rustix::process::kill_process(self.pid, signal);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[tokio::test]
    #[cfg_attr(any(loop_portable, not(target_os = "linux")), ignore = "by its number it is there until it is reaped")]
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

    #[tokio::test]
    async fn its_end_is_seen_when_it_is_reaped() {
        let mut child = Command::new("/bin/sleep").arg("1000").spawn().unwrap();
        let stranger = Stranger::new(child.id()).unwrap();
        stranger.signal(Signal::KILL);
        let reaping = tokio::task::spawn_blocking(move || child.wait());
        stranger.ended().await;
        reaping.await.unwrap().unwrap();
    }

    #[test]
    fn what_is_no_process_id_is_not_found() {
        for pid in [0, u32::MAX] {
            assert_eq!(Stranger::new(pid).unwrap_err().kind(), io::ErrorKind::NotFound);
        }
    }
}
