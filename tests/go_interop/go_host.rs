//! A host in Go runs the plugin in Rust: each case is one run of `interop/host`, which checks its expectations.

use std::process::Command;

use libtest_mimic::Trial;

use crate::mode::Mode;
use crate::{go, trial};

/// The cases of `interop/host`.
const CASES: &[&str] = &[
    "calls",
    "big",
    "errors",
    "details",
    "metadata",
    "compression",
    "deadline",
    "cancellation",
    "lent",
    "made",
    "dials",
    "stdio",
    "logs",
    "ping",
    "crash",
    "panic",
    "version",
    "lower-version",
    "version-refused",
    "cookie-missing",
];

/// Those in which the plugin has no time to clean up.
const KILLED: &[&str] = &["crash", "version-refused"];

pub(crate) fn trials(mode: Mode) -> impl Iterator<Item = Trial> {
    CASES.iter().map(move |case| trial(&mode.trial("go_host_rust_plugin", case), move || run(mode, case)))
}

fn run(mode: Mode, case: &str) {
    let temporary = tempfile::Builder::new().prefix("go").tempdir().unwrap();
    let output = Command::new(go::program("host"))
        .args(mode.flags())
        .arg(case)
        .arg(std::env::current_exe().unwrap())
        .env("TMPDIR", temporary.path())
        .env_remove("RUST_LOG")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {said}", output.status);
    if KILLED.contains(&case) {
        // As with a plugin in Go, no process is left to remove its socket.
        return;
    }
    let left: Vec<_> = temporary.path().read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(left.is_empty(), "left behind: {left:?}");
}
