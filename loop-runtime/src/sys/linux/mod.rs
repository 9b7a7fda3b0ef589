//! What Linux offers. The module `portable` has the same items.

mod program;
mod spawn;
#[cfg(feature = "metrics-endpoint")]
mod usage;

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd as _, BorrowedFd, OwnedFd};
#[cfg(feature = "sha256")]
use std::path::PathBuf;

use rustix::fs::{AtFlags, RawDir};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal};

pub(crate) use program::Program;
#[cfg(feature = "metrics-endpoint")]
pub(crate) use usage::usage;

/// Bytes that the path of a Unix socket may have, without the terminating zero.
pub(crate) const SOCKET_PATH_MAX: usize = 107;

/// A descriptor that can be read once the process has ended, and that signals can be sent by. `None` with a kernel or
/// sandbox that has none; fails with [`Errno::SRCH`] if there is no such process.
pub(crate) fn hold(pid: Pid) -> Result<Option<OwnedFd>, Errno> {
    match rustix::process::pidfd_open(pid, PidfdFlags::empty()) {
        Ok(descriptor) => Ok(Some(descriptor)),
        Err(_) if rustix::process::test_kill_process(pid) == Err(Errno::SRCH) => Err(Errno::SRCH),
        Err(_) => Ok(None),
    }
}

/// Sends a signal to the process that a descriptor holds; one that has ended gets none. Whether the system can do that.
pub(crate) fn signal_process(descriptor: BorrowedFd<'_>, signal: Signal) -> bool {
    let _ = rustix::process::pidfd_send_signal(descriptor, signal);
    true
}

/// The same for the group of the process. Linux can since 6.9, also after the process has been reaped.
pub(crate) fn signal_group(descriptor: BorrowedFd<'_>, signal: Signal) -> bool {
    const PIDFD_SIGNAL_PROCESS_GROUP: libc::c_uint = 1 << 2;
    let information: *const libc::siginfo_t = std::ptr::null();
    // SAFETY: the descriptor is open, and the call reads nothing: there is no further information.
    let sent = unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            descriptor.as_raw_fd(),
            signal.as_raw(),
            information,
            PIDFD_SIGNAL_PROCESS_GROUP,
        )
    };
    // Besides "no such flag" and "no such call" there is "no such group", which is an answer.
    sent == 0 || io::Error::last_os_error().raw_os_error() == Some(libc::ESRCH)
}

/// Asks for a hangup signal when the parent ends, in place of whatever the parent itself had arranged, or clears that.
///
/// Linux sends the signal when the *thread* that forked ends, which in a Go host may happen at any time: whoever
/// receives it has to look at [`Parent::is_gone`](super::plugin::Parent::is_gone).
pub(crate) fn hang_up_with_parent(on: bool) -> io::Result<()> {
    let signal = on.then_some(Signal::HUP);
    Ok(rustix::process::set_parent_process_death_signal(signal)?)
}

/// When a process was started, in clock ticks since the system was; with the process id it names a process
/// uniquely. `None` if there is no such process, or no `/proc`.
pub(crate) fn start_time(pid: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the program's name in parentheses, which may itself hold spaces and parentheses.
    let after_name = &stat[stat.rfind(')')? + 1..];
    after_name.split_whitespace().nth(19)?.parse().ok()
}

/// Removes the sockets and other files in a directory, but no directories, without opening anything: a process that has
/// run out of descriptors still cleans up.
pub(crate) fn empty(dir: &OwnedFd) {
    let mut buffer = [MaybeUninit::uninit(); 1024];
    let mut entries = RawDir::new(dir, &mut buffer);
    while let Some(Ok(entry)) = entries.next() {
        // What is left then keeps the directory from being removed, which is told.
        let _ = rustix::fs::unlinkat(dir, entry.file_name(), AtFlags::empty());
    }
}

/// The path by which the standard library and tokio reach a socket that has a name in place of a file.
pub(crate) fn abstract_path(name: &str) -> Option<String> {
    Some(format!("\0{name}"))
}

/// The path by which this process, and a child of it, executes an open file.
#[cfg(feature = "sha256")]
pub(crate) fn path_of_open(file: &OwnedFd) -> Result<PathBuf, &'static str> {
    let path = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
    if path.exists() { Ok(path) } else { Err("/proc is not there, by which an open file is executed") }
}
