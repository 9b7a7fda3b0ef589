//! A host with two plugins, a forward between them and several callers, while faults come from a seeded schedule.
//!
//! ```text
//! cargo test -p loop-tests --test chaos -- [--faults 240] [--in-a-row 200] [--seed S] [case..]
//! ```
//!
//! # What is checked
//!
//! The truth about what ran is a file that all processes append to, lines in the order of what happened.
//!
//! | | invariant | held by |
//! |---|---|---|
//! | I1 | every call, constructor and close ends by its deadline | a timer around each, without stalls of this process |
//! | I2 | a handle has one run at a time, and one success per loss | its events |
//! | I3 | nothing of an older generation, an older object or an ended parent is used | its events; the trace |
//! | I4 | reported as not sent: never ran; not idempotent: at most once; idempotent: three times | errors against the trace |
//! | I5 | what is in use exists, and nothing else; in the end nothing | objects in the trace, `/proc`, the runtime's tasks |
//! | I6 | no call of an ended process reaches what was lent to it | the trace |
//! | I7 | no process runs anything after it ended, or after the next was published | the trace |
//! | I8 | everything recovers by itself, or after a reset if something was refused permanently | calls to all handles |
//! | I9 | no more restarts than the budget | the plugins' events |
//! | I10 | a launch that failed permanently is not retried | the plugins' events |
//! | I11 | an open breaker answers at once | a clock around each call |
//! | I12 | closed handles stay silent, children close first | calls after the close; events; the trace |
//! | I13 | events keep to their grammar, without gaps | the plugins' events |
//! | I14 | a permanent refusal is not retried | a refusal that happens only once |
//! | I15 | a caller gets the error of the ancestor that failed | a relayer's refusal, returned to its child's callers |
//! | I16 | no healthy process is killed as hung | which were frozen, and for how long; whose connections were blocked |
//!
//! # What was broken to see that it is caught
//!
//! Each in the runtime, for one run of this test, and then reverted:
//!
//! | breakage | caught by |
//! |---|---|
//! | the next process is launched before the last one is killed and reaped | I5 |
//! | every lost call is retried, idempotent or not | I4 |
//! | a loss is reported as not sent | I4 |
//! | a permanent refusal is not remembered | I14, I15 |
//! | a launch that failed permanently is retried | I10 |
//! | parents are closed before their children | I12 |
//! | missed ticks of the health check are made up for at once | I16 |
//! | a child's callers get an error of its own instead of the ancestor's | I15 |
//! | a launch emits no event | I13 |
//! | a frame that began may take for ever | I8, in `hold_ups_in_a_row` |
//! | callers wait a second beyond their deadline | I1 |
//! | socket directories stay | I5, by what is left |
//! | an object is published twice | I2 |
//!
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

// The package in `portable/` runs this over its own build of the runtime.
#[cfg(loop_portable)]
extern crate loop_portable as loop_runtime;

mod callers;
mod events;
mod faults;
mod leaks;
mod ran;
mod random;
mod rows;
mod schedule;
mod services;
mod shortage;
mod sockets;
mod table;
mod trace;
mod world;

use std::future::Future;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Trial};
use loop_runtime::Handshake;
use loop_runtime::plugin::Plugin;
use rows::Row;
use services::{Ground, Works};
use table::Report;

const HANDSHAKE: Handshake = Handshake::new("CHAOS_PLUGIN", "chaos").version(1);

/// The variable with the directory of a run: of its trace and of the orders to plugins; all sockets are below it.
const DIR: &str = "CHAOS_DIR";

fn main() -> ExitCode {
    match std::env::var_os(DIR).map(PathBuf::from) {
        Some(dir) if std::env::var_os("CHAOS_PLUGIN").is_some() => plugin(&dir),
        Some(dir) => tests(dir),
        None => in_a_directory(),
    }
}

/// Runs this test again with a temporary directory of its own, and in it a disk for sockets.
fn in_a_directory() -> ExitCode {
    let named = || {
        let mut named = tempfile::Builder::new();
        named.prefix("chaos-");
        named
    };
    // In memory, where possible: handlers write to the trace, and a disk that is busy with something else would block
    // whole processes, as if they hung.
    let dir = named().tempdir_in("/dev/shm").or_else(|_| named().tempdir()).expect("a directory");
    let disk = dir.path().join("disk");
    std::fs::create_dir(&disk).expect("a directory");
    let this = std::env::current_exe().expect("this test");
    let run = shortage::with_a_small_disk(&this, &disk)
        .args(std::env::args_os().skip(1))
        .env(DIR, dir.path())
        .env("TMPDIR", &disk)
        .status();
    ExitCode::from(run.expect("a run").code().map_or(1, |code| code as u8))
}

fn plugin(dir: &Path) -> ExitCode {
    shortage::end_inherited();
    if services::claim(dir, "fail-launch") || dir.join("fail-launches").exists() {
        return ExitCode::FAILURE;
    }
    runtime().block_on(Plugin::new(HANDSHAKE).serve::<dyn Works>(Arc::new(Ground::new(dir))))
}

fn tests(dir: PathBuf) -> ExitCode {
    let options = match Options::from_args() {
        Ok(options) => options,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::FAILURE;
        }
    };
    let Options { faults, in_a_row, seed, mut arguments } = options;
    let mut trials = vec![trial("a_schedule_of_faults", seed, dir.clone(), move |dir| async move {
        schedule::run(&dir, faults, seed).await
    })];
    let rows = [
        ("kills_in_a_row", Row::Kills, in_a_row),
        ("freezes_in_a_row", Row::Freezes, in_a_row),
        ("cuts_in_a_row", Row::Cuts, in_a_row),
        ("go_aways_in_a_row", Row::GoAways, in_a_row),
        // Each takes some tenths of a second: a process ends in order.
        ("terminations_in_a_row", Row::Terminations, in_a_row.div_ceil(10)),
        ("restarts_in_a_row", Row::Restarts, in_a_row.div_ceil(10)),
        ("upgrades_in_a_row", Row::Upgrades, in_a_row.div_ceil(10)),
        // Each takes seconds.
        ("hold_ups_in_a_row", Row::HoldUps, in_a_row.div_ceil(50)),
    ];
    for (name, row, times) in rows {
        trials.push(trial(name, seed, dir.clone(), move |dir| async move { rows::run(&dir, row, times, seed).await }));
    }
    // Descriptors and tasks are counted for the process.
    arguments.test_threads = Some(1);
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn trial<F>(name: &'static str, seed: u64, dir: PathBuf, run: impl FnOnce(PathBuf) -> F + Send + 'static) -> Trial
where
    F: Future<Output = Report> + Send + 'static,
{
    Trial::test(name, move || {
        let report = runtime().block_on(async { tokio::spawn(run(dir)).await });
        let report = report.map_err(|panic| panic.to_string())?;
        println!("\n{name}, seed {seed}\n{report}");
        match report.is_clean() {
            true => Ok(()),
            false => {
                let some: Vec<_> = report.wrong.iter().take(10).map(String::as_str).collect();
                let again = format!("replay it with: cargo test -p loop-tests --test chaos -- {name} --seed {seed}");
                Err(format!("{}\nleft: {:?}\n{again}", some.join("\n"), report.leaked).into())
            }
        }
    })
}

struct Options {
    faults: u64,
    in_a_row: u64,
    seed: u64,
    arguments: Arguments,
}

impl Options {
    /// Ours, and those of the test harness.
    fn from_args() -> Result<Self, String> {
        let mut args = std::env::args();
        let mut rest = vec![args.next().unwrap_or_default()];
        let (mut faults, mut in_a_row, mut seed) = (240, 200, 1);
        while let Some(arg) = args.next() {
            let ours = match arg.as_str() {
                "--faults" => &mut faults,
                "--in-a-row" => &mut in_a_row,
                "--seed" => &mut seed,
                _ => {
                    rest.push(arg);
                    continue;
                }
            };
            let value = args.next().and_then(|value| value.parse().ok());
            *ours = value.ok_or_else(|| format!("{arg} needs a number"))?;
        }
        Ok(Self { faults, in_a_row, seed, arguments: Arguments::from_iter(rest) })
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}
