//! A child process of this one: its signals, its end and its exit status.
//!
//! The id of a process that has ended stays taken until its parent has reaped it. So long as only the owner of a
//! [`ChildProcess`] reaps, its id cannot come to mean another process. One thing reaps behind everybody's back: a program
//! that ignores SIGCHLD. On Linux a child is held by a descriptor besides, which knows it for good.

use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, WaitIdStatus};

use super::os;

/// A child process that leads a process group of its own.
#[derive(Debug)]
pub(crate) struct ChildProcess {
    pid: Pid,
    /// `None` where the system has none: elsewhere than on Linux, and there before 5.2.
    descriptor: Option<OwnedFd>,
}

/// What has become of a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It runs, or somebody who traces it has to be told of its end first.
    NotYet,
    /// It has ended, by itself with a status, or by a signal.
    Ended { status: Option<i32>, signal: Option<i32> },
    /// It has ended, and its status was taken by somebody else, or by nobody: this program ignores SIGCHLD.
    Unknown,
}

impl ChildProcess {
    pub(crate) fn new(pid: Pid, descriptor: Option<OwnedFd>) -> Self {
        Self { pid, descriptor }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid.as_raw_nonzero().get().unsigned_abs()
    }

    /// Can be read once the process has ended. `None`: it has to be looked at from time to time.
    pub(crate) fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.descriptor.as_ref().map(|descriptor| descriptor.as_fd())
    }

    /// Sends `signal` to the process, which may have moved to another group, and to what is left of its group. Nothing
    /// is sent to a process, or group, that has got its id since. Must not be called after [`reap`](Self::reap).
    pub(crate) fn signal(&self, signal: Signal) {
        let held = self.descriptor();
        if !held.is_some_and(|held| os::signal_group(held, signal)) {
            self.signal_group(signal);
        }
        if !held.is_some_and(|held| os::signal_process(held, signal)) && self.is_ours() {
            let _ = rustix::process::kill_process(self.pid, signal);
        }
    }

    /// By the number, which is looked at first: if the process was reaped by the system it may be a stranger's.
    fn signal_group(&self, signal: Signal) {
        if self.is_ours() {
            let _ = rustix::process::kill_process_group(self.pid, signal);
        }
    }

    fn is_ours(&self) -> bool {
        self.wait(WaitIdOptions::NOWAIT) != End::Unknown
    }

    /// Whether the process has ended; it stays unreaped, and its id taken.
    pub(crate) fn has_ended(&self) -> bool {
        self.wait(WaitIdOptions::NOWAIT) != End::NotYet
    }

    /// Takes the exit status, if the process has ended. Does not wait.
    pub(crate) fn reap(&self) -> End {
        self.wait(WaitIdOptions::empty())
    }

    fn wait(&self, options: WaitIdOptions) -> End {
        match wait(WaitId::Pid(self.pid), options) {
            Ok(Some(status)) => End::Ended { status: status.exit_status(), signal: status.terminating_signal() },
            Ok(None) => End::NotYet,
            Err(_) => End::Unknown,
        }
    }

    /// Reaps what has ended of the group that the process led, once it is reaped itself. These were its descendants, and
    /// became children of this process because that adopts orphans: it is the first of a container, or a subreaper.
    /// Whether there are more, which have not ended yet.
    ///
    /// Children that are not of this group are never touched: somebody waits for them.
    pub(crate) fn reap_group(&self) -> bool {
        loop {
            match wait(WaitId::Pgid(Some(self.pid)), WaitIdOptions::empty()) {
                Ok(Some(_)) => {}
                Ok(None) => return true,
                Err(_) => return false,
            }
        }
    }
}

fn wait(who: WaitId<'_>, options: WaitIdOptions) -> Result<Option<WaitIdStatus>, Errno> {
    let options = options | WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
    rustix::io::retry_on_intr(|| rustix::process::waitid(who.clone(), options))
}

/// Blocks until the child has ended, and leaves it unreaped.
#[cfg(test)]
pub(crate) fn wait_for_end(child: &ChildProcess) {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    while rustix::process::waitid(WaitId::Pid(child.pid), options).is_err_and(|error| error == Errno::INTR) {}
}

#[cfg(test)]
#[path = "child_tests.rs"]
mod tests;
