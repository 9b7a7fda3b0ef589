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
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe::Receiver;

use super::ring::{Channel, Ring};

/// A captured stdout.
pub(crate) struct Capture {
    real: File,
    ring: Arc<Ring>,
}

impl Capture {
    /// Replaces descriptor 1 by a pipe. Until [`Drain::run`] runs, what is printed stays in the pipe.
    pub(crate) fn start() -> io::Result<(Self, Drain)> {
        let real = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdout(), 3)?;
        let (reader, writer) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
        let ring = Arc::new(Ring::default());
        super::stderr::attach(&ring);
        // What the standard library still buffers was printed before: it belongs to the capture as well, because
        // nothing may come before the handshake line.
        rustix::stdio::dup2_stdout(&writer)?;
        io::stdout().flush()?;
        let drain = Drain { reader, ring: ring.clone() };
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
}

impl Drain {
    /// Moves what is printed to the ring, until nobody can print any more.
    ///
    /// Not for the application's runtime: a handler that prints more than a pipe holds blocks its thread, and nobody
    /// would be left to read.
    pub(crate) async fn run(self) {
        match Receiver::from_owned_fd(self.reader) {
            Ok(mut pipe) => {
                // Of this only as much becomes memory as is ever read at once: most plugins print nothing.
                let mut buffer = Vec::with_capacity(64 * 1024);
                while let Ok(1..) = pipe.read_buf(&mut buffer).await {
                    self.ring.push(Channel::Stdout, &buffer);
                    buffer.clear();
                }
            }
            Err(error) => tracing::warn!(%error, "what is printed is lost"),
        }
        self.ring.close();
    }
}
