//! The body that a stream of messages is sent as.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body::{Body, Frame};
use tonic::Status;

use super::Outbound;
use crate::transport::frame::{self, JOIN_UP_TO, PREFIX};
use crate::transport::unary;

/// Messages that are ready together leave in one DATA frame of about this size: that costs a fraction of a frame each.
const BATCH: usize = 16 * 1024;

/// What follows the last message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Nothing; an error breaks the body off.
    Client,
    /// Trailers with the status.
    Server,
}

/// Frames messages as they come.
pub(super) struct Batches {
    /// `None` after its end.
    messages: Option<Outbound>,
    role: Role,
    /// A message that is too long for a batch; its prefix was sent.
    long: Option<Bytes>,
    /// How the messages ended, until that is sent.
    end: Option<Result<(), Box<Status>>>,
    /// The length of the last batch.
    last: usize,
}

impl Batches {
    pub(super) fn new(messages: Outbound, role: Role) -> Self {
        Self { messages: Some(messages), role, long: None, end: None, last: 0 }
    }

    /// Takes messages as long as they are ready and fit.
    fn fill(&mut self, cx: &mut Context<'_>) -> BytesMut {
        let mut batch = BytesMut::new();
        while let Some(messages) = &mut self.messages {
            let message = match messages.as_mut().poll_next(cx) {
                Poll::Pending => break,
                Poll::Ready(Some(Ok(message))) => message,
                Poll::Ready(Some(Err(status))) => {
                    self.finish(Err(status));
                    break;
                }
                Poll::Ready(None) => {
                    self.finish(Ok(()));
                    break;
                }
            };
            if batch.is_empty() {
                batch.reserve((PREFIX + message.len()).max(self.last).min(BATCH));
            }
            if let Err(status) = frame::put_prefix(message.len(), &mut batch) {
                self.finish(Err(status));
                break;
            }
            if message.len() > JOIN_UP_TO {
                self.long = Some(message);
                break;
            }
            batch.extend_from_slice(&message);
            if batch.len() >= BATCH {
                break;
            }
        }
        self.last = batch.len();
        batch
    }

    fn finish(&mut self, end: Result<(), Box<Status>>) {
        // Dropped before the peer can see the end.
        self.messages = None;
        self.end = Some(end);
    }
}

impl Body for Batches {
    type Data = Bytes;
    type Error = Box<Status>;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if let Some(long) = self.long.take() {
            return Poll::Ready(Some(Ok(Frame::data(long))));
        }
        let batch = self.fill(cx);
        if !batch.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(batch.freeze()))));
        }
        let Some(end) = self.end.take() else {
            return if self.messages.is_some() { Poll::Pending } else { Poll::Ready(None) };
        };
        Poll::Ready(match (self.role, end) {
            (Role::Client, Ok(())) => None,
            (Role::Client, Err(status)) => Some(Err(status)),
            (Role::Server, end) => {
                let mut trailers = HeaderMap::new();
                match end {
                    Ok(()) => {
                        trailers.insert(unary::GRPC_STATUS, unary::OK.clone());
                        Some(Ok(Frame::trailers(trailers)))
                    }
                    Err(status) => {
                        // It fails for metadata that no header can carry; then only code and text are sent.
                        if status.add_header(&mut trailers).is_err() {
                            trailers.clear();
                            let _ = Status::new(status.code(), status.message()).add_header(&mut trailers);
                        }
                        Some(Ok(Frame::trailers(trailers)))
                    }
                }
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        let nothing_left = self.messages.is_none() && self.long.is_none();
        nothing_left && (self.end.is_none() || (self.role == Role::Client && matches!(self.end, Some(Ok(())))))
    }

    fn size_hint(&self) -> http_body::SizeHint {
        match self.messages.is_none() && self.long.is_none() {
            true => http_body::SizeHint::with_exact(0),
            false => http_body::SizeHint::default(),
        }
    }
}
