//! Operating system calls of the side that starts processes.

use rustix::io::Errno;
use rustix::process::Pid;

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
