//! A session: one socket, driven by one task.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};
use tokio_util::compat::{Compat, TokioAsyncReadCompatExt as _};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use yamux::{Config, Connection, ConnectionError, DEFAULT_CREDIT, FrameDecodeError, Mode};

use super::stream::{Counted, MuxStream};
use super::tap::{Signs, Tap};
use crate::transport::ticks::{STANDSTILL, ticks};

/// How many streams may be open concurrently. One more of the peer's is reset, one more of ours is refused.
pub(super) const MOST_STREAMS: usize = 4096;

/// The crate's own limit. It ends the session of a peer that reaches it, so there is room for streams that were dropped
/// here while the peer does not read and so does not know.
const KNOWN_STREAMS: usize = 2 * MOST_STREAMS;

/// The time between two pings.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// Opens streams. Clones are the same session, which ends when the last one is dropped, streams or not.
#[derive(Clone, Debug)]
pub(crate) struct MuxSession {
    wishes: mpsc::UnboundedSender<OpenRequest>,
    close: CancellationToken,
    ended: CancellationToken,
    #[cfg(test)]
    live: Arc<AtomicUsize>,
}

/// A request to open a stream.
type OpenRequest = oneshot::Sender<io::Result<MuxStream>>;

impl MuxSession {
    /// The dialling end of `io`. `incoming` gets the streams that the peer opens, in order, and must not block.
    ///
    /// The second value drives the session until it has ended; spawn it. Dropping it closes the session.
    pub(crate) fn client<IO>(
        io: IO,
        incoming: impl FnMut(MuxStream) + Send + 'static,
    ) -> (Self, impl Future<Output = ()> + Send + 'static)
    where
        IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        Self::new(io, Mode::Client, incoming)
    }

    /// The same for the accepting end.
    pub(crate) fn server<IO>(
        io: IO,
        incoming: impl FnMut(MuxStream) + Send + 'static,
    ) -> (Self, impl Future<Output = ()> + Send + 'static)
    where
        IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        Self::new(io, Mode::Server, incoming)
    }

    fn new<IO, F>(io: IO, mode: Mode, incoming: F) -> (Self, impl Future<Output = ()> + Send + 'static)
    where
        IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        F: FnMut(MuxStream) + Send + 'static,
    {
        let (wishes, wanted) = mpsc::unbounded_channel();
        let (close, ended) = (CancellationToken::new(), CancellationToken::new());
        let (live, signs) = (Arc::new(AtomicUsize::new(0)), Arc::new(Signs::default()));
        let mut keepalive = interval_at(Instant::now() + KEEPALIVE, KEEPALIVE);
        keepalive.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut driver = Driver {
            connection: Connection::new(Tap::new(io, signs.clone()).compat(), config(), mode),
            wanted,
            wish: None,
            incoming,
            live: live.clone(),
            full: false,
            signs,
            keepalive,
            silence: None,
            close: Box::pin(close.clone().cancelled_owned()),
        };
        let over = ended.clone().drop_guard();
        let drive = async move {
            let why = poll_fn(|cx| driver.poll(cx)).await;
            // All streams end with it.
            drop(driver);
            match why {
                End::Ours => tracing::debug!("a multiplexed session was closed"),
                End::Peers => tracing::debug!("the peer has ended a multiplexed session"),
                End::Fault(why) => tracing::warn!(why, "a multiplexed session is over"),
            }
            drop(over);
        };
        let session = Self {
            wishes,
            close,
            ended,
            #[cfg(test)]
            live,
        };
        (session, drive)
    }

    /// Opens a stream. It is announced to the peer at once, even if the future is dropped.
    ///
    /// # Errors
    ///
    /// The session has ended, or there are [`MOST_STREAMS`] already.
    pub(crate) fn open(&self) -> impl Future<Output = io::Result<MuxStream>> + Send + use<> {
        let (send, opened) = oneshot::channel();
        let asked = self.wishes.send(send);
        let ended = || io::Error::new(io::ErrorKind::NotConnected, "the multiplexed session has ended");
        async move {
            asked.map_err(|_| ended())?;
            opened.await.map_err(|_| ended())?
        }
    }

    /// Ends the session now, with all of its streams. What they wrote before is sent as far as the socket takes it.
    pub(crate) fn close(&self) {
        self.close.cancel();
    }

    /// Cancelled when the session has ended, whichever side ended it, and its socket is closed.
    pub(crate) fn ended(&self) -> &CancellationToken {
        &self.ended
    }

    #[cfg(test)]
    pub(super) fn live(&self) -> usize {
        self.live.load(std::sync::atomic::Ordering::Relaxed)
    }
}

fn config() -> Config {
    let mut config = Config::default();
    // The order matters: each is checked against the other.
    config
        .set_max_connection_receive_window(None)
        .set_max_num_streams(KNOWN_STREAMS)
        .set_max_connection_receive_window(Some(KNOWN_STREAMS * DEFAULT_CREDIT as usize));
    config
}

/// Why a session ended.
enum End {
    Ours,
    Peers,
    Fault(String),
}

struct Driver<IO, F> {
    connection: Connection<Compat<Tap<IO>>>,
    wanted: mpsc::UnboundedReceiver<OpenRequest>,
    /// The request that waits for the crate, which waits for the peer to ack earlier streams.
    wish: Option<OpenRequest>,
    incoming: F,
    live: Arc<AtomicUsize>,
    /// A stream was reset because there are too many, and that was logged.
    full: bool,
    signs: Arc<Signs>,
    keepalive: Interval,
    /// The ticks since a ping is unanswered, and their number.
    silence: Option<(Interval, u32)>,
    close: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl<IO, F> Driver<IO, F>
where
    IO: AsyncRead + AsyncWrite + Unpin,
    F: FnMut(MuxStream),
{
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        loop {
            // The order matters: opened streams are announced, and announcements sent, in the same poll.
            match self.open(cx) {
                Ok(true) => {}
                Ok(false) => return Poll::Ready(End::Ours),
                Err(why) => return Poll::Ready(why),
            }
            match self.connection.poll_next_inbound(cx) {
                Poll::Ready(Some(Ok(stream))) => {
                    self.take_in(stream);
                    continue;
                }
                Poll::Ready(Some(Err(why))) => return Poll::Ready(fault(&why)),
                Poll::Ready(None) => return Poll::Ready(End::Peers),
                Poll::Pending => {}
            }
            if self.signs.offended() {
                let why = "the peer broke the rules of yamux: a window overrun, or a stream that cannot be";
                return Poll::Ready(End::Fault(why.to_owned()));
            }
            if self.close.as_mut().poll(cx).is_ready() {
                return Poll::Ready(End::Ours);
            }
            // The crate pings by itself whenever it is polled and has not pinged for a while.
            if self.keepalive.poll_tick(cx).is_ready() {
                continue;
            }
            ready!(self.poll_silence(cx));
            let why = format!("the peer gave no sign of life for {STANDSTILL} s");
            return Poll::Ready(End::Fault(why));
        }
    }

    /// Serves open requests. `false`: there can be no further stream.
    fn open(&mut self, cx: &mut Context<'_>) -> Result<bool, End> {
        loop {
            let wish = match self.wish.take() {
                Some(wish) => wish,
                None => match self.wanted.poll_recv(cx) {
                    Poll::Ready(Some(wish)) => wish,
                    Poll::Ready(None) => return Ok(false),
                    Poll::Pending => return Ok(true),
                },
            };
            let Some(counted) = Counted::new(&self.live, MOST_STREAMS) else {
                let text = format!("{MOST_STREAMS} streams are open, and no more can be");
                let _ = wish.send(Err(io::Error::other(text)));
                continue;
            };
            match self.connection.poll_new_outbound(cx) {
                Poll::Ready(Ok(stream)) => {
                    let mut stream = MuxStream::new(stream, counted);
                    stream.announce();
                    // If the requester is gone, the stream is reset.
                    let _ = wish.send(Ok(stream));
                }
                Poll::Ready(Err(why)) => return Err(fault(&why)),
                Poll::Pending => {
                    self.wish = Some(wish);
                    return Ok(true);
                }
            }
        }
    }

    fn take_in(&mut self, stream: yamux::Stream) {
        match Counted::new(&self.live, MOST_STREAMS) {
            Some(counted) => (self.incoming)(MuxStream::new(stream, counted)),
            None if self.full => {}
            None => {
                self.full = true;
                tracing::warn!("the peer has {MOST_STREAMS} streams open; further ones are reset");
            }
        }
    }

    /// Ready when a ping has been unanswered for too long.
    fn poll_silence(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.signs.unanswered() {
            self.silence = None;
            return Poll::Pending;
        }
        let (ticks, lived) = self.silence.get_or_insert_with(|| (ticks(), 0));
        while *lived < STANDSTILL {
            ready!(ticks.poll_tick(cx));
            *lived += 1;
        }
        Poll::Ready(())
    }
}

fn fault(why: &ConnectionError) -> End {
    use io::ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};
    match why {
        ConnectionError::Closed => End::Peers,
        // All that is seen of a process that was killed.
        ConnectionError::Io(why) | ConnectionError::Decode(FrameDecodeError::Io(why))
            if matches!(why.kind(), BrokenPipe | ConnectionReset | UnexpectedEof) =>
        {
            End::Peers
        }
        why => End::Fault(why.to_string()),
    }
}
