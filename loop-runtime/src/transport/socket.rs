//! A Unix socket without spurious wake-ups.
//!
//! tokio registers its sockets for reading and for writing at once. When a peer *reads* from a Unix socket, the system
//! reports it writable again, and so each message wakes its sender a second time for nothing: across two cores that is
//! a third of a small call's time and half of its CPU time. This one is registered for reading only, and for writing
//! only while a write has to wait. And where that makes messages arrive earlier, it is polled for a moment before its
//! reader sleeps: see [`BusyPoll`].

use std::future::Future as _;
use std::io::{self, IoSlice};
use std::os::fd::OwnedFd;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Instant;

use rustix::io::Errno;
use rustix::net::{SendAncillaryBuffer, SendFlags, Shutdown};
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::UnixStream;

use super::busy_poll::BusyPoll;
use crate::sys::socket;

/// Without a peer, an error instead of SIGPIPE, which would end the process.
#[cfg(not(target_vendor = "apple"))]
const FLAGS: SendFlags = SendFlags::DONTWAIT.union(SendFlags::NOSIGNAL);
/// Apple's systems have no such flag; tokio sets the equivalent socket option.
#[cfg(target_vendor = "apple")]
const FLAGS: SendFlags = SendFlags::DONTWAIT;

/// A connected Unix socket.
#[derive(Debug)]
pub(crate) struct UnixSocket {
    reading: AsyncFd<OwnedFd>,
    /// A duplicate, registered while the peer's buffer is full.
    writing: Option<AsyncFd<OwnedFd>>,
    busy_poll: BusyPoll,
}

impl UnixSocket {
    /// Takes over a socket of tokio's. Must be called inside a tokio runtime.
    ///
    /// # Errors
    ///
    /// The system cannot register any more descriptors.
    pub(crate) fn new(socket: UnixStream) -> io::Result<Self> {
        let reading = socket::watch(socket.into_std()?.into(), Interest::READABLE)?;
        Ok(Self { reading, writing: None, busy_poll: BusyPoll::new(Instant::now()) })
    }

    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        send: impl Fn(&OwnedFd) -> Result<usize, Errno>,
    ) -> Poll<io::Result<usize>> {
        loop {
            let room = match &self.writing {
                Some(writing) => Some(ready!(writing.poll_write_ready(cx))?),
                None => None,
            };
            match send(self.reading.get_ref()) {
                Ok(sent) => {
                    self.writing = None;
                    if self.busy_poll.sent(Instant::now()) {
                        come_back(cx);
                    }
                    return Poll::Ready(Ok(sent));
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => match room {
                    Some(mut room) => room.clear_ready(),
                    None => {
                        let duplicate = self.reading.get_ref().try_clone()?;
                        self.writing = Some(socket::watch(duplicate, Interest::WRITABLE)?);
                    }
                },
                Err(error) => return Poll::Ready(Err(error.into())),
            }
        }
    }
}

/// Has the task polled again, after all others that are ready and after the runtime has polled its other sockets.
fn come_back(cx: &mut Context<'_>) {
    let _ = pin!(tokio::task::yield_now()).poll(cx);
}

impl AsyncRead for UnixSocket {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let room = buf.remaining();
        let this = &mut *self;
        loop {
            let ready = match this.reading.poll_read_ready(cx)? {
                Poll::Ready(ready) => Some(ready),
                Poll::Pending if this.busy_poll.again(Instant::now()) => None,
                Poll::Pending => return Poll::Pending,
            };
            match (socket::receive(this.reading.get_ref(), buf), ready) {
                (Ok(received), ready) => {
                    // Drained: the next wait need not begin with a read that would block. The end of the stream
                    // stays readable.
                    if let Some(mut ready) = ready
                        && (1..room).contains(&received)
                    {
                        ready.clear_ready();
                    }
                    this.busy_poll.received(Instant::now());
                    return Poll::Ready(Ok(()));
                }
                (Err(Errno::INTR), _) => {}
                (Err(Errno::AGAIN), Some(mut ready)) => ready.clear_ready(),
                (Err(Errno::AGAIN), None) => {
                    come_back(cx);
                    return Poll::Pending;
                }
                (Err(error), _) => return Poll::Ready(Err(error.into())),
            }
        }
    }
}

impl AsyncWrite for UnixSocket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_send(cx, |socket| rustix::net::send(socket, buf, FLAGS))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_send(cx, |socket| rustix::net::sendmsg(socket, bufs, &mut SendAncillaryBuffer::default(), FLAGS))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(rustix::net::shutdown(self.reading.get_ref(), Shutdown::Write).map_err(Into::into))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    fn pair() -> (UnixSocket, UnixSocket) {
        let (left, right) = UnixStream::pair().unwrap();
        (UnixSocket::new(left).unwrap(), UnixSocket::new(right).unwrap())
    }

    #[tokio::test]
    async fn more_than_the_buffers_hold_goes_through_both_ways_at_once() {
        const SIZE: usize = 8 << 20;
        let (left, right) = pair();
        let run = |socket: UnixSocket, seed: u8| async move {
            let (mut reading, mut writing) = tokio::io::split(socket);
            let data: Vec<u8> = (0..SIZE).map(|at| (at as u8).wrapping_add(seed)).collect();
            let mut received = vec![0; SIZE];
            let (sent, read) = tokio::join!(writing.write_all(&data), reading.read_exact(&mut received));
            sent.unwrap();
            read.unwrap();
            received
        };
        let (at_left, at_right) = tokio::join!(tokio::spawn(run(left, 0)), tokio::spawn(run(right, 7)));
        let (at_left, at_right) = (at_left.unwrap(), at_right.unwrap());
        assert!((0..SIZE).all(|at| at_left[at] == (at as u8).wrapping_add(7) && at_right[at] == at as u8));
    }

    #[tokio::test]
    async fn a_write_that_waits_fails_when_the_peer_goes_away() {
        let (mut left, right) = pair();
        let writing = tokio::spawn(async move { left.write_all(&vec![0; 8 << 20]).await });
        tokio::task::yield_now().await;
        drop(right);
        assert_eq!(writing.await.unwrap().unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }

    #[tokio::test]
    async fn the_end_is_read_however_often() {
        let (mut left, mut right) = pair();
        right.write_all(b"last").await.unwrap();
        right.shutdown().await.unwrap();
        let mut all = Vec::new();
        left.read_to_end(&mut all).await.unwrap();
        assert_eq!(all, b"last");
        assert_eq!(left.read(&mut [0; 8]).await.unwrap(), 0);
        // The other direction is still open.
        left.write_all(b"more").await.unwrap();
        let mut more = [0; 4];
        right.read_exact(&mut more).await.unwrap();
        assert_eq!(&more, b"more");
    }
}
