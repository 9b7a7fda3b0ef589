//! Frames that begin and do not end.
//!
//! Once the head of a frame has come, HTTP/2 takes whatever comes next for its payload, and h2 waits for all of it: on a
//! connection whose peer stops in the middle, or into which something else was written, every call hangs for ever, while the
//! peer answers on its other connections and is alive by all other signs. A peer on the same machine sends a frame that it
//! has begun within moments, so one that is not whole after [`LIMIT`] ends its connection.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use h2::Reason;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use super::frames::{Frames, Passed};
use super::state::State;

/// How long a frame may take from its first byte to its last. Half of the ten seconds after which a silent process is taken
/// for hung by default.
pub(super) const LIMIT: Duration = Duration::from_secs(5);

/// Reads of `IO`, which fail when a frame is not whole in time, and after the peer has given the connection up. Writes are
/// its own.
pub(super) struct WholeFrames<IO> {
    io: IO,
    frames: Frames,
    /// Of the side that calls: learns that the peer takes no new calls.
    state: Option<Arc<State>>,
    /// Why the peer gave the connection up.
    given_up: Option<Reason>,
    /// When the frame that has begun must be whole.
    until: Option<Instant>,
    /// Wakes at some `until`, which may be that of a frame that is whole by now.
    alarm: Option<Pin<Box<Sleep>>>,
}

impl<IO> WholeFrames<IO> {
    /// Of a connection whose peer is a server; `state` is told what it says about its end.
    pub(super) fn of_server(io: IO, state: Arc<State>) -> Self {
        Self { io, frames: Frames::default(), state: Some(state), given_up: None, until: None, alarm: None }
    }

    /// Of a connection whose peer is a client.
    pub(super) fn of_client(io: IO) -> Self {
        Self { io, frames: Frames::after_preface(), state: None, given_up: None, until: None, alarm: None }
    }

    fn came(&mut self, bytes: &[u8]) {
        let Passed { ended, go_away } = self.frames.pass(bytes);
        if let (Some(go_away), Some(state)) = (go_away, &self.state) {
            state.going_away(go_away);
            // What it answers before it hangs up has come by now; h2 would wait for the rest as long as there is a socket.
            self.given_up = (go_away.code != 0).then(|| Reason::from(go_away.code));
        }
        if !self.frames.is_in_the_middle() {
            self.until = None;
        } else if ended || self.until.is_none() {
            self.until = Some(Instant::now() + LIMIT);
        }
    }

    /// Asked only when nothing more is there to be read: what has come while this process did not run is looked at first.
    fn poll_late(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let Some(until) = self.until else { return Poll::Pending };
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(sleep_until(until)));
        if alarm.deadline() != until {
            alarm.as_mut().reset(until);
        }
        alarm.as_mut().poll(cx).map(|()| {
            let text = format!("the peer began a frame and did not end it for {} s", LIMIT.as_secs());
            io::Error::new(io::ErrorKind::TimedOut, text)
        })
    }
}

impl<IO: AsyncRead + Unpin> AsyncRead for WholeFrames<IO> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if let Some(reason) = self.given_up {
            let text = format!("the peer ended the connection: {reason}");
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::ConnectionAborted, text)));
        }
        let before = buf.filled().len();
        match Pin::new(&mut self.io).poll_read(cx, buf) {
            Poll::Ready(Ok(())) => {
                self.came(&buf.filled()[before..]);
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(why)) => Poll::Ready(Err(why)),
            Poll::Pending => self.poll_late(cx).map(Err),
        }
    }
}

impl<IO: AsyncWrite + Unpin> AsyncWrite for WholeFrames<IO> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
    use tokio::time::{advance, sleep};

    use super::super::frames::{HEAD, PREFACE};
    use super::*;

    fn of_server(io: DuplexStream) -> WholeFrames<DuplexStream> {
        WholeFrames::of_server(io, Arc::new(State::new()))
    }

    fn frame(length: usize) -> Vec<u8> {
        let mut bytes = (length as u32).to_be_bytes()[1..].to_vec();
        bytes.extend_from_slice(&[0, 0, 0, 0, 0, 1]);
        bytes.resize(HEAD + length, 7);
        bytes
    }

    /// Reads what is there, and what is said when nothing is.
    async fn read(from: &mut WholeFrames<DuplexStream>) -> io::Result<()> {
        let mut piece = [0; 64];
        loop {
            tokio::select! {
                biased;
                read = from.read(&mut piece) => drop(read?),
                () = std::future::ready(()) => return Ok(()),
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_frame_that_stops_in_the_middle_ends_the_connection() {
        for cut in [1, HEAD - 1, HEAD, HEAD + 1, HEAD + 49] {
            let (mut peer, ours) = duplex(1024);
            let mut ours = of_server(ours);
            peer.write_all(&frame(20)).await.unwrap();
            read(&mut ours).await.unwrap();
            sleep(LIMIT * 2).await;
            peer.write_all(&frame(50)[..cut]).await.unwrap();
            read(&mut ours).await.unwrap();
            advance(LIMIT - Duration::from_millis(1)).await;
            read(&mut ours).await.unwrap();
            advance(Duration::from_millis(2)).await;
            let late = read(&mut ours).await.unwrap_err();
            assert_eq!(late.kind(), io::ErrorKind::TimedOut, "{cut}: {late}");
        }
    }

    /// What comes next is swallowed, but that is no progress of the frame's.
    #[tokio::test(start_paused = true)]
    async fn bytes_that_keep_coming_do_not_put_it_off() {
        let (mut peer, ours) = duplex(1024);
        let mut ours = of_server(ours);
        peer.write_all(&frame(1_000_000)[..100]).await.unwrap();
        let mut seconds = 0;
        let late = loop {
            if let Err(late) = read(&mut ours).await {
                break late;
            }
            advance(Duration::from_secs(1)).await;
            seconds += 1;
            peer.write_all(&frame(9)).await.unwrap();
        };
        assert_eq!((late.kind(), seconds), (io::ErrorKind::TimedOut, LIMIT.as_secs()));
    }

    #[tokio::test(start_paused = true)]
    async fn silence_between_frames_is_nothing() {
        for preface in [0, PREFACE] {
            let (mut peer, ours) = duplex(1024);
            let mut ours = if preface > 0 { WholeFrames::of_client(ours) } else { of_server(ours) };
            // A peer that opens the connection and says nothing is waited for.
            read(&mut ours).await.unwrap();
            sleep(LIMIT * 2).await;
            read(&mut ours).await.unwrap();
            peer.write_all(&vec![b' '; preface]).await.unwrap();
            for length in [0, 1, 50] {
                // Each byte late, each frame in time.
                for byte in frame(length) {
                    peer.write_all(&[byte]).await.unwrap();
                    read(&mut ours).await.unwrap();
                    advance(LIMIT / 60).await;
                }
                sleep(LIMIT * 2).await;
                read(&mut ours).await.unwrap();
            }
            drop(peer);
            let mut rest = Vec::new();
            ours.read_to_end(&mut rest).await.unwrap();
        }
    }

    /// What came while this process was held up counts, however late it is.
    #[tokio::test(start_paused = true)]
    async fn what_is_there_is_read_before_the_clock_is_asked() {
        let (mut peer, ours) = duplex(1024);
        let mut ours = of_server(ours);
        peer.write_all(&frame(50)[..30]).await.unwrap();
        read(&mut ours).await.unwrap();
        peer.write_all(&frame(50)[30..]).await.unwrap();
        advance(LIMIT * 2).await;
        read(&mut ours).await.unwrap();
    }
}
