//! How a plugin listens: on a socket for each connection, or on one for all.

use std::path::PathBuf;

use super::serving::Serving;
use super::socket::SocketDir;
use crate::broker::BrokerTransport;
#[cfg(feature = "mux")]
use crate::broker::Knocks;
use crate::transport::{Listener, Security};

/// The mode that the host asked for and this plugin supports.
pub(super) enum ListenMode {
    /// On sockets in `directory`, which the members of `group` may dial too.
    Sockets { directory: PathBuf, group: Option<u32>, asked: bool },
    /// On one.
    #[cfg(feature = "mux")]
    Multiplexed(Knocks),
}

impl ListenMode {
    /// Reads `PLUGIN_MULTIPLEX_GRPC`: any non-empty value enables multiplexing.
    pub(super) fn from_env(dir: &SocketDir) -> Self {
        match std::env::var_os("PLUGIN_MULTIPLEX_GRPC").is_some_and(|value| !value.is_empty()) {
            #[cfg(feature = "mux")]
            true => Self::Multiplexed(Knocks::new()),
            asked => Self::Sockets { directory: dir.path().to_owned(), group: dir.group(), asked },
        }
    }

    /// The transport of brokered connections.
    pub(super) fn route(&self) -> BrokerTransport {
        match self {
            Self::Sockets { directory, group, .. } => {
                BrokerTransport::Sockets { directory: directory.clone(), group: *group }
            }
            #[cfg(feature = "mux")]
            Self::Multiplexed(knocks) => BrokerTransport::Multiplexed(knocks.clone()),
        }
    }

    /// The seventh field of the handshake line, with the separator before it. Hosts that did not ask may predate the
    /// field, and would take it for a part of the sixth.
    pub(super) fn field(&self) -> &'static str {
        match self {
            Self::Sockets { asked: false, .. } => "",
            Self::Sockets { asked: true, .. } => "|false",
            #[cfg(feature = "mux")]
            Self::Multiplexed(_) => "|true",
        }
    }

    /// Serves the connections that the host dials, until shutdown is requested.
    pub(super) async fn accept(&self, serving: &Serving, listener: Listener, security: Security) {
        match self {
            Self::Sockets { .. } => serving.accept(listener.secured(security)).await,
            #[cfg(feature = "mux")]
            Self::Multiplexed(knocks) => serving.accept_multiplexed(listener, knocks, security).await,
        }
    }
}
