//! A host in Go, and a plugin in Rust that ends, or has a low limit of concurrent calls.

use std::collections::HashMap;
use std::process::{Command, ExitCode};
use std::sync::Arc;

use libtest_mimic::Trial;
use loop_runtime::plugin::Plugin;
use tokio::signal::unix::{SignalKind, signal};

use crate::mode::Mode;
use crate::notes::{self, Notes};
use crate::probe::{Probe, RustProbe};
use crate::{go, trial};

/// Names the case to a plugin of this binary.
pub(crate) const CASE: &str = "INTEROP_GRACEFUL";

/// The cases of `interop/host`.
const CASES: &[&str] = &[
    // The plugin gets SIGTERM.
    "sigterm",
    // It exits by itself, at SIGUSR2.
    "ends",
    "kill-in-call",
    // The host has low limits.
    "limits",
    // The plugin's limit of concurrent calls.
    "in-flight-1",
    "in-flight-2",
    "in-flight-3",
];

/// Those in which a call that the host lost may have run.
const MAY_HAVE_RUN: &[&str] = &["ends", "kill-in-call", "limits"];

pub(crate) fn trials(mode: Mode) -> impl Iterator<Item = Trial> {
    CASES.iter().map(move |case| {
        trial(&mode.trial("graceful_go_host", case), move || {
            let (said, notes) = run(mode, case);
            hold(&said, &notes, MAY_HAVE_RUN.contains(case));
            // In each case one process is asked to end; another one that exits by itself has no time for hooks.
            assert_eq!(notes.hooks, ["first", "second"]);
        })
    })
}

/// The plugin.
pub(crate) async fn serve(plugin: Plugin, case: &str) -> ExitCode {
    let plugin = match case.strip_prefix("in-flight-") {
        Some(calls) => plugin.max_calls_in_flight(calls.parse().unwrap()),
        None => plugin,
    };
    let mut told = signal(SignalKind::user_defined2()).unwrap();
    let serve = plugin
        .on_shutdown(|| async { notes::note("hook first") })
        .on_shutdown(|| async { notes::note("hook second") })
        .serve::<dyn Probe>(Arc::new(RustProbe::default()));
    let leaves = async {
        loop {
            told.recv().await;
            if case == "ends" {
                return;
            }
            println!("told by a signal");
        }
    };
    tokio::select! {
        code = serve => code,
        () = leaves => ExitCode::SUCCESS,
    }
}

/// Runs one case; returns its output, and the plugin's notes.
fn run(mode: Mode, case: &str) -> (String, Notes) {
    let temporary = tempfile::Builder::new().prefix("go").tempdir().unwrap();
    let notes = temporary.path().join("notes");
    let output = Command::new(go::program("host"))
        .args(mode.flags())
        .arg(case)
        .arg(std::env::current_exe().unwrap())
        .env("TMPDIR", temporary.path())
        .env(CASE, case)
        .env(notes::FILE, &notes)
        .env_remove("RUST_LOG")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}: {}", output.status, String::from_utf8_lossy(&output.stderr));
    let read = Notes::read(&notes);
    std::fs::remove_file(&notes).unwrap();
    let left: Vec<_> = temporary.path().read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(left.is_empty(), "left behind: {left:?}");
    (String::from_utf8(output.stdout).unwrap(), read)
}

/// What was answered ran once; what was lost did not run, or once if it may have.
fn hold(said: &str, notes: &Notes, lost_may_have_run: bool) {
    let mut jobs = notes.jobs.clone();
    for line in said.lines() {
        let (what, job) = line.split_once(' ').unwrap();
        let times = jobs.remove(&job.parse().unwrap()).unwrap_or(0);
        match what {
            "answered" => assert_eq!(times, 1, "{line}"),
            "lost" => assert!(times <= u64::from(lost_may_have_run), "{line}, and has run {times} times"),
            _ => panic!("{line}"),
        }
    }
    assert_eq!(jobs, HashMap::new(), "nobody asked for these");
}
