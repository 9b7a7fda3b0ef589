//! Descriptor 1 after the handshake.
//!
//! A host reads one line from a plugin's stdout and then only drains it, with a limit on the length of a line that a
//! Go host does not survive. So the plugin's descriptor 1 is replaced by a pipe of its own *before* the handshake
//! line is written: whatever `println!`, C code or a child process prints goes to the host's stdio subscription
//! ([`stream`](super::stream)), or nowhere, but never in front of the line.
//!
//! The original descriptor is kept, closed on exec: to a host, the end of stdout means the end of the plugin.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use rustix::buffer::spare_capacity;

use super::ring::{Channel, Ring};

/// A captured stdout.
pub(crate) struct Capture {
    real: File,
    ring: Arc<Ring>,
}

impl Capture {
    /// Replaces descriptor 1 by a pipe. Until [`Drain::take`] is called, what is printed stays in the pipe.
    pub(crate) fn start() -> io::Result<(Self, Drain)> {
        let real = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdout(), 3)?;
        let (reader, writer) = io::pipe()?;
        let ring = Arc::new(Ring::default());
        super::stderr::attach(&ring);
        // What the standard library still buffers was printed before: it belongs to the capture as well, because
        // nothing may come before the handshake line.
        rustix::stdio::dup2_stdout(&writer)?;
        io::stdout().flush()?;
        let drain = Drain { reader: reader.into(), ring: ring.clone(), buffer: Vec::new() };
        Ok((Self { real: real.into(), ring }, drain))
    }

    /// The captured bytes.
    pub(crate) fn ring(&self) -> &Arc<Ring> {
        &self.ring
    }

    /// Writes to the stdout that the host reads.
    pub(crate) fn write_real(&self, bytes: &[u8]) -> io::Result<()> {
        (&self.real).write_all(bytes)
    }

    /// Ends the capture: prints go nowhere from now on, what is in the pipe moves to the ring and the ring closes,
    /// after `within` at the latest (a child process may hold the pipe open).
    pub(crate) async fn finish(&self, within: Duration) {
        // Errors here leave prints in the capture, which then closes by time.
        let _ = io::stdout().flush();
        if let Ok(null) = File::options().write(true).open("/dev/null") {
            let _ = rustix::stdio::dup2_stdout(&null);
        }
        let _ = tokio::time::timeout(within, self.ring.closed()).await;
        self.ring.close();
        let dropped = self.ring.dropped();
        if dropped > 0 {
            tracing::warn!(dropped, "bytes on stdout were dropped because the host did not read them");
        }
    }
}

/// The other end of the pipe.
pub(crate) struct Drain {
    reader: OwnedFd,
    ring: Arc<Ring>,
    buffer: Vec<u8>,
}

impl Drain {
    /// Moves to the ring what the pipe holds, and waits for something if that is nothing; `false` once nobody can print
    /// any more, when the ring is closed.
    ///
    /// Not for the application's runtime: a handler that prints more than a pipe holds blocks its thread, and nobody
    /// would be left to read.
    pub(crate) fn take(&mut self) -> bool {
        // Most plugins print nothing: no memory before there is something.
        self.buffer.reserve(64 * 1024);
        let read = rustix::io::retry_on_intr(|| rustix::io::read(&self.reader, spare_capacity(&mut self.buffer)));
        match read {
            Ok(1..) => {
                self.ring.push(Channel::Stdout, &self.buffer);
                self.buffer.clear();
                true
            }
            Ok(0) | Err(_) => {
                self.ring.close();
                false
            }
        }
    }
}

impl AsFd for Drain {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.reader.as_fd()
    }
}
