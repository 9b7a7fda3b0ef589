//! Ends connections whose frames begin and do not end.
//!
//! After a frame header, HTTP/2 takes whatever follows for the payload, and h2 waits for all of it: on a connection
//! whose peer stops in the middle, or into which something else was written, every call hangs for ever, while the peer
//! answers on its other connections and is alive by all other signs.
//!
//! A frame that never ends costs its connection. A stalled machine must not: time is counted in ticks that this process
//! lived through, and what was received is read before a tick is counted, so that a stop of this process, however long,
//! is one tick at most. A stalled peer sends nothing, and whether it is dead is not decided here but by the health
//! check (after ten seconds, by default): so a frame may stall for [`STANDSTILL`] ticks. A peer that gives signs of
//! life, over this connection or another, is not stalled, and completes a frame that it has begun within moments: a
//! tick with such a sign, or one that brought some but less than [`PACE`] bytes of the frame, weighs more ([`LIVELY`]).
//! At that pace and above, a frame ends by itself, as its length is bounded.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use h2::Reason;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Interval;

use super::frames::{Frames, Passed};
use super::signs::SignsOfLife;
use super::state::State;
use super::ticks::{STANDSTILL, ticks};

/// How many ticks may bring less than [`PACE`] bytes of a frame that has begun, while the peer shows, on this or its
/// other connections, that it is alive.
const LIVELY: u32 = 5;

/// Bytes per tick; the largest frame has 32 times as many.
const PACE: usize = 64 << 10;

/// How a frame has used its time.
#[derive(Debug, Default)]
struct Patience {
    /// In silent ticks.
    spent: u32,
    /// Bytes in this tick; `None` until a tick begins in the middle of the frame.
    came: Option<usize>,
    /// The peer's signs of life when it began.
    signs: u64,
}

impl Patience {
    fn came(&mut self, bytes: usize) {
        if let Some(came) = &mut self.came {
            *came += bytes;
        }
    }

    /// Counts a tick; returns whether the frame's time is up. `signs` are the peer's signs of life.
    fn tick(&mut self, signs: u64) -> bool {
        let lively = std::mem::replace(&mut self.signs, signs) != signs;
        self.spent += match self.came.replace(0) {
            None | Some(PACE..) => 0,
            Some(0) if !lively => 1,
            Some(_) => STANDSTILL / LIVELY,
        };
        self.spent >= STANDSTILL
    }
}

/// Reads `IO`, failing when a frame does not end, and after a GOAWAY with an error code. Writes pass
/// through.
pub(super) struct WholeFrames<IO> {
    io: IO,
    frames: Frames,
    /// On the calling side: receives the peer's GOAWAY.
    state: Option<Arc<State>>,
    signs: SignsOfLife,
    /// The error code of the peer's GOAWAY.
    given_up: Option<Reason>,
    /// For the frame that has begun.
    patience: Option<Patience>,
    /// Wakes after each tick, even if the frame is complete by then.
    ticks: Option<Interval>,
}

impl<IO> WholeFrames<IO> {
    /// For a connection whose peer is a server; `state` receives its GOAWAY.
    pub(super) fn of_server(io: IO, state: Arc<State>, signs: SignsOfLife) -> Self {
        Self { io, frames: Frames::default(), state: Some(state), signs, given_up: None, patience: None, ticks: None }
    }

    /// For a connection whose peer is a client.
    pub(super) fn of_client(io: IO, signs: SignsOfLife) -> Self {
        Self { io, frames: Frames::after_preface(), state: None, signs, given_up: None, patience: None, ticks: None }
    }

    fn came(&mut self, bytes: &[u8]) {
        let Passed { ended, go_away } = self.frames.pass(bytes);
        if let (Some(go_away), Some(state)) = (go_away, &self.state) {
            state.going_away(go_away);
            // Its last responses have arrived by now; h2 would wait for the rest as long as there is a socket.
            self.given_up = (go_away.code != 0).then(|| Reason::from(go_away.code));
        }
        match &mut self.patience {
            Some(patience) if !ended => patience.came(bytes.len()),
            patience => *patience = self.frames.is_in_the_middle().then(Patience::default),
        }
    }

    /// Polled only when there is nothing to read: what arrived while this process did not run is processed first.
    fn poll_late(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let Some(patience) = &mut self.patience else { return Poll::Pending };
        let ticks = self.ticks.get_or_insert_with(ticks);
        loop {
            ready!(ticks.poll_tick(cx));
            if patience.tick(self.signs.count()) {
                let text = "the peer began a frame and does not end it";
                return Poll::Ready(io::Error::new(io::ErrorKind::TimedOut, text));
            }
        }
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
    use super::super::ticks::TICK;
    use super::*;

    fn of_server(io: DuplexStream) -> WholeFrames<DuplexStream> {
        WholeFrames::of_server(io, Arc::new(State::new()), SignsOfLife::default())
    }

    fn frame(length: usize) -> Vec<u8> {
        let mut bytes = (length as u32).to_be_bytes()[1..].to_vec();
        bytes.extend_from_slice(&[0, 0, 0, 0, 0, 1]);
        bytes.resize(HEAD + length, 7);
        bytes
    }

    /// Reads what is there; returns the error, if any, when nothing is.
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

    /// Lives through ticks until the connection fails, or for `most` of them; returns their number.
    async fn ticks(ours: &mut WholeFrames<DuplexStream>, most: u32) -> u32 {
        for n in 0..most {
            advance(TICK).await;
            if let Err(late) = read(ours).await {
                assert_eq!(late.kind(), io::ErrorKind::TimedOut, "{late}");
                return n + 1;
            }
        }
        most
    }

    #[tokio::test(start_paused = true)]
    async fn a_frame_that_stops_in_the_middle_ends_the_connection() {
        for cut in [1, HEAD - 1, HEAD, HEAD + 1, HEAD + 49] {
            let (mut peer, ours) = duplex(1024);
            let mut ours = of_server(ours);
            peer.write_all(&frame(20)).await.unwrap();
            read(&mut ours).await.unwrap();
            sleep(TICK * 1000).await;
            peer.write_all(&frame(50)[..cut]).await.unwrap();
            read(&mut ours).await.unwrap();
            // The tick in which it began does not count.
            assert_eq!(ticks(&mut ours, 1000).await, STANDSTILL + 1, "{cut}");
        }
    }

    /// Something else was written into this connection; the peer answers over its others.
    #[tokio::test(start_paused = true)]
    async fn a_peer_that_is_alive_elsewhere_has_less_time() {
        for every in [1, 3] {
            let (mut peer, ours) = duplex(1024);
            let signs = SignsOfLife::default();
            let mut ours = WholeFrames::of_server(ours, Arc::new(State::new()), signs.clone());
            peer.write_all(&frame(50)[..HEAD]).await.unwrap();
            read(&mut ours).await.unwrap();
            let mut seconds = 0;
            loop {
                advance(TICK).await;
                if let Err(late) = read(&mut ours).await {
                    assert_eq!(late.kind(), io::ErrorKind::TimedOut, "{late}");
                    break;
                }
                seconds += 1;
                if seconds % every == 0 {
                    signs.note();
                }
            }
            assert!(
                (LIVELY * every..=LIVELY * every + 2).contains(&seconds),
                "{seconds} s, a sign of life every {every}"
            );
        }
    }

    /// What comes next is swallowed, but that is no progress of the frame.
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
            advance(TICK).await;
            seconds += 1;
            peer.write_all(&frame(9)).await.unwrap();
        };
        assert_eq!((late.kind(), seconds), (io::ErrorKind::TimedOut, LIVELY + 1));
    }

    /// One after the other: each frame has its own time.
    #[tokio::test(start_paused = true)]
    async fn a_large_frame_may_come_slowly() {
        let (mut peer, ours) = duplex(PACE);
        let mut ours = of_server(ours);
        for _ in 0..5 {
            for piece in frame(32 * PACE).chunks(PACE) {
                peer.write_all(piece).await.unwrap();
                read(&mut ours).await.unwrap();
                assert_eq!(ticks(&mut ours, 1).await, 1);
            }
        }
        assert!(!ours.frames.is_in_the_middle());
    }

    /// However long: this process alone, or the peer with it, as on a machine that is suspended.
    #[tokio::test(start_paused = true)]
    async fn a_stop_of_this_side_does_no_harm() {
        for (stop, both) in [(6, false), (60, false), (100_000, false), (6, true), (60, true), (100_000, true)] {
            let (mut peer, ours) = duplex(1024);
            let mut ours = of_server(ours);
            for cut in [1, HEAD, HEAD + 1, HEAD + 49].repeat(10) {
                peer.write_all(&frame(50)[..cut]).await.unwrap();
                read(&mut ours).await.unwrap();
                assert_eq!(ticks(&mut ours, 2).await, 2);
                if !both {
                    peer.write_all(&frame(50)[cut..]).await.unwrap();
                }
                advance(TICK * stop).await;
                read(&mut ours).await.unwrap();
                if both {
                    assert_eq!(ticks(&mut ours, 2).await, 2);
                    peer.write_all(&frame(50)[cut..]).await.unwrap();
                    read(&mut ours).await.unwrap();
                }
                assert!(!ours.frames.is_in_the_middle());
            }
        }
    }

    /// While this side runs, in the middle of a frame; and again in the next one.
    #[tokio::test(start_paused = true)]
    async fn a_stop_of_the_peer_does_no_harm() {
        for stop in [6, 60] {
            let (mut peer, ours) = duplex(1024);
            let mut ours = of_server(ours);
            for cut in [1, HEAD, HEAD + 1, HEAD + 49] {
                peer.write_all(&frame(50)[..cut]).await.unwrap();
                read(&mut ours).await.unwrap();
                assert_eq!(ticks(&mut ours, stop).await, stop);
                peer.write_all(&frame(50)[cut..]).await.unwrap();
                read(&mut ours).await.unwrap();
                assert!(!ours.frames.is_in_the_middle());
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn silence_between_frames_is_nothing() {
        for preface in [0, PREFACE] {
            let (mut peer, ours) = duplex(1024);
            let mut ours =
                if preface > 0 { WholeFrames::of_client(ours, SignsOfLife::default()) } else { of_server(ours) };
            // A peer that opens the connection and sends nothing is not timed out.
            read(&mut ours).await.unwrap();
            assert_eq!(ticks(&mut ours, 2 * STANDSTILL).await, 2 * STANDSTILL);
            peer.write_all(&vec![b' '; preface]).await.unwrap();
            for length in [0, 1, 50] {
                peer.write_all(&frame(length)).await.unwrap();
                read(&mut ours).await.unwrap();
                assert_eq!(ticks(&mut ours, 2 * STANDSTILL).await, 2 * STANDSTILL);
            }
            drop(peer);
            let mut rest = Vec::new();
            ours.read_to_end(&mut rest).await.unwrap();
        }
    }

    /// What arrived while this process was stopped counts, however late it is.
    #[tokio::test(start_paused = true)]
    async fn what_is_there_is_read_before_the_clock_is_asked() {
        let (mut peer, ours) = duplex(1024);
        let mut ours = of_server(ours);
        peer.write_all(&frame(50)[..30]).await.unwrap();
        read(&mut ours).await.unwrap();
        assert_eq!(ticks(&mut ours, STANDSTILL).await, STANDSTILL);
        peer.write_all(&frame(50)[30..]).await.unwrap();
        assert_eq!(ticks(&mut ours, 2 * STANDSTILL).await, 2 * STANDSTILL);
    }
}
