//! A plugin by hand: a socket, one line, a server.

use std::io::Write as _;
use std::path::PathBuf;

use crate::service::Peer;
use crate::shared::Outcome;

/// The directory for the sockets of plugins.
pub(crate) const SOCKETS: &str = "PLUGIN_UNIX_SOCKET_DIR";

/// Serves until killed.
pub(crate) async fn serve() -> Outcome<()> {
    let directory = PathBuf::from(std::env::var_os(SOCKETS).ok_or("no directory for sockets")?);
    let socket = directory.join(std::process::id().to_string());
    let served = Peer { upstream: None }.serve(&socket)?;
    let mut stdout = std::io::stdout();
    stdout.write_all(format!("1|1|unix|{}|grpc\n", socket.display()).as_bytes())?;
    stdout.flush()?;
    served.await
}
