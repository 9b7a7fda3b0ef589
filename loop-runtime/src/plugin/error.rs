//! Why a plugin does not start.

use std::io;

use super::environment::EnvironmentError;
use super::socket::SocketError;
use crate::transport::OfferError;

/// `Display` is the one line that the plugin prints before it ends.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error("there is no tokio runtime: call serve inside one")]
    NoRuntime,
    #[error("cannot capture stdout: {0}")]
    Stdout(#[source] io::Error),
    #[error("cannot watch signals and the host: {0}")]
    Signals(#[source] io::Error),
    #[error(transparent)]
    Socket(#[from] SocketError),
    #[error("PLUGIN_CLIENT_CERT is set: {0}")]
    Tls(#[from] OfferError),
    #[error(transparent)]
    Environment(#[from] EnvironmentError),
    #[error("cannot serve /metrics on port {port}: {source}")]
    #[cfg(feature = "metrics-endpoint")]
    Metrics { port: u16, source: io::Error },
    #[error("{0}")]
    Service(String),
    #[error("the host does not read the handshake line: {0}")]
    Line(#[source] io::Error),
}
