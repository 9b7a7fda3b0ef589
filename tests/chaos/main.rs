//! A host with two plugins, a forward between them and several callers, while faults come from a seeded schedule.
//!
//! ```text
//! cargo test --test chaos -- [--faults 240] [--in-a-row 200] [--seed S] [case..]
//! ```
//!
//! What is checked: every call, constructor and close ends by its deadline; a call told as not sent never ran, one
//! that is not idempotent ran at most once, an idempotent one three times; no process runs anything after the next
//! one was published; all handles answer in the end; closed handles stay silent; events keep to their grammar; no
//! healthy process is taken for hung; nothing is left: processes, sockets, descriptors, tasks. The truth about what
//! ran is a file that all processes append to.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod callers;
mod events;
mod faults;
mod leaks;
mod random;
mod rows;
mod schedule;
mod services;
mod sockets;
mod table;
mod trace;
mod world;

use std::future::Future;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Arc;

use libtest_mimic::{Arguments, Trial};
use loop_runtime::Handshake;
use loop_runtime::plugin::Plugin;
use rows::Row;
use services::{Ground, Works};
use table::Report;

const HANDSHAKE: Handshake = Handshake::new("CHAOS_PLUGIN", "chaos").version(1);

/// Names the directory of a run: of its trace, of the orders to plugins, and, as `TMPDIR`, of all sockets.
const DIR: &str = "CHAOS_DIR";

fn main() -> ExitCode {
    match std::env::var_os(DIR).map(PathBuf::from) {
        Some(dir) if std::env::var_os("CHAOS_PLUGIN").is_some() => plugin(&dir),
        Some(dir) => tests(dir),
        None => in_a_directory(),
    }
}

/// Runs this test again with a temporary directory of its own.
fn in_a_directory() -> ExitCode {
    let dir = tempfile::Builder::new().prefix("chaos-").tempdir().expect("a directory");
    let this = std::env::current_exe().expect("this test");
    let run =
        Command::new(this).args(std::env::args_os().skip(1)).env(DIR, dir.path()).env("TMPDIR", dir.path()).status();
    ExitCode::from(run.expect("a run").code().map_or(1, |code| code as u8))
}

fn plugin(dir: &Path) -> ExitCode {
    if services::claim(dir, "fail-launch") {
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
    for (name, row) in
        [("kills_in_a_row", Row::Kills), ("freezes_in_a_row", Row::Freezes), ("cuts_in_a_row", Row::Cuts)]
    {
        trials.push(trial(
            name,
            seed,
            dir.clone(),
            move |dir| async move { rows::run(&dir, row, in_a_row, seed).await },
        ));
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
                let again = format!("replay it with: cargo test --test chaos -- {name} --seed {seed}");
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
