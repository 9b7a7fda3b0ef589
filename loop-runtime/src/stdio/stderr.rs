//! The stderr channel of the host's stdio subscription.
//!
//! Descriptor 2 itself is the log channel: what is written there is logged by the host. A Go program's `os.Stderr` is
//! not that descriptor any more once it serves, but this channel, and so hosts in Go have a use for it.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use super::ring::{Channel, Ring};
use crate::sync::locked;

static CURRENT: Mutex<Option<Arc<Ring>>> = Mutex::new(None);

/// Makes `ring` what [`sync_stderr`] writes to.
pub(crate) fn attach(ring: &Arc<Ring>) {
    *locked(&CURRENT) = Some(ring.clone());
}

/// A writer to the stderr channel of the host's stdio subscription (`SyncStderr` in go-plugin). See [`sync_stderr`].
#[derive(Clone, Copy, Debug, Default)]
pub struct SyncStderr(());

/// A writer whose bytes reach the host's `SyncStderr` as they are, as what a Go plugin writes to `os.Stderr` does.
///
/// `eprintln!` is for the host's log instead. Like what is printed on stdout, the bytes wait in a bounded buffer for
/// a host that asks, and the oldest go if none does. Outside a plugin that serves they are dropped. A write never
/// fails; it may wait for half a second when a host reads slower than the plugin writes.
pub fn sync_stderr() -> SyncStderr {
    SyncStderr(())
}

impl Write for SyncStderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let ring = locked(&CURRENT).clone();
        if let Some(ring) = ring {
            ring.push(Channel::Stderr, bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
