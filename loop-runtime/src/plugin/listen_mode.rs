//! How a plugin is reached: by a socket for each connection, or by one for all.

use std::path::PathBuf;

use super::serving::Serving;
use super::socket::SocketDir;
use crate::broker::BrokerTransport;
#[cfg(feature = "mux")]
use crate::broker::Knocks;
use crate::transport::{Listener, Security};

/// What the host asked for and this plugin can do.
pub(super) enum ListenMode {
    /// By sockets in `directory`, which the members of `group` may dial too.
    Sockets { directory: PathBuf, group: Option<u32>, asked: bool },
    /// By one.
    #[cfg(feature = "mux")]
    Multiplexed(Knocks),
}

impl ListenMode {
    /// The host says in `PLUGIN_MULTIPLEX_GRPC` what it wants: anything but nothing is one for all.
    pub(super) fn from_env(dir: &SocketDir) -> Self {
        match std::env::var_os("PLUGIN_MULTIPLEX_GRPC").is_some_and(|value| !value.is_empty()) {
            #[cfg(feature = "mux")]
            true => Self::Multiplexed(Knocks::new()),
            asked => Self::Sockets { directory: dir.path().to_owned(), group: dir.group(), asked },
        }
    }

    /// Of brokered connections.
    pub(super) fn route(&self) -> BrokerTransport {
        match self {
            Self::Sockets { directory, group, .. } => {
                BrokerTransport::Sockets { directory: directory.clone(), group: *group }
            }
            #[cfg(feature = "mux")]
            Self::Multiplexed(knocks) => BrokerTransport::Multiplexed(knocks.clone()),
        }
    }

    /// The seventh field of the handshake line, with what parts it from the sixth. Hosts that did not ask may be of
    /// before the field, and would take it for a part of the sixth.
    pub(super) fn field(&self) -> &'static str {
        match self {
            Self::Sockets { asked: false, .. } => "",
            Self::Sockets { asked: true, .. } => "|false",
            #[cfg(feature = "mux")]
            Self::Multiplexed(_) => "|true",
        }
    }

    /// Serves what the host dials, until the end is asked for.
    pub(super) async fn accept(&self, serving: &Serving, listener: Listener, security: Security) {
        match self {
            Self::Sockets { .. } => serving.accept(listener.secured(security)).await,
            #[cfg(feature = "mux")]
            Self::Multiplexed(knocks) => serving.accept_multiplexed(listener, knocks, security).await,
        }
    }
}
