//! LOOP's table in `interop/README.md`.

use crate::matrix::passed;

/// A behaviour, and the trials that show it: with a host in Go, with plugins in Go.
const ROWS: &[(&str, &[&str], &[&str])] = &[
    (
        "construction, in the node's order and numbers; lazily made clients",
        &["construction"],
        &["relayer::construction"],
    ),
    (
        "every call of a relayer and of its provider's components",
        &["components", "round"],
        &["relayer::calls", "relayer::provider", "relayer::reader"],
    ),
    ("a round, from the data sources to the chain", &["round"], &["median::round"]),
    ("components that may be missing", &["construction"], &["median::presence"]),
    ("environment", &["environment"], &["relayer::environment_missing"]),
    (
        "health, under a node's names",
        &["health", "health-names"],
        &["relayer::health_reports", "median::health_reports"],
    ),
    (
        "SIGKILL of the median, of the relayer, in the middle of a call",
        &["kill-median", "kill-relayer", "kill-in-call"],
        &["median::median_killed", "median::relayer_killed", "median::both_killed", "relayer::killed"],
    ),
    ("SIGSTOP, and then SIGCONT or SIGKILL", &["frozen"], &[]),
    (
        "close; idle connections; a relayer that is made twice",
        &["close", "idle", "replaced"],
        &["relayer::closed_objects", "median::closed_first"],
    ),
    ("refusals in Go's words", &["refusals", "never-offered"], &["relayer::refusals", "median::refusals"]),
    (
        "panics, codes, a crash, a loss one hop on, hostile log fields",
        &["panics", "codes", "crash", "one-hop-on", "log-fields"],
        &["median::failures_of_what_is_lent"],
    ),
    (
        "the recordings of the genuine median, up to 33 observations a round, by name too",
        &["golden", "golden-clock", "golden-pendle", "golden-codec", "golden-generic", "golden-reader"],
        &[],
    ),
];

/// The table, of what has passed.
pub(crate) fn table() -> String {
    let mut text =
        "| behaviour | host in Go, plugins in Rust | host in Rust, plugins in Go |\n|---|---|---|\n".to_owned();
    for (behaviour, from_go, from_rust) in ROWS {
        let from_go = cell(from_go, |case| format!("go_host_rust_plugins::{case}"));
        let from_rust = cell(from_rust, |case| format!("rust_host_go_{case}"));
        text += &format!("| {behaviour} | {from_go} | {from_rust} |\n");
    }
    text
}

/// The cases, if all of them passed.
fn cell(cases: &[&str], full: impl Fn(&str) -> String) -> String {
    let names: Vec<String> = cases.iter().map(|case| full(case)).collect();
    if cases.is_empty() || !passed(names.iter().map(String::as_str)) {
        return String::new();
    }
    cases.iter().map(|case| format!("`{case}`")).collect::<Vec<_>>().join(", ")
}
