//! The layer between a socket and the HTTP/2 connection over it.

use std::io;
#[cfg(feature = "auto-mtls")]
use std::time::Duration;

use super::stream::Stream;
#[cfg(feature = "auto-mtls")]
use super::tls::Tls;
#[cfg(feature = "auto-mtls")]
use crate::lived;

/// How long a peer that dialled may take to authenticate. Those who dial have a timeout of their own.
#[cfg(feature = "auto-mtls")]
pub(super) const PROOF: Duration = Duration::from_secs(10);

/// How the connections of one plugin's process are secured: the main one and every brokered one, in both directions.
#[derive(Clone, Debug, Default)]
pub(crate) enum Security {
    /// A socket that only its user can dial is trusted.
    #[default]
    None,
    /// Mutual TLS between the two processes.
    #[cfg(feature = "auto-mtls")]
    Tls(Tls),
}

impl Security {
    /// Makes a connection of a socket that this side dialled. The caller sets the timeout.
    ///
    /// Under TLS 1.3 a peer that refuses this side's certificate does so after this has returned: then the connection
    /// ends at once.
    pub(crate) async fn connect(&self, socket: Stream) -> io::Result<Stream> {
        match self {
            Self::None => Ok(socket),
            #[cfg(feature = "auto-mtls")]
            Self::Tls(tls) => tls.connect(socket).await,
        }
    }

    async fn accept(&self, socket: Stream) -> io::Result<Stream> {
        match self {
            Self::None => Ok(socket),
            #[cfg(feature = "auto-mtls")]
            Self::Tls(tls) => match lived::within(PROOF, tls.accept(socket)).await {
                Some(accepted) => accepted,
                None => Err(io::Error::new(io::ErrorKind::TimedOut, "the peer did not finish the TLS handshake")),
            },
        }
    }
}

/// A socket that a peer dialled, not yet authenticated.
#[derive(Debug)]
pub(crate) struct Accepted {
    socket: Stream,
    security: Security,
}

impl Accepted {
    pub(crate) fn new(socket: Stream, security: Security) -> Self {
        Self { socket, security }
    }

    /// Makes a connection of it. The peer may take its time, within limits: await this in the connection's own task,
    /// never between two accepts.
    pub(crate) async fn establish(self) -> io::Result<Stream> {
        self.security.accept(self.socket).await
    }
}
