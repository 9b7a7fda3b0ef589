//! Calls with any number of messages in either direction.
//!
//! The rest of the crate sees encoded messages: [`Outbound`] on their way out, [`Exchange`] and [`Requests`] on their way in.

mod batches;
mod exchange;
mod serving;

use std::pin::Pin;

use bytes::Bytes;
use tonic::Status;

pub(crate) use exchange::{Asked, Exchange};
pub(crate) use serving::{Replied, Requests, answer_streaming};

/// Messages on their way out, without frames. Polled only when the peer has room, and not after its end.
///
/// An error ends it. A server sends the status in trailers; a client has no status to send, and cancels the call.
pub(crate) type Outbound = Pin<Box<dyn futures_core::Stream<Item = Result<Bytes, Box<Status>>> + Send>>;
