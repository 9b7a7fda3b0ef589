//! Why there is no brokered connection.

use std::io;
use std::sync::Arc;

use super::route::Destination;
use crate::transport::{AddressError, ListenError};

/// Why a connection could not be offered or dialled. The texts leave the id to the caller, who knows its purpose too.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BrokerError {
    /// Of a listen: all 4,294,967,295 ids are used up.
    #[error("this side has no connection ids left")]
    IdsExhausted,
    /// Of a listen: the socket could not be bound.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// Of a dial: 0 is what an absent id reads as.
    #[error("0 is not the id of a connection")]
    NoId,
    /// Of a dial: nothing was announced in time. Go peers read these very words.
    #[error("timeout waiting for connection info")]
    Timeout,
    /// Of a dial: the peer announced what cannot be dialled.
    #[error("the peer announced a connection that cannot be dialled: {0}")]
    Announcement(AddressError),
    /// Of a dial: what was announced does not answer.
    #[error("cannot connect to {to}: {source}")]
    Connect {
        /// What was announced.
        to: Destination,
        /// What the system said.
        source: io::Error,
    },
    /// Of a multiplexed dial: those before it took too long.
    #[cfg(feature = "mux")]
    #[error("timeout waiting for the multiplexed dials before it")]
    NoTurn,
    /// Of a multiplexed dial: nobody acked the knock in time.
    #[cfg(feature = "mux")]
    #[error("timeout waiting for multiplexing knock handshake")]
    NoAnswer,
    /// Of a multiplexed dial: the peer acked the knock with an error.
    #[cfg(feature = "mux")]
    #[error("failed to knock: {0}")]
    Refused(String),
    /// Of a multiplexed dial: the peer is ready, and there is no stream.
    #[cfg(feature = "mux")]
    #[error("no stream can be opened: {0}")]
    Stream(io::Error),
    /// The broker is closed, most likely because its main connection has ended.
    #[error("the broker is closed: {0}")]
    Closed(Arc<str>),
    /// The plugin has none, as long as it lives.
    #[error("the plugin has no broker")]
    Without,
}
