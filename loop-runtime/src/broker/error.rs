//! Why there is no brokered connection.

use std::io;
use std::sync::Arc;

use crate::transport::{Address, AddressError, ListenError};

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
    /// Of a dial: the announced address does not answer.
    #[error("cannot connect to {address}: {source}")]
    Connect {
        /// What was announced.
        address: Address,
        /// What the system said.
        source: io::Error,
    },
    /// The broker is closed, most likely because its main connection has ended.
    #[error("the broker is closed: {0}")]
    Closed(Arc<str>),
}
