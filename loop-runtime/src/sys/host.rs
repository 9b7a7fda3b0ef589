//! Operating system calls of the side that starts processes.

use rustix::io::Errno;
use rustix::process::Pid;

/// Bytes that the path of a Unix socket may have, without the terminating zero.
pub(crate) const SOCKET_PATH_MAX: usize = if cfg!(any(target_os = "linux", target_os = "android")) { 107 } else { 103 };

/// Has `command` started with SIGCHLD at its default, whatever this process does with it: a program that ignores it, by
/// inheritance, cannot wait for children of its own. On Linux that belongs to [`spawn`](super::spawn).
#[cfg(not(target_os = "linux"))]
pub(crate) fn heed_children(command: &mut std::process::Command) {
    use std::os::unix::process::CommandExt as _;

    let reset = || {
        // SAFETY: the default action needs no code of this process's.
        unsafe { libc::signal(libc::SIGCHLD, libc::SIG_DFL) };
        Ok(())
    };
    // SAFETY: between fork and exec it makes one system call, which may be made there.
    unsafe { command.pre_exec(reset) };
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
