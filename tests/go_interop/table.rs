//! go-plugin's table in `interop/README.md`.

use crate::matrix::passed;
use crate::mode::Mode;

/// A behaviour, and the trials that show it: with a host in Go, with a plugin in Go. Those without `::` are run in every
/// mode; those with `/` name their cell.
const ROWS: &[(&str, &[&str], &[&str])] = &[
    ("calls, 64 MiB both ways", &["calls", "big"], &["calls", "big"]),
    ("all 16 codes with their texts", &["errors"], &["errors"]),
    ("typed errors, as details", &["details"], &["details"]),
    (
        "headers, deadline, cancellation",
        &["metadata", "deadline", "cancellation"],
        &["metadata", "deadline", "cancellation"],
    ),
    ("broker: a service that the host lends", &["lent"], &["lent"]),
    ("broker: a service that the plugin makes, and its release", &["made"], &["made"]),
    ("broker: 500 of each", &["dials"], &["dials"]),
    ("what the plugin prints, long lines too", &["stdio"], &["stdio"]),
    ("what the plugin logs, level by level", &["logs"], &["logs"]),
    ("ping; Shutdown obeyed, no kill", &["ping"], &["ping"]),
    ("a crash in the middle of a call, a kill", &["crash"], &["crash", "killed"]),
    ("a panic is an answer", &["panic"], &[]),
    (
        "versions negotiated, refused",
        &["version", "lower-version", "version-refused"],
        &["versions", "version_refused"],
    ),
    ("cookie missing", &["cookie-missing"], &["cookie_missing"]),
    ("a plugin that is a host itself, of a plugin in Go", &["go_host_rust_plugin_go_plugin"], &[]),
    (
        "a host that is killed",
        &["life::our_plugin_ends_with_its_go_host"],
        &["life::a_go_plugin_ends_with_our_host", "life::our_host_reaches_a_go_plugin_through_ours"],
    ),
    (
        "reattach, one host after another",
        &["reattach::a_go_host_to_what_another_left"],
        &["reattach::our_host_to_a_go_plugin"],
    ),
    ("test mode", &["reattach::a_go_host_to_our_test_mode"], &["reattach::our_host_to_gos_test_mode"]),
    ("a checksum (SecureConfig)", &[], &["reattach::a_go_plugin_runs_with_its_checksum_only"]),
    ("a plugin that misbehaves", &[], &["misbehaving::*"]),
    (
        "connections of a limited age: nothing is lost, the process stays",
        &[],
        &["graceful_go_plugin/age_idle", "graceful_go_plugin/age_busy"],
    ),
    (
        "the same, cut after a grace: longer calls may have run; a new process, for its broker",
        &[],
        &["graceful_go_plugin/grace_idle", "graceful_go_plugin/grace_busy"],
    ),
    ("the same, where nothing is lent or made: the process stays", &[], &["graceful_go_plugin/grace_without_broker"]),
    (
        "few calls at a time: nothing is lost, and nobody taken for hung",
        &["graceful_go_host/in-flight-1", "graceful_go_host/in-flight-2", "graceful_go_host/in-flight-3"],
        &[
            "graceful_go_plugin/limit_idle",
            "graceful_go_plugin/limit_busy",
            "graceful_go_plugin/limit_at_the_start",
            "graceful_go_plugin/limit_at_a_restart",
        ],
    ),
    (
        "`GracefulStop` of a plugin: nothing is lost",
        &[],
        &["graceful_go_plugin/stop_idle", "graceful_go_plugin/stop_busy"],
    ),
    (
        "`GracefulStop` of a plugin: calls under way may have run",
        &[],
        &["graceful_go_plugin/stop_idle", "graceful_go_plugin/stop_multiplexed_busy"],
    ),
    (
        "a plugin that ends by itself: calls under way may have run",
        &["graceful_go_host/ends"],
        &["graceful_go_plugin/exit_idle", "graceful_go_plugin/exit_busy"],
    ),
    (
        "SIGTERM to a plugin in Go: calls under way may have run",
        &[],
        &["graceful_go_plugin/sigterm_idle", "graceful_go_plugin/sigterm_busy"],
    ),
    ("SIGTERM to a plugin in Rust: nothing is lost that ran, hooks run", &["graceful_go_host/sigterm"], &[]),
    ("`Kill` during calls: those may have run, hooks run", &["graceful_go_host/kill-in-call"], &[]),
    ("a host that takes little at a time: nothing is lost", &["graceful_go_host/limits"], &[]),
    ("a program that is away when it is to be started again", &[], &["graceful_go_plugin/program_away"]),
];

/// The table, of what has passed.
pub(crate) fn table() -> String {
    let mut text = "| behaviour | plain | AutoMTLS | multiplexed | both |\n|---|---|---|---|---|\n".to_owned();
    for (behaviour, from_go, from_rust) in ROWS {
        text += &format!("| {behaviour} |");
        for mode in Mode::ALL {
            let host = shown(mode, "go_host_rust_plugin", from_go);
            let plugin = shown(mode, "rust_host_go_plugin", from_rust);
            text += match (host, plugin) {
                (true, true) => " both ways |",
                (true, false) => " host in Go |",
                (false, true) => " plugin in Go |",
                (false, false) => " |",
            };
        }
        text.push('\n');
    }
    text
}

fn shown(mode: Mode, cell: &str, cases: &[&str]) -> bool {
    let names: Vec<String> = cases
        .iter()
        .filter_map(|case| match case {
            // A cell of its own, of which every case counts.
            &"go_host_rust_plugin_go_plugin" => Some(mode.trial(case, "*")),
            case if case.contains('/') => case.split_once('/').map(|(cell, case)| mode.trial(cell, case)),
            case if case.contains("::") => (mode == Mode::Plain).then(|| (*case).to_owned()),
            case => Some(mode.trial(cell, case)),
        })
        .collect();
    !names.is_empty() && passed(names.iter().map(String::as_str))
}
