//! What any Unix offers. The module `linux` has the same items.

mod spawn;

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
#[cfg(feature = "sha256")]
use std::path::PathBuf;

use rustix::io::Errno;
use rustix::process::{Pid, Signal};

#[cfg(feature = "metrics-endpoint")]
use super::usage::Usage;
pub(crate) use spawn::Program;

/// Bytes that the path of a Unix socket may have, without the terminating zero. The least of the systems that run this: macOS
/// and the BSDs have 104 bytes with the zero.
pub(crate) const SOCKET_PATH_MAX: usize = 103;

/// A process is held by its number here; there is no descriptor of it. Fails with [`Errno::SRCH`] if there is no such process.
pub(crate) fn hold(pid: Pid) -> Result<Option<OwnedFd>, Errno> {
    match rustix::process::test_kill_process(pid) {
        Err(Errno::SRCH) => Err(Errno::SRCH),
        Ok(()) | Err(_) => Ok(None),
    }
}

/// Whether a signal was sent by a descriptor: there is none.
pub(crate) fn signal_process(_: BorrowedFd<'_>, _: Signal) -> bool {
    false
}

/// As [`signal_process`].
pub(crate) fn signal_group(_: BorrowedFd<'_>, _: Signal) -> bool {
    false
}

/// There is no such signal; [`Parent`](super::plugin::Parent) alone reports the end.
pub(crate) fn hang_up_with_parent(_: bool) -> io::Result<()> {
    Ok(())
}

/// When a process was started: nothing tells.
pub(crate) fn start_time(_: u32) -> Option<u64> {
    None
}

/// Leaves the files of a directory to whoever removes it, since to read it takes one more descriptor.
pub(crate) fn empty(_: &OwnedFd) {}

/// Sockets have files here, and no other names.
pub(crate) fn abstract_path(_: &str) -> Option<String> {
    None
}

/// Only a path can be executed, not an open file.
#[cfg(feature = "sha256")]
pub(crate) fn path_of_open(_: &OwnedFd) -> Result<PathBuf, &'static str> {
    Err("this system cannot execute an open file, only a path")
}

/// Nothing tells.
#[cfg(feature = "metrics-endpoint")]
pub(crate) fn usage() -> io::Result<Usage> {
    Err(io::ErrorKind::Unsupported.into())
}
