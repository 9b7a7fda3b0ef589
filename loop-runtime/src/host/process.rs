//! A process that this host started: how it ends, and how it is ended.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tokio::sync::watch;

use super::reaper::Reaper;
use super::{Exit, registry};
use crate::sys::child::{ChildProcess, End};

/// How long a killed process may take to disappear before the host goes on without it.
pub(super) const REAP: Duration = Duration::from_secs(5);

/// A running or ended child process and the group it leads. Dropping it kills the group; the [reaper](Reaper) reaps.
#[derive(Debug)]
pub(super) struct Child(Arc<Core>);

/// What the owner, the reaper and the registry share.
#[derive(Debug)]
pub(super) struct Core {
    process: ChildProcess,
    /// Whether the process is still to be reaped. Held while a signal is sent, so that none goes to another process
    /// that got the same id.
    ours: Mutex<bool>,
    reaped: Condvar,
    exit: watch::Sender<Option<Exit>>,
}

impl Child {
    /// Watches for the end of `process` from now on, whatever happens to its pipes, to the tasks of the runtime, or to
    /// the runtime itself.
    ///
    /// # Errors
    ///
    /// The reaper cannot be started; the process is killed and reaped then.
    pub(super) fn adopt(process: ChildProcess) -> io::Result<Self> {
        Self::adopt_by(super::reaper::global(), process)
    }

    pub(super) fn adopt_by(reaper: &Reaper, process: ChildProcess) -> io::Result<Self> {
        let (ours, exit) = (Mutex::new(true), watch::Sender::new(None));
        let core = Arc::new(Core { process, ours, reaped: Condvar::new(), exit });
        match reaper.watch(core.clone()) {
            Ok(()) => Ok(Self(core)),
            Err(error) => {
                core.signal(Signal::KILL);
                let until = Instant::now() + REAP;
                while !core.settle() && Instant::now() < until {
                    std::thread::sleep(Duration::from_millis(1));
                }
                Err(error)
            }
        }
    }
}

impl Core {
    pub(super) fn process(&self) -> &ChildProcess {
        &self.process
    }

    /// If the process has ended: kills what is left of its group, reaps it, and publishes the end. Returns whether that
    /// is done.
    pub(super) fn settle(&self) -> bool {
        let mut ours = self.lock();
        if !*ours {
            return true;
        }
        if !self.process.has_ended() {
            return false;
        }
        // Until it is reaped, nobody else can have the id of the process, nor that of the group.
        self.process.signal(Signal::KILL);
        registry::remove(self);
        let exit = match self.process.reap() {
            End::Ended { status, signal } => Exit::new(status, signal),
            End::Unknown => Exit::new(None, None),
            // It has ended, so this is for the tracer to know first.
            End::NotYet => return false,
        };
        // Whoever sees either of the two sees the other.
        self.exit.send_replace(Some(exit));
        *ours = false;
        self.reaped.notify_all();
        true
    }

    fn lock(&self) -> MutexGuard<'_, bool> {
        self.ours.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn signal(&self, signal: Signal) {
        if *self.lock() {
            self.process.signal(signal);
        }
    }

    /// Blocks until the process is reaped, or `until`.
    pub(super) fn wait_until(&self, until: Instant) {
        let mut ours = self.lock();
        while *ours {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            ours = self.reaped.wait_timeout(ours, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    pub(super) fn pid(&self) -> u32 {
        self.process.pid()
    }
}

impl Child {
    pub(super) fn core(&self) -> &Arc<Core> {
        &self.0
    }

    pub(super) fn pid(&self) -> u32 {
        self.0.pid()
    }

    /// Sends a signal to the process and its group. Does nothing once the process is reaped.
    pub(super) fn signal(&self, signal: Signal) {
        self.0.signal(signal);
    }

    pub(super) fn kill(&self) {
        self.signal(Signal::KILL);
    }

    pub(super) fn watch(&self) -> watch::Receiver<Option<Exit>> {
        self.0.exit.subscribe()
    }

    /// Waits until the process has ended and is reaped.
    pub(super) async fn exited(&self) -> Exit {
        let mut exit = self.watch();
        match exit.wait_for(Option::is_some).await.map(|exit| *exit) {
            Ok(Some(exit)) => exit,
            // The sender is owned by `self`, so this is never reached.
            Ok(None) | Err(_) => std::future::pending().await,
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
    }
}

#[cfg(test)]
#[path = "process_tests.rs"]
mod tests;
