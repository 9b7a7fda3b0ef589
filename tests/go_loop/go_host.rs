//! A host in Go, `interop/loophost`, runs plugins in Rust as a Chainlink node does. Each case is one run of it, which
//! checks its expectations.

use std::path::PathBuf;
use std::process::Command;

use libtest_mimic::Trial;

use crate::{toolchain, trial};

/// Cases with the plugins of `examples/median`, and whether those have the time to clean up.
const EXAMPLE: &[(&str, bool)] = &[
    ("construction", true),
    ("round", true),
    ("components", true),
    ("health", false),
    ("kill-median", false),
    ("kill-relayer", false),
    ("kill-in-call", false),
    ("frozen", false),
    ("close", true),
    ("replaced", true),
    ("idle", true),
    ("refusals", true),
    ("missing", true),
    ("never-offered", true),
    ("golden", true),
    ("golden-codec", true),
    ("golden-generic", true),
    ("golden-reader", true),
    ("golden-clock", true),
    ("golden-pendle", true),
];

/// Cases with the plugin that this binary is.
const FAULTY: &[(&str, bool)] = &[
    ("panics", true),
    ("codes", true),
    ("crash", false),
    ("one-hop-on", true),
    ("health-names", true),
    ("environment", true),
    ("log-fields", true),
];

pub(crate) fn trials() -> impl Iterator<Item = Trial> {
    let with = |plugin: fn() -> PathBuf| {
        move |(case, tidy): &'static (&'static str, bool)| {
            trial(&format!("go_host_rust_plugins::{case}"), move || run(case, plugin(), *tidy))
        }
    };
    let faulty = FAULTY.iter().map(with(|| std::env::current_exe().unwrap()));
    EXAMPLE.iter().map(with(example)).chain(faulty)
}

/// The example, which `cargo test` builds beside this test.
fn example() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let program = test.ancestors().nth(2).unwrap().join("examples/median");
    assert!(program.exists(), "build it first: cargo build --example median");
    program
}

fn run(case: &str, plugin: PathBuf, tidy: bool) {
    let temporary = tempfile::Builder::new().prefix("go").tempdir().unwrap();
    let output = Command::new(toolchain::program("loophost"))
        .arg(case)
        .arg(plugin)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/golden/median.json"))
        .env("TMPDIR", temporary.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {said}", output.status);
    no_process_is_left(temporary.path());
    if tidy {
        // Where a plugin was killed, no process is left to remove its socket, as with a plugin in Go.
        let left: Vec<_> = temporary.path().read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(left.is_empty(), "left behind: {left:?}");
    }
}

/// All of a case's processes have its directory in their environment.
fn no_process_is_left(temporary: &std::path::Path) {
    let mark = format!("TMPDIR={}", temporary.display());
    for process in std::fs::read_dir("/proc").unwrap().flatten() {
        let environment = std::fs::read(process.path().join("environ")).unwrap_or_default();
        let ours = environment.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes());
        assert!(!ours, "a process is left: {}", process.path().display());
    }
}
