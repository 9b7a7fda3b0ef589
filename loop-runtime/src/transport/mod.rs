//! One HTTP/2 connection per side, and gRPC's calls over it.
//!
//! The rest of the crate calls through a [`Connection`] and serves through [`serve_connection`]; h2 stays in this
//! module, and `tonic::Status` is the only type of tonic that others need. Two choices differ from what tonic's
//! `Channel` and `Server` would do:
//!
//! * A connection is dialled once. It is usable, then maybe retired, then ended; each change is an event
//!   ([`Connection::retired`], [`Connection::ended`]), and nothing reconnects behind the back of a generation, where
//!   the same address may already belong to another process.
//! * A [`Failure`] says what is known of the call: it cannot be sent, it did not run, it may have run, or the peer
//!   responded. A status code alone cannot tell a handler's `Unavailable` from a lost connection.
//!
//! `tests/door` holds these promises, without using h2.
//!
//! Calls are framed here (see `frame`, and `streaming` for those with many messages); the fixed services of `proto` are clients and servers that tonic
//! generates, which run over the same connections.

mod address;
mod assembly;
mod body;
mod busy_poll;
mod client;
mod failure;
mod frame;
mod frames;
mod guard;
mod header_blocks;
mod limits;
mod listener;
#[cfg(feature = "mux")]
mod mux;
mod offer;
mod peer;
mod security;
mod sendable;
mod server;
mod signs;
mod socket;
mod state;
mod status;
mod stream;
mod streaming;
mod ticks;
mod timeout;
#[cfg(feature = "auto-mtls")]
mod tls;
mod tune;
mod unary;
mod whole_frames;

use std::future::Future;
use std::pin::Pin;

pub(crate) use address::{Address, AddressError};
pub(crate) use client::Connection;
pub(crate) use failure::Failure;
pub(crate) use frame::PREFIX as MESSAGE_PREFIX;
#[cfg(any(test, fuzzing))]
pub(crate) use header_blocks::header_blocks_of;
pub(crate) use limits::Limits;
pub(crate) use listener::{ListenError, Listener};
#[cfg(all(feature = "mux", any(test, fuzzing)))]
pub(crate) use mux::streams_of;
#[cfg(feature = "mux")]
pub(crate) use mux::{MuxSession, MuxStream};
pub(crate) use offer::{Offer, OfferError, TlsMode, answer};
pub(crate) use peer::is_our_client;
pub(crate) use security::{Accepted, Security};
pub(crate) use sendable::is_of_one_connection;
pub(crate) use server::{ConnectionId, Deadline, Handler, serve_connection};
pub(crate) use signs::SignsOfLife;
pub(crate) use stream::Stream;
pub(crate) use streaming::{Asked, Exchange, Outbound, Replied, Requests, answer_streaming};
#[cfg(any(test, fuzzing))]
pub(crate) use timeout::received as received_timeout;
#[cfg(all(feature = "auto-mtls", any(test, fuzzing)))]
pub(crate) use tls::Certificate;
pub(crate) use unary::answer_unary;

pub(crate) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

#[cfg(test)]
mod tests;
