//! The body of a forwarded request, buffered as long as that is cheap.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http_body::{Body as HttpBody, Frame};
use http_body_util::{BodyExt, Full};
use tonic::Status;
use tonic::body::Body;

use crate::error::{Error, Result};
use crate::sync::{Mutex, locked};

/// Up to this length a body is kept, so that a call which the target refused unprocessed can be retried.
const SHORT: usize = 64 * 1024;

pub(crate) enum Kept {
    /// All of it.
    Whole(Bytes),
    /// What was received and the rest of the body; `None` once taken.
    Stream(Mutex<Option<Body>>),
}

impl Kept {
    /// A body that is streamed as it arrives.
    pub(crate) fn unread(body: Body) -> Self {
        Self::Stream(Mutex::new(Some(body)))
    }

    /// Buffers the body to its end, or until it exceeds `SHORT`.
    ///
    /// # Errors
    ///
    /// The body broke off: the sender disconnected, or cancelled the call.
    pub(crate) async fn read(mut body: Body) -> Result<Self> {
        let (mut pieces, mut length) = (VecDeque::new(), 0);
        while length <= SHORT {
            let Some(frame) = body.frame().await else {
                return Ok(Self::Whole(joined(pieces)));
            };
            let frame = frame.map_err(|why| Error::lost(false, format!("a request to pass on: {why}")))?;
            // A request has no trailers in gRPC.
            if let Ok(data) = frame.into_data() {
                length += data.len();
                pieces.push_back(data);
            }
        }
        Ok(Self::Stream(Mutex::new(Some(Body::new(Begun { pieces, rest: body })))))
    }

    /// The body: any number of times if it is kept, else once.
    pub(crate) fn take(&self) -> Option<Body> {
        match self {
            Self::Whole(bytes) => Some(Body::new(Full::new(bytes.clone()))),
            Self::Stream(body) => locked(body).take(),
        }
    }
}

fn joined(mut pieces: VecDeque<Bytes>) -> Bytes {
    match pieces.len() {
        0 => Bytes::new(),
        1 => pieces.pop_front().unwrap_or_default(),
        _ => pieces
            .into_iter()
            .fold(BytesMut::new(), |mut all, piece| {
                all.extend_from_slice(&piece);
                all
            })
            .freeze(),
    }
}

/// A body that was partly read.
struct Begun {
    pieces: VecDeque<Bytes>,
    rest: Body,
}

impl HttpBody for Begun {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if let Some(piece) = self.pieces.pop_front() {
            return Poll::Ready(Some(Ok(Frame::data(piece))));
        }
        Poll::Ready(ready!(Pin::new(&mut self.rest).poll_frame(context)))
    }

    fn is_end_stream(&self) -> bool {
        self.pieces.is_empty() && self.rest.is_end_stream()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A body of several frames.
    struct Pieces(Vec<usize>);

    impl HttpBody for Pieces {
        type Data = Bytes;
        type Error = Status;

        fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
            Poll::Ready(self.0.pop().map(|length| Ok(Frame::data(Bytes::from(vec![length as u8; length])))))
        }
    }

    async fn lengths(pieces: &[usize]) -> Vec<Option<usize>> {
        let kept = Kept::read(Body::new(Pieces(pieces.to_vec()))).await.unwrap();
        let mut lengths = Vec::new();
        for _ in 0..2 {
            lengths.push(match kept.take() {
                Some(body) => Some(body.collect().await.unwrap().to_bytes().len()),
                None => None,
            });
        }
        lengths
    }

    #[tokio::test]
    async fn a_short_body_can_be_sent_twice_and_a_long_one_once() {
        assert_eq!(lengths(&[]).await, [Some(0), Some(0)]);
        assert_eq!(lengths(&[3, 4]).await, [Some(7), Some(7)]);
        assert_eq!(lengths(&[SHORT]).await, [Some(SHORT), Some(SHORT)]);
        assert_eq!(lengths(&[5, SHORT, 7, 9]).await, [Some(SHORT + 21), None]);
    }
}
