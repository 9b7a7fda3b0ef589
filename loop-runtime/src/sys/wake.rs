//! A pipe that wakes a thread.

use std::io;
use std::os::fd::OwnedFd;

/// The reading and the writing end, neither of which ever blocks or is inherited by a program.
pub(crate) fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let (reader, writer) = io::pipe()?;
    rustix::io::ioctl_fionbio(&reader, true)?;
    rustix::io::ioctl_fionbio(&writer, true)?;
    Ok((reader.into(), writer.into()))
}
