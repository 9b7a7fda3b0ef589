//! The one thread that notices the ends of all plugins, and takes their exit statuses.
//!
//! It belongs to no runtime, so that processes are reaped also when the runtime that launched them has ended. It begins
//! with the first process, and stays: it sleeps in one `poll` over the descriptors of all processes, and without any it
//! costs a small stack and two descriptors. To end and begin it again would save nothing and could fail.
//!
//! It reaps the children that it was given, and of others those that came out of their groups. A library must not reap
//! more: the rest of the program waits for its own. So in a container in which the host is the first process, orphans
//! that have left the group of their plugin (a daemon, `setsid`) stay zombies; such a container needs an init, like
//! `docker run --init`.

use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::process::{Core, REAP};
use crate::sys::wake;

/// How often a process is polled whose end the system does not report.
const LOOK: Duration = Duration::from_millis(20);

/// It calls a handful of functions and no more.
const STACK: usize = 128 * 1024;

/// Its thread, once there is one.
pub(super) struct Reaper {
    inbox: Mutex<Option<Arc<Inbox>>>,
    begin: fn(Arc<Inbox>, OwnedFd) -> io::Result<()>,
}

/// How processes get to the thread.
pub(super) struct Inbox {
    wake: OwnedFd,
    arrivals: Mutex<Vec<Arc<Core>>>,
}

/// The one of this process.
pub(super) fn global() -> &'static Reaper {
    static REAPER: Reaper = Reaper::new(begin);
    &REAPER
}

/// Starts the thread.
pub(super) fn begin(inbox: Arc<Inbox>, woken: OwnedFd) -> io::Result<()> {
    let thread = thread::Builder::new().name("plugin-reaper".into()).stack_size(STACK);
    thread.spawn(move || Watch { inbox, woken, children: Vec::new(), groups: Vec::new() }.run()).map(drop)
}

impl Reaper {
    /// `begin` starts a thread that reads the inbox for ever.
    pub(super) const fn new(begin: fn(Arc<Inbox>, OwnedFd) -> io::Result<()>) -> Self {
        Self { inbox: Mutex::new(None), begin }
    }

    /// Reaps `child` when it has ended; it may have ended already.
    ///
    /// # Errors
    ///
    /// There is no thread, and none can be started. The next call tries again.
    pub(super) fn watch(&self, child: Arc<Core>) -> io::Result<()> {
        let mut inbox = self.inbox.lock().unwrap_or_else(PoisonError::into_inner);
        let inbox = match &*inbox {
            Some(inbox) => inbox,
            None => {
                let (woken, wake) = wake::pipe()?;
                let new = Arc::new(Inbox { wake, arrivals: Mutex::default() });
                (self.begin)(new.clone(), woken)?;
                inbox.insert(new)
            }
        };
        inbox.arrivals().push(child);
        // A full pipe wakes too.
        let _ = rustix::io::write(&inbox.wake, &[0]);
        Ok(())
    }
}

impl Inbox {
    fn arrivals(&self) -> MutexGuard<'_, Vec<Arc<Core>>> {
        self.arrivals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the thread knows.
struct Watch {
    inbox: Arc<Inbox>,
    woken: OwnedFd,
    children: Vec<Watched>,
    /// Those that are reaped, with something of their groups still to come, and until when that is waited for.
    groups: Vec<(Arc<Core>, Instant)>,
}

struct Watched {
    child: Arc<Core>,
    /// It must be polled: it has no descriptor, or one that reports nothing new.
    look: bool,
    /// It is to be looked at now.
    due: bool,
}

impl Watch {
    fn run(mut self) {
        loop {
            self.wait();
            let groups = &mut self.groups;
            self.children.retain_mut(|watched| {
                let settled = watched.due && watched.child.settle();
                if settled {
                    groups.push((watched.child.clone(), Instant::now() + REAP));
                }
                !settled
            });
            self.groups.retain(|(child, until)| child.process().reap_group() && Instant::now() < *until);
            let new = std::mem::take(&mut *self.inbox.arrivals());
            let watched =
                |child: Arc<Core>| Watched { look: child.process().descriptor().is_none(), due: false, child };
            self.children.extend(new.into_iter().map(watched));
        }
    }

    /// Waits until there is something to do, and notes which children are to be looked at.
    fn wait(&mut self) {
        let descriptors = self.children.iter().filter(|watched| !watched.look);
        let descriptors = descriptors.filter_map(|watched| watched.child.process().descriptor());
        let woken = std::iter::once(self.woken.as_fd());
        let mut all: Vec<_> =
            woken.chain(descriptors).map(|descriptor| PollFd::from_borrowed_fd(descriptor, PollFlags::IN)).collect();
        let look = !self.groups.is_empty() || self.children.iter().any(|watched| watched.look);
        let timeout = look.then(|| Timespec { tv_sec: 0, tv_nsec: i64::from(LOOK.subsec_nanos()) });
        let polled = poll(&mut all, timeout.as_ref());
        let ready: Vec<bool> = all.iter().skip(1).map(|one| !one.revents().is_empty()).collect();
        let mut ready = ready.into_iter();
        for watched in &mut self.children {
            let reported = !watched.look && ready.next().is_some_and(|ready| ready) && polled.is_ok();
            watched.due = reported || watched.look || polled.is_err();
            // If it is not reaped now, its descriptor would end every wait at once.
            watched.look |= reported;
        }
        if polled.is_err() {
            // A signal came, or the system is out of memory and may recover.
            thread::sleep(Duration::from_millis(1));
        }
        let mut bytes = [0; 64];
        while rustix::io::read(&self.woken, &mut bytes).is_ok_and(|read| read == bytes.len()) {}
    }
}
