//! What lies between a socket and the HTTP/2 connection over it.

use std::io;

use super::stream::Stream;

/// How the connections of one plugin's process are secured: the main one and every brokered one, in both directions.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Security {
    /// A socket that only its user can reach is trusted.
    #[default]
    None,
}

impl Security {
    /// Makes a connection of a socket that this side dialled.
    pub(crate) async fn connect(&self, socket: Stream) -> io::Result<Stream> {
        match self {
            Self::None => Ok(socket),
        }
    }

    async fn accept(&self, socket: Stream) -> io::Result<Stream> {
        match self {
            Self::None => Ok(socket),
        }
    }
}

/// A socket that a peer dialled and has not proved to be worth anything yet.
#[derive(Debug)]
pub(crate) struct Accepted {
    socket: Stream,
    security: Security,
}

impl Accepted {
    pub(super) fn new(socket: Stream, security: Security) -> Self {
        Self { socket, security }
    }

    /// Makes a connection of it. The peer may take its time: await this in the connection's own task, never between
    /// two accepts.
    pub(crate) async fn establish(self) -> io::Result<Stream> {
        self.security.accept(self.socket).await
    }
}
