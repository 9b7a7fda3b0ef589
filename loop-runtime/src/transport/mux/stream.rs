//! One stream of a session.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::oneshot;
use tokio_util::compat::{Compat, FuturesAsyncReadCompatExt as _};

/// Equivalent to a socket. Dropping it resets the stream unless it was shut down; it ends with the session.
pub(crate) struct MuxStream {
    stream: Compat<yamux::Stream>,
    answered: Option<oneshot::Sender<()>>,
    _counted: Counted,
}

impl MuxStream {
    pub(super) fn new(stream: yamux::Stream, counted: Counted) -> Self {
        Self { stream: stream.compat(), answered: None, _counted: counted }
    }

    /// Announces the stream to the peer: one that this side opened, or accepted.
    pub(crate) fn announce(&mut self) {
        // The queue of a new stream has room, so this neither waits nor fails; it is harmless if it does.
        let mut context = Context::from_waker(Waker::noop());
        let _ = Pin::new(&mut self.stream).poll_write(&mut context, &[]);
    }

    /// Resolves when the peer's first bytes are read, or the stream is dropped. For the side that opened it; once.
    pub(crate) fn answered(&mut self) -> oneshot::Receiver<()> {
        let (send, receive) = oneshot::channel();
        self.answered = Some(send);
        receive
    }
}

impl fmt::Debug for MuxStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.stream.get_ref().fmt(f)
    }
}

impl AsyncRead for MuxStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        if read.is_ready() {
            self.answered = None;
        }
        read
    }
}

impl AsyncWrite for MuxStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Counts one live stream of a session, for as long as it exists.
pub(super) struct Counted(Arc<AtomicUsize>);

impl Counted {
    /// `None` if there are `most` already.
    pub(super) fn new(live: &Arc<AtomicUsize>, most: usize) -> Option<Self> {
        let more = |now: usize| (now < most).then_some(now + 1);
        live.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok().map(|_| Self(live.clone()))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
