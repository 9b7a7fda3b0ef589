//! A process that this host started: its end, and how to bring that about.
//!
//! Every child has a thread of its own that waits for it. That costs a small stack per plugin, and in return the
//! end of a process is noticed and its status taken whatever happens to its pipes, to the tasks of the runtime, or
//! to the runtime itself.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};
use tokio::sync::watch;

use super::{Exit, registry};
use crate::sys;

/// How long a killed process may take to disappear before the host goes on without it.
pub(super) const REAP: Duration = Duration::from_secs(5);

/// The waiting thread calls two functions and no more.
const WAITER_STACK: usize = 128 * 1024;

/// A running or ended child process and the group it leads. Dropping it kills the group; the waiting thread reaps.
#[derive(Debug)]
pub(super) struct Child(Arc<Core>);

/// What the owner, the waiting thread and the registry share.
#[derive(Debug)]
pub(super) struct Core {
    pid: Pid,
    /// Whether the process id still is that of our child. Held while a signal is sent, so that none goes to a
    /// stranger that got the same id.
    ours: Mutex<bool>,
    reaped: Condvar,
    exit: watch::Sender<Option<Exit>>,
}

impl Child {
    /// Begins to wait for the child `pid`, which must lead a process group of its own.
    ///
    /// # Errors
    ///
    /// There is no thread for it; the child is killed and reaped then.
    pub(super) fn adopt(pid: Pid) -> io::Result<Self> {
        let core =
            Arc::new(Core { pid, ours: Mutex::new(true), reaped: Condvar::new(), exit: watch::Sender::new(None) });
        let waited = Arc::clone(&core);
        let waiter = thread::Builder::new().name("plugin-waiter".into()).stack_size(WAITER_STACK);
        match waiter.spawn(move || waited.wait()) {
            Ok(_) => Ok(Self(core)),
            Err(error) => {
                sys::host::signal_group(pid, Signal::KILL);
                sys::host::reap(pid);
                Err(error)
            }
        }
    }
}

impl Core {
    /// Waits for the end of the process, takes what is left of its group with it, and makes the end known.
    fn wait(&self) {
        sys::host::wait_for_end(self.pid);
        let mut ours = self.lock();
        // Until it is reaped, nobody else can have the id of the process, nor that of the group.
        sys::host::signal_group(self.pid, Signal::KILL);
        registry::remove(self.pid());
        let (status, signal) = sys::host::reap(self.pid);
        *ours = false;
        drop(ours);
        self.reaped.notify_all();
        self.exit.send_replace(Some(Exit::new(status, signal)));
    }

    fn lock(&self) -> MutexGuard<'_, bool> {
        self.ours.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn signal(&self, signal: Signal) {
        if *self.lock() {
            sys::host::signal_group(self.pid, signal);
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
        self.pid.as_raw_nonzero().get().unsigned_abs()
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
