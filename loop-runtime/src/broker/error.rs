//! Why there is no brokered connection.

use std::io;
use std::sync::Arc;

use super::route::Destination;
use crate::transport::{AddressError, ListenError};

/// Why a connection could not be offered or dialled. The texts omit the id: the caller adds it with its purpose.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BrokerError {
    /// Listening: all 4,294,967,295 ids are used up.
    #[error("this side has no connection ids left")]
    IdsExhausted,
    /// Listening: the socket could not be bound.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// Dialling: the id is 0, which is what an absent id reads as.
    #[error("0 is not the id of a connection")]
    NoId,
    /// Dialling: nothing was announced in time. Go peers see this exact text.
    #[error("timeout waiting for connection info")]
    Timeout,
    /// Dialling: the announced address is invalid.
    #[error("the peer announced a connection that cannot be dialled: {0}")]
    Announcement(AddressError),
    /// Dialling: connecting to the announced address failed.
    #[error("cannot connect to {to}: {source}")]
    Connect {
        /// What was announced.
        to: Destination,
        /// The system's error.
        source: io::Error,
    },
    /// Dialling, multiplexed: the dials queued before it took too long.
    #[cfg(feature = "mux")]
    #[error("timeout waiting for the multiplexed dials before it")]
    NoTurn,
    /// Dialling, multiplexed: the knock was not acked in time.
    #[cfg(feature = "mux")]
    #[error("timeout waiting for multiplexing knock handshake")]
    NoAnswer,
    /// Dialling, multiplexed: the peer acked the knock with an error.
    #[cfg(feature = "mux")]
    #[error("failed to knock: {0}")]
    Refused(String),
    /// Dialling, multiplexed: the peer acked, but no stream could be opened.
    #[cfg(feature = "mux")]
    #[error("no stream can be opened: {0}")]
    Stream(io::Error),
    /// The broker is closed, most likely because its main connection has ended.
    #[error("the broker is closed: {0}")]
    Closed(Arc<str>),
    /// The plugin has no broker, for as long as it lives.
    #[error("the plugin has no broker")]
    Without,
}
