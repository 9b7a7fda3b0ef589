//! How long to wait for the other parts of one event.
//!
//! When a process dies its connections, its announcements and its exit are noticed by different tasks, one after the other.
//! Whoever sees the first waits this long for the others before drawing conclusions. None of these limits a peer: they
//! elapse only when there is nothing to wait for.

use std::time::Duration;

/// From when a call's task sees the end of its connection until the connection's driver does; and from the end of a
/// link until a reply received before it is delivered.
pub(crate) const LINK: Duration = Duration::from_millis(50);

/// From the end of the first connection to a dying process to that of the last.
pub(crate) const CONNECTIONS: Duration = Duration::from_millis(20);

/// From the loss of a connection to the end of its session, if the peer is gone.
pub(crate) const SESSION: Duration = Duration::from_millis(50);

/// From one part of an end to the rest: from the end of the broker to that of the session, from the end of the session
/// to the reaping of the process.
pub(crate) const END: Duration = Duration::from_millis(300);

/// By how much a constructor call may exceed its caller's deadline, to report whether it was sent.
pub(crate) const CONSTRUCTOR: Duration = Duration::from_millis(20);
