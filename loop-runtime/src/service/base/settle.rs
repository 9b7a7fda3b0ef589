//! How long parts of one event may lie apart.
//!
//! When a process dies its connections, its announcements and its exit are noticed by different tasks, one after the other.
//! Who sees the first waits this long for the others before it draws conclusions. None of these is a limit of a peer's: they
//! pass only when there is nothing to wait for.

use std::time::Duration;

/// From what the task of a call knows of its connection to what the connection's driver does; and from the end of a link to
/// the arrival of an answer that had come before it.
pub(crate) const LINK: Duration = Duration::from_millis(50);

/// From the end of the first connection to a dying process to that of the last.
pub(crate) const CONNECTIONS: Duration = Duration::from_millis(20);

/// From the loss of a connection to the end of its session, if the peer is gone.
pub(crate) const SESSION: Duration = Duration::from_millis(50);

/// The rest of an end of which one part is known: the end of the session after that of its broker, the reaping of the
/// process after the end of the session.
pub(crate) const END: Duration = Duration::from_millis(300);

/// By how much a constructor call may pass the deadline of its caller, to say whether it was sent.
pub(crate) const CONSTRUCTOR: Duration = Duration::from_millis(20);
