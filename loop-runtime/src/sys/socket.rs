//! What a socket needs that is registered for less than tokio's own are.

use std::io;
use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::net::RecvFlags;
use tokio::io::unix::AsyncFd;
use tokio::io::{Interest, ReadBuf};

/// Reports when `descriptor` is ready for `interest`. Must be called inside a tokio runtime.
pub(crate) fn watch(descriptor: OwnedFd, interest: Interest) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an `OwnedFd` is an open descriptor, the same one until it is dropped; `AsyncFd` owns it.
    Ok(unsafe { AsyncFd::register_with_interest(descriptor, interest) }?)
}

/// Receives into the unfilled part of `into`, and says how much.
pub(crate) fn receive(socket: &OwnedFd, into: &mut ReadBuf<'_>) -> Result<usize, Errno> {
    // SAFETY: nothing is written here but by the system, which writes bytes; none of them becomes undefined.
    let unfilled = unsafe { into.unfilled_mut() };
    let ((received, _), _) = rustix::net::recv(socket, unfilled, RecvFlags::DONTWAIT)?;
    let received = received.len();
    // SAFETY: the system has just written these bytes.
    unsafe { into.assume_init(received) };
    into.advance(received);
    Ok(received)
}
