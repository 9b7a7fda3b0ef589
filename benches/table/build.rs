//! Builds the programs of the other sides.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::shared::Outcome;

/// The programs of one stack.
#[derive(Clone, Debug)]
pub(crate) struct Programs {
    pub(crate) host: PathBuf,
    pub(crate) plugin: PathBuf,
    /// Whether the two use AutoMTLS.
    pub(crate) auto_mtls: bool,
}

/// Builds the stacks in Rust: the peer, then ours.
pub(crate) fn rust() -> Outcome<[Programs; 2]> {
    Ok([stack("tonic", false)?, stack("ours", false)?])
}

/// Builds ours with AutoMTLS, which no other row has in its programs.
pub(crate) fn secured() -> Outcome<Programs> {
    stack("ours", true)
}

fn stack(name: &str, auto_mtls: bool) -> Outcome<Programs> {
    let names = [format!("{name}_host"), format!("{name}_plugin")];
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["bench", "--no-run", "--message-format", "json"])
        .args(if auto_mtls { ["--features", "auto-mtls"].as_slice() } else { &[] })
        .args(names.iter().flat_map(|name| ["--bench", name]))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stderr(Stdio::inherit())
        .output()?;
    let messages = String::from_utf8(output.stdout)?;
    let program = |name: &str| {
        let path = messages.lines().find_map(|message| executable(message, name));
        path.ok_or_else(|| format!("cargo built no {name}"))
    };
    Ok(Programs { host: program(&names[0])?, plugin: program(&names[1])?, auto_mtls })
}

/// The program `name`, if this message of cargo contains it.
fn executable(message: &str, name: &str) -> Option<PathBuf> {
    let message: serde_json::Value = serde_json::from_str(message).ok()?;
    let wanted = message["target"]["name"] == name;
    message["executable"].as_str().filter(|_| wanted).map(PathBuf::from)
}

/// `interop/bench`: host and plugin in Go.
pub(crate) fn go() -> Outcome<Programs> {
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("go-bench");
    let output = Command::new("go")
        .args(["build", "-o"])
        .arg(&program)
        .arg("./bench")
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("interop"))
        .env("CGO_ENABLED", "0")
        .output()
        .map_err(|why| format!("go does not run: {why}"))?;
    if output.status.success() {
        Ok(Programs { host: program.clone(), plugin: program, auto_mtls: false })
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into())
    }
}
