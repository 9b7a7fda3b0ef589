//! A plugin by hand: a socket, one line, a server.

#![allow(missing_docs, reason = "a bench")]

mod service;
#[path = "../shared/mod.rs"]
mod shared;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use service::Peer;
use shared::{Outcome, SOCKETS};

fn main() -> ExitCode {
    shared::plugin(serve())
}

/// Serves until killed.
async fn serve() -> Outcome<()> {
    let directory = PathBuf::from(std::env::var_os(SOCKETS).ok_or("no directory for sockets")?);
    let socket = directory.join(std::process::id().to_string());
    let served = Peer { upstream: None }.serve(&socket)?;
    let mut stdout = std::io::stdout();
    stdout.write_all(format!("1|1|unix|{}|grpc\n", socket.display()).as_bytes())?;
    stdout.flush()?;
    served.await
}
