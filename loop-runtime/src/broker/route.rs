//! The transport of brokered connections.

use std::fmt;
use std::io;
use std::path::PathBuf;

#[cfg(feature = "mux")]
use super::knocks::{KnockListener, Knocks};
#[cfg(feature = "mux")]
use crate::transport::Stream;
use crate::transport::{self, Accepted, Address, ListenError, Security};

/// Chosen once for a main connection; both sides use the same one.
#[derive(Debug)]
pub(crate) enum BrokerTransport {
    /// A socket of its own for each id, announced with its address.
    Sockets {
        /// Where this side binds its sockets.
        directory: PathBuf,
        /// The members of this group (a gid) may dial too.
        group: Option<u32>,
    },
    /// A stream on the socket of the main connection for each connection.
    #[cfg(feature = "mux")]
    Multiplexed(Knocks),
}

impl BrokerTransport {
    /// Sockets in `directory` that only this user can dial.
    pub(crate) fn sockets(directory: impl Into<PathBuf>) -> Self {
        Self::Sockets { directory: directory.into(), group: None }
    }
}

/// A socket for one id.
pub(super) fn bind(
    directory: &std::path::Path,
    group: Option<u32>,
    security: Security,
) -> Result<transport::Listener, ListenError> {
    let listener = transport::Listener::bind_in(directory)?.secured(security);
    if let Some(group) = group {
        listener.share(group)?;
    }
    Ok(listener)
}

/// Where the connections of one id arrive. Dropping it stops accepting; accepted connections live on.
#[derive(Debug)]
pub(crate) enum Listener {
    Socket(transport::Listener),
    #[cfg(feature = "mux")]
    Multiplexed(KnockListener, Security),
}

impl Listener {
    /// Waits for the next connection. Cancel safe.
    ///
    /// # Errors
    ///
    /// The listener is unusable then.
    pub(crate) async fn accept(&self) -> io::Result<Accepted> {
        match self {
            Self::Socket(listener) => listener.accept().await,
            #[cfg(feature = "mux")]
            Self::Multiplexed(listener, security) => {
                let stream = listener.accept().await.ok_or(io::ErrorKind::NotConnected)?;
                Ok(Accepted::new(Stream::Mux(stream), security.clone()))
            }
        }
    }

    #[cfg(test)]
    pub(super) fn address(&self) -> Address {
        match self {
            Self::Socket(listener) => listener.address(),
            #[cfg(feature = "mux")]
            Self::Multiplexed(..) => unreachable!("a stream has no address"),
        }
    }
}

/// What was dialled, for redialling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    Socket(Address),
    /// The peer's id.
    #[cfg(feature = "mux")]
    Id(u32),
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket(address) => address.fmt(f),
            #[cfg(feature = "mux")]
            Self::Id(id) => write!(f, "a stream for id {id}"),
        }
    }
}
