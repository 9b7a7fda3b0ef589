//! Go's part of a test: whether it is installed, and building its programs.

#![allow(dead_code, reason = "each test binary uses its part")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Builds programs of `interop/`, which exist as [`program`]s then, and returns the version of Go.
///
/// # Errors
///
/// What is missing. It has been printed as the reason why tests are skipped, in one line if Go itself is absent; with
/// `LOOP_REQUIRE_GO=1`, a test binary fails for it.
pub(crate) fn ready(programs: &[&str]) -> Result<String, Missing> {
    version().and_then(|version| build(programs).map(|()| version)).map_err(|why| {
        println!("tests with Go skipped: {}", why.trim());
        Missing { required: std::env::var_os("LOOP_REQUIRE_GO").is_some_and(|value| value == "1") }
    })
}

/// Go, or what its programs are built from, is missing.
pub(crate) struct Missing {
    /// Whether that is a failure.
    pub(crate) required: bool,
}

/// A program of `interop/`, in cargo's directory for files of tests.
pub(crate) fn program(name: &str) -> PathBuf {
    built().join(name)
}

/// `go`, in `interop/`.
pub(crate) fn command(args: &[&str]) -> Command {
    let mut command = Command::new("go");
    command.args(args).current_dir(interop()).env("CGO_ENABLED", "0");
    command
}

/// The Go module.
pub(crate) fn interop() -> PathBuf {
    repository().join("interop")
}

/// The root of the repository, from any of its packages.
pub(crate) fn repository() -> PathBuf {
    let mut above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    above.find(|dir| dir.join("interop/go.mod").exists()).unwrap_or_else(|| panic!("no interop/go.mod")).to_owned()
}

/// The version of Go on this machine.
pub(crate) fn version() -> Result<String, String> {
    let output = command(&["version"]).output().map_err(|why| format!("go does not run: {why}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Builds programs of `interop/`, each in the directory of its name.
pub(crate) fn build(programs: &[&str]) -> Result<(), String> {
    fs::create_dir_all(built()).map_err(|why| why.to_string())?;
    let mut out = built().into_os_string();
    out.push("/");
    let packages = programs.iter().map(|name| format!("./{name}"));
    let output = command(&["build", "-o"]).arg(out).args(packages).output().map_err(|why| why.to_string())?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

fn built() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("interop")
}
