//! A price feed as a Chainlink node runs it, on real input: a host, a relayer plugin and a median plugin, each a process
//! of its own. `cargo run --example median -- --help` tells the rest.
//!
//! One binary in three roles: the host starts it again with the cookie of the plugin that it shall be.

#![allow(unreachable_pub, reason = "tests include these modules too; `pub` says what they offer")]

mod args;
mod convert;
mod decimal;
mod host;
mod job;
mod ledger;
mod median;
mod numerical;
mod oracles;
mod prices;
mod relayer;
mod signing;
mod story;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use story::{Story, Style, Tone};

/// What a shell reports of a program that Ctrl-C ended.
const INTERRUPTED: u8 = 130;

#[tokio::main]
async fn main() -> ExitCode {
    if std::env::var_os("CL_PLUGIN_RELAYER_MAGIC_COOKIE").is_some() {
        return relayer::plugin().await;
    }
    if std::env::var_os("CL_PLUGIN_MEDIAN_MAGIC_COOKIE").is_some() {
        return median::plugin().await;
    }
    let args = match args::parse(std::env::args_os().skip(1)) {
        Ok(Some(args)) => args,
        Ok(None) => {
            print!("{}", args::HELP);
            return ExitCode::SUCCESS;
        }
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::FAILURE;
        }
    };
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/median/job.toml");
    let job = match job::load(args.job.as_deref().unwrap_or(&shipped)) {
        Ok(job) => job,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::FAILURE;
        }
    };
    let story = Arc::new(Story::to_stdout(Style::of_stdout(args.quiet)));
    tokio::select! {
        ran = host::run(&args, &job, story.clone()) => match ran {
            Ok(()) => ExitCode::SUCCESS,
            Err(why) => {
                eprintln!("{why}");
                ExitCode::FAILURE
            }
        },
        _ = tokio::signal::ctrl_c() => {
            story.progress(1, 1);
            story.conclude(Tone::Warning, "stopped", "Ctrl-C: plugins are ended");
            loop_runtime::host::kill_all();
            ExitCode::from(INTERRUPTED)
        }
    }
}
