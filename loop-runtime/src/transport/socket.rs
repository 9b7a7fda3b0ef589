//! A Unix socket that wakes nobody for nothing.
//!
//! tokio registers its sockets for reading and for writing at once. When a peer *reads* from a Unix socket, the system
//! reports that there is room again, and so each message wakes its sender a second time, who has nothing to do: across
//! two cores that is a third of a small call's time and half of its processor time. This one is registered for reading
//! alone, and for writing only while a write has to wait.

use std::io::{self, IoSlice};
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rustix::io::Errno;
use rustix::net::{SendAncillaryBuffer, SendFlags, Shutdown};
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::UnixStream;

use crate::sys::socket;

/// Without a peer, an error; a signal would end the process.
const FLAGS: SendFlags = SendFlags::DONTWAIT.union(SendFlags::NOSIGNAL);

/// A connected Unix socket.
#[derive(Debug)]
pub(crate) struct UnixSocket {
    reading: AsyncFd<OwnedFd>,
    /// A duplicate, as long as the peer's buffer is full.
    writing: Option<AsyncFd<OwnedFd>>,
}

impl UnixSocket {
    /// Takes over a socket of tokio's. Must be called inside a tokio runtime.
    ///
    /// # Errors
    ///
    /// The system cannot watch any more descriptors.
    pub(crate) fn new(socket: UnixStream) -> io::Result<Self> {
        let reading = socket::watch(socket.into_std()?.into(), Interest::READABLE)?;
        Ok(Self { reading, writing: None })
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

impl AsyncRead for UnixSocket {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let room = buf.remaining();
        loop {
            let mut ready = ready!(self.reading.poll_read_ready(cx))?;
            match socket::receive(self.reading.get_ref(), buf) {
                Ok(received) => {
                    // There was no more: the next wait need not begin with a read that finds nothing. The end of the
                    // stream stays readable.
                    if 0 < received && received < room {
                        ready.clear_ready();
                    }
                    return Poll::Ready(Ok(()));
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => ready.clear_ready(),
                Err(error) => return Poll::Ready(Err(error.into())),
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
        // The other way is still open.
        left.write_all(b"more").await.unwrap();
        let mut more = [0; 4];
        right.read_exact(&mut more).await.unwrap();
        assert_eq!(&more, b"more");
    }
}
