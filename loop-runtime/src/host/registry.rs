//! All processes that this host has started and not yet reaped.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Instant;

use rustix::process::Signal;

use super::process::{Core, REAP};

static MANAGED: Mutex<Managed> = Mutex::new(Managed { processes: BTreeMap::new(), ending: false });

struct Managed {
    processes: BTreeMap<u32, Weak<Core>>,
    ending: bool,
}

/// Kills every plugin process of this host with SIGKILL, each with its process group, and waits until they are gone,
/// at most 5 seconds in all. From then on no plugin can be started.
///
/// Dropping the handles of a plugin ends its process, and when the main function returns, ending the runtime drops
/// them. This is for the ways out on which no destructor runs, before [`std::process::exit`] or in a panic hook
/// of a program that aborts. It blocks, and needs no runtime.
///
/// Nothing can be called when the host itself is killed with SIGKILL. On Linux the system then kills the
/// plugins, unless that was switched off; and plugins made with this crate end by themselves on every system.
pub fn kill_all() {
    let processes: Vec<Arc<Core>> = {
        let mut managed = lock();
        managed.ending = true;
        managed.processes.values().filter_map(Weak::upgrade).collect()
    };
    processes.iter().for_each(|process| process.signal(Signal::KILL));
    let until = Instant::now() + REAP;
    processes.iter().for_each(|process| process.wait_until(until));
}

/// Whether [`kill_all`] was called.
pub(super) fn is_ending() -> bool {
    lock().ending
}

/// Registers a new process. `false` if the host is ending, and the process must not live.
pub(super) fn add(core: &Arc<Core>) -> bool {
    let mut managed = lock();
    // A process this short-lived may have removed itself already; then it does no harm as a dead entry.
    managed.processes.retain(|_, process| process.strong_count() > 0);
    managed.processes.insert(core.pid(), Arc::downgrade(core));
    !managed.ending
}

/// Removes a process that is about to be reaped. Another may have its id by now, if the system has reaped it already.
pub(super) fn remove(core: &Core) {
    let mut managed = lock();
    if managed.processes.get(&core.pid()).is_some_and(|process| std::ptr::eq(process.as_ptr(), core)) {
        managed.processes.remove(&core.pid());
    }
}

fn lock() -> MutexGuard<'static, Managed> {
    MANAGED.lock().unwrap_or_else(PoisonError::into_inner)
}
