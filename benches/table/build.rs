//! Builds the programs of the other sides.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::shared::Outcome;

/// `benches/peer`, a program of its own so that neither side carries the other's code.
pub(crate) fn peer() -> Outcome<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["bench", "--no-run", "--bench", "peer", "--message-format", "json"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stderr(Stdio::inherit())
        .output()?;
    let lines = String::from_utf8(output.stdout)?;
    lines.lines().filter_map(executable).next_back().ok_or_else(|| "cargo built no peer".into())
}

/// The program that a message of cargo's tells of, if it is the peer.
fn executable(message: &str) -> Option<PathBuf> {
    let message: serde_json::Value = serde_json::from_str(message).ok()?;
    let peer = message["target"]["name"] == "peer";
    message["executable"].as_str().filter(|_| peer).map(PathBuf::from)
}

/// `interop/bench`: host and plugin in Go.
pub(crate) fn go() -> Outcome<PathBuf> {
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("go-bench");
    let output = Command::new("go")
        .args(["build", "-o"])
        .arg(&program)
        .arg("./bench")
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("interop"))
        .env("CGO_ENABLED", "0")
        .output()
        .map_err(|why| format!("go does not run: {why}"))?;
    if output.status.success() { Ok(program) } else { Err(String::from_utf8_lossy(&output.stderr).into()) }
}
