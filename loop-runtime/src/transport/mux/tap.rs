//! Between yamux and its socket: observes what the crate does not report.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, BufStream, ReadBuf};

/// In each direction. A frame of the crate, 16 KiB with its header, leaves in one write.
const BUFFER: usize = 32 * 1024;

/// What was observed.
#[derive(Debug, Default)]
pub(super) struct Signs {
    /// A ping was sent, and nothing was received since.
    unanswered: AtomicBool,
    /// The crate has sent a GOAWAY for a protocol error of the peer. It would go on nevertheless.
    offended: AtomicBool,
}

impl Signs {
    pub(super) fn unanswered(&self) -> bool {
        self.unanswered.load(Ordering::Relaxed)
    }

    pub(super) fn offended(&self) -> bool {
        self.offended.load(Ordering::Relaxed)
    }
}

/// A socket, buffered.
pub(super) struct Tap<IO> {
    io: BufStream<IO>,
    signs: Arc<Signs>,
    frames: Frames,
}

impl<IO: AsyncRead + AsyncWrite> Tap<IO> {
    pub(super) fn new(io: IO, signs: Arc<Signs>) -> Self {
        Self { io: BufStream::with_capacity(BUFFER, BUFFER, io), signs, frames: Frames::default() }
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> AsyncRead for Tap<IO> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.io).poll_read(cx, buf))?;
        if buf.filled().len() > before {
            self.signs.unanswered.store(false, Ordering::Relaxed);
        }
        Poll::Ready(Ok(()))
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Tap<IO> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.io).poll_write(cx, buf))?;
        let Self { frames, signs, .. } = &mut *self;
        frames.written(&buf[..written], signs);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

/// The bytes of our own frames, as they are written.
#[derive(Default)]
struct Frames {
    header: [u8; 12],
    have: usize,
    body: usize,
}

impl Frames {
    fn written(&mut self, mut bytes: &[u8], signs: &Signs) {
        const DATA: u8 = 0;
        const PING: u8 = 2;
        const GO_AWAY: u8 = 3;
        /// A bit of the lower byte of the flags.
        const SYN: u8 = 1;
        while !bytes.is_empty() {
            let body = self.body.min(bytes.len());
            self.body -= body;
            bytes = &bytes[body..];
            let header = (self.header.len() - self.have).min(bytes.len());
            self.header[self.have..][..header].copy_from_slice(&bytes[..header]);
            self.have += header;
            bytes = &bytes[header..];
            if self.have < self.header.len() {
                return;
            }
            self.have = 0;
            match self.header {
                [_, DATA, .., a, b, c, d] => self.body = u32::from_be_bytes([a, b, c, d]) as usize,
                [_, PING, _, flags, ..] if flags & SYN != 0 => signs.unanswered.store(true, Ordering::Relaxed),
                [_, GO_AWAY, ..] => signs.offended.store(true, Ordering::Relaxed),
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn header(kind: u8, flags: u8, length: u32) -> Vec<u8> {
        [&[0, kind, 0, flags, 0, 0, 0, 1], &length.to_be_bytes()[..]].concat()
    }

    proptest! {
        /// However the bytes are cut up, data is not taken for a header, nor a header for data.
        #[test]
        fn frames_are_told_apart(bodies in proptest::collection::vec(0..40_u32, 0..8), last in 0..3_u8, cut in 1..30_usize) {
            let mut bytes = Vec::new();
            for length in bodies {
                bytes.extend(header(0, 0, length));
                // Looks like a GOAWAY, or a ping, wherever reading begins.
                bytes.extend([0, 3, 0, 1].iter().cycle().take(length as usize));
                bytes.extend(header(1, 0, 77));
                bytes.extend(header(2, 2, 5));
            }
            match last {
                1 => bytes.extend(header(2, 1, 9)),
                2 => bytes.extend(header(3, 0, 1)),
                _ => {}
            }
            let (signs, mut frames) = (Signs::default(), Frames::default());
            for piece in bytes.chunks(cut) {
                frames.written(piece, &signs);
            }
            prop_assert_eq!((signs.unanswered(), signs.offended()), (last == 1, last == 2));
        }
    }
}
