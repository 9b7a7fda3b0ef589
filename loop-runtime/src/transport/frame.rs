//! gRPC's framing of one message: a byte (0 = not compressed), four bytes of length, the message.
//!
//! Unary calls are framed here and not by tonic's codecs, which copy every message once on each way through a buffer
//! of their own: a large message leaves as the `Bytes` that it was encoded into, and one that arrives in a single
//! HTTP/2 frame is handed on as it is.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{BufMut, Bytes, BytesMut};
use http::HeaderMap;
use http_body::{Body, Frame};
use tonic::Status;

/// The prefix of each message: a byte for compression, four of length.
pub(crate) const PREFIX: usize = 5;

/// Up to this length prefix and message are joined by copying: one HTTP/2 frame is cheaper than two.
const JOIN_UP_TO: usize = 16 * 1024 - PREFIX;

/// The most that is reserved because of a prefix; beyond it, memory grows with what arrives.
const RESERVE_UP_TO: usize = 4 << 20;

/// A body of one framed message, and trailers if a server sends it.
#[derive(Debug)]
pub(super) struct Framed {
    prefix: Option<Bytes>,
    message: Option<Bytes>,
    trailers: Option<HeaderMap>,
}

impl Framed {
    /// # Errors
    ///
    /// `ResourceExhausted` for a message of 4 GiB and more, which the prefix cannot express.
    pub(super) fn new(message: Bytes, trailers: Option<HeaderMap>) -> Result<Self, Box<Status>> {
        let len = u32::try_from(message.len()).map_err(|_| {
            Status::resource_exhausted(format!("a message of {} bytes is too long for gRPC", message.len()))
        })?;
        let join = message.len() <= JOIN_UP_TO;
        let mut prefix = BytesMut::with_capacity(PREFIX + if join { message.len() } else { 0 });
        prefix.put_u8(0);
        prefix.put_u32(len);
        let message = if join {
            prefix.put_slice(&message);
            None
        } else {
            Some(message)
        };
        Ok(Self { prefix: Some(prefix.freeze()), message, trailers })
    }
}

impl Framed {
    /// Sends the frames, the last ones of `stream`, which reports any failure to deliver them.
    pub(super) fn send(mut self, stream: &mut h2::SendStream<Bytes>) {
        while let Some(data) = self.prefix.take().or_else(|| self.message.take()) {
            if stream.send_data(data, self.is_end_stream()).is_err() {
                return;
            }
        }
        if let Some(trailers) = self.trailers {
            let _ = stream.send_trailers(trailers);
        }
    }
}

impl Body for Framed {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let data = self.prefix.take().or_else(|| self.message.take());
        Poll::Ready(data.map(Frame::data).or_else(|| self.trailers.take().map(Frame::trailers)).map(Ok))
    }

    /// Lets the last frame end the stream, without an empty one after it.
    fn is_end_stream(&self) -> bool {
        self.prefix.is_none() && self.message.is_none() && self.trailers.is_none()
    }
}

/// What a body held.
#[derive(Debug)]
pub(super) struct Read {
    /// `None` if the body ended before its first byte.
    pub(super) message: Option<Bytes>,
    pub(super) trailers: Option<HeaderMap>,
}

/// Why a body is not one message.
#[derive(Debug)]
pub(super) enum ReadError<E> {
    /// The body violates a rule: the status to answer with.
    Refused(Box<Status>),
    /// Reading failed.
    Body(E),
}

/// Reads a body to its end: at most one message of at most `limit` bytes.
pub(super) async fn read<B>(mut body: B, limit: usize) -> Result<Read, ReadError<B::Error>>
where
    B: Body<Data = Bytes> + Unpin,
{
    let mut message = Message::new(limit);
    let mut trailers = None;
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        match frame.map_err(ReadError::Body)?.into_data() {
            Ok(data) => message.push(data).map_err(|status| ReadError::Refused(Box::new(status)))?,
            Err(frame) => trailers = frame.into_trailers().ok(),
        }
    }
    // A status says more than a message that it truncated.
    let message = match message.finish() {
        Ok(message) => message,
        Err(_) if trailers.is_some() => None,
        Err(status) => return Err(ReadError::Refused(Box::new(status))),
    };
    Ok(Read { message, trailers })
}

/// A message as it arrives, in pieces of any size.
#[derive(Debug)]
struct Message {
    limit: usize,
    prefix: [u8; PREFIX],
    /// How much of the prefix was received.
    seen: usize,
    len: usize,
    /// The usual case: all of it in one piece, kept as it is.
    whole: Option<Bytes>,
    pieces: BytesMut,
}

impl Message {
    fn new(limit: usize) -> Self {
        Self { limit, prefix: [0; PREFIX], seen: 0, len: 0, whole: None, pieces: BytesMut::new() }
    }

    fn push(&mut self, mut data: Bytes) -> Result<(), Status> {
        if self.seen < PREFIX {
            let part = data.split_to(data.len().min(PREFIX - self.seen));
            self.prefix[self.seen..self.seen + part.len()].copy_from_slice(&part);
            self.seen += part.len();
            if self.seen < PREFIX {
                return Ok(());
            }
            self.len = self.check_prefix()?;
        }
        let have = self.have();
        if have + data.len() > self.len {
            return Err(Status::internal("more than one message in the body of a unary call"));
        }
        if have == 0 && data.len() == self.len {
            self.whole = Some(data);
        } else if !data.is_empty() {
            if have == 0 {
                self.pieces.reserve(self.len.min(RESERVE_UP_TO));
            }
            self.pieces.extend_from_slice(&data);
        }
        Ok(())
    }

    fn have(&self) -> usize {
        self.whole.as_ref().map_or(self.pieces.len(), Bytes::len)
    }

    fn check_prefix(&self) -> Result<usize, Status> {
        let [flag, len @ ..] = self.prefix;
        match flag {
            0 => {}
            // A server refuses an encoding that it does not know before this, so there was none; a client offered none.
            1 => return Err(Status::internal("compressed flag set, and no grpc-encoding was agreed upon")),
            _ => return Err(Status::internal(format!("{flag} is not a compression flag"))),
        }
        let len = u32::from_be_bytes(len) as usize;
        if len > self.limit {
            // grpc-go's words, which its users search for
            return Err(Status::resource_exhausted(format!(
                "grpc: received message larger than max ({len} vs. {})",
                self.limit
            )));
        }
        Ok(len)
    }

    fn finish(self) -> Result<Option<Bytes>, Status> {
        if self.seen == 0 {
            return Ok(None);
        }
        if self.seen < PREFIX || self.have() < self.len {
            return Err(Status::internal("the body of the call ended inside a message"));
        }
        Ok(Some(self.whole.unwrap_or_else(|| self.pieces.freeze())))
    }
}
