//! Operating system calls of the side that starts processes.

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, WaitIdStatus};

/// Bytes that the path of a Unix socket may have, without the terminating zero.
pub(crate) const SOCKET_PATH_MAX: usize = if cfg!(any(target_os = "linux", target_os = "android")) { 107 } else { 103 };

/// Sends `signal` to the process group led by `leader`, and to `leader`, should it have moved to another group.
/// A group that is gone is no error.
pub(crate) fn signal_group(leader: Pid, signal: Signal) {
    let _ = rustix::process::kill_process_group(leader, signal);
    let _ = rustix::process::kill_process(leader, signal);
}

/// Blocks until the child has ended, and leaves it unreaped: its process id stays taken.
pub(crate) fn wait_for_end(child: Pid) {
    while wait(child, WaitIdOptions::EXITED | WaitIdOptions::NOWAIT).is_err_and(|error| error == Errno::INTR) {}
}

/// Takes the exit status of a child that has ended, as (status, signal). Both are `None` if somebody else took it.
pub(crate) fn reap(child: Pid) -> (Option<i32>, Option<i32>) {
    loop {
        match wait(child, WaitIdOptions::EXITED) {
            Ok(Some(status)) => return (status.exit_status(), status.terminating_signal()),
            Err(Errno::INTR) => {}
            Ok(None) | Err(_) => return (None, None),
        }
    }
}

fn wait(child: Pid, options: WaitIdOptions) -> Result<Option<WaitIdStatus>, Errno> {
    rustix::process::waitid(WaitId::Pid(child), options)
}

/// When a process was started, in clock ticks since the system was; with the process id it names a process
/// uniquely. `None` where the system does not tell.
pub(crate) fn start_time(pid: u32) -> Option<u64> {
    if !cfg!(target_os = "linux") {
        return None;
    }
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the program's name in parentheses, which may itself hold spaces and parentheses.
    let after_name = &stat[stat.rfind(')')? + 1..];
    after_name.split_whitespace().nth(19)?.parse().ok()
}

/// Whether a process of this id exists. One that belongs to somebody else counts.
pub(crate) fn exists(pid: u32) -> bool {
    i32::try_from(pid)
        .ok()
        .and_then(Pid::from_raw)
        .is_some_and(|pid| rustix::process::test_kill_process(pid) != Err(Errno::SRCH))
}

#[cfg(test)]
#[path = "host_tests.rs"]
mod tests;
