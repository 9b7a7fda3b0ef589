//! Many streams over one socket: yamux, as go-plugin uses it when a host asks for a multiplexed broker.
//!
//! The host is yamux's client and opens the main connection as its first stream; either side opens further ones for
//! what is lent. Each stream carries what a socket of its own would: TLS if the plugin's connections are secured, then
//! HTTP/2. Which stream belongs to what is not known here: yamux has no names, so the broker keeps count.
//!
//! The framing is the crate `yamux`'s, with three settings or habits that go-plugin needs:
//!
//! * Windows stay at 256 KiB. The crate would grow those of fast streams, and Go, which knows no limit of a frame but
//!   the window, may then send a frame that is longer than the crate takes, which ends the session.
//! * A stream that is opened is told at once, by an empty frame, and so is one that was taken in; the crate leaves both
//!   to the first data. Go counts streams by the first, and ends a session that owes it the second for 75 s.
//! * A session that is idle is asked for a sign of life every 30 s, and is over 10 s after a question without an answer,
//!   as in Go.

mod session;
mod stream;
mod tap;

pub(crate) use session::MuxSession;
pub(crate) use stream::MuxStream;

#[cfg(test)]
mod tests;
