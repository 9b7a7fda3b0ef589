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
use http_body::{Body, Frame, SizeHint};
use tonic::Status;

use super::assembly::{self, Assembly};

/// The prefix of each message: a byte for compression, four of length.
pub(crate) const PREFIX: usize = 5;

/// Up to this length prefix and message are joined by copying: one HTTP/2 frame is cheaper than two.
pub(super) const JOIN_UP_TO: usize = 16 * 1024 - PREFIX;

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
        let join = message.len() <= JOIN_UP_TO;
        let mut prefix = BytesMut::with_capacity(PREFIX + if join { message.len() } else { 0 });
        put_prefix(message.len(), &mut prefix)?;
        let message = if join {
            prefix.put_slice(&message);
            None
        } else {
            Some(message)
        };
        Ok(Self { prefix: Some(prefix.freeze()), message, trailers })
    }
}

/// Writes the prefix of a message of `len` bytes.
///
/// # Errors
///
/// `ResourceExhausted` for a message of 4 GiB and more, which the prefix cannot express.
pub(super) fn put_prefix(len: usize, out: &mut BytesMut) -> Result<(), Box<Status>> {
    let short = u32::try_from(len)
        .map_err(|_| Status::resource_exhausted(format!("a message of {len} bytes is too long for gRPC")))?;
    out.put_u8(0);
    out.put_u32(short);
    Ok(())
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

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact([&self.prefix, &self.message].into_iter().flatten().map(|data| data.len() as u64).sum())
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
    let mut assembly = Assembly::new(limit);
    let (mut message, mut trailers) = (None, None);
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        match frame.map_err(ReadError::Body)?.into_data() {
            Ok(mut data) => {
                if message.is_none() {
                    message = assembly.next(&mut data).map_err(|status| ReadError::Refused(Box::new(status)))?;
                }
                if !data.is_empty() {
                    let status = Status::internal("more than one message in the body of a unary call");
                    return Err(ReadError::Refused(Box::new(status)));
                }
            }
            Err(frame) => trailers = frame.into_trailers().ok(),
        }
    }
    // A status says more than a message that it truncated.
    if assembly.is_in_the_middle() && trailers.is_none() {
        return Err(ReadError::Refused(Box::new(assembly::cut_off())));
    }
    Ok(Read { message, trailers })
}
