//! A price feed as a Chainlink node runs it, on real input: a host, a relayer plugin and a median plugin, each a process
//! of its own. `cargo run --example median -- --help` tells the rest.
//!
//! One binary in three roles: the host starts it again with the magic cookie of the plugin that it is to be.

#![allow(unreachable_pub, reason = "tests include these modules too; `pub` says what they offer")]

mod args;
mod cbor;
mod contract;
mod convert;
mod decimal;
mod fault;
mod host;
mod job;
mod ledger;
mod median;
mod node;
mod numerical;
mod oracles;
mod prices;
mod readings;
mod relayer;
mod signing;
mod story;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use loop_runtime::plugin::Plugin;
use loop_services::handshake;
use story::{Story, Style};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

fn main() -> ExitCode {
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(why) => return failed(&why),
    };
    let code = runtime.block_on(run());
    // A request to an address may still be in flight, up to its timeout: nothing waits for its response any more.
    runtime.shutdown_background();
    code
}

async fn run() -> ExitCode {
    if std::env::var_os("CL_PLUGIN_RELAYER_MAGIC_COOKIE").is_some() {
        return Plugin::new(handshake::RELAYER).serve(relayer::service()).await;
    }
    if std::env::var_os("CL_PLUGIN_MEDIAN_MAGIC_COOKIE").is_some() {
        return match args::parse_clock(std::env::args_os().skip(1)) {
            Ok(clock) => Plugin::new(handshake::MEDIAN).serve(median::service(clock)).await,
            Err(why) => failed(&why),
        };
    }
    if let Err(why) = log() {
        return failed(&why);
    }
    let args = match args::parse(std::env::args_os().skip(1)) {
        Ok(Some(args)) => args,
        Ok(None) => {
            print!("{}", args::HELP);
            return ExitCode::SUCCESS;
        }
        Err(why) => return failed(&why),
    };
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("job.toml");
    let job = match job::load(args.job.as_deref().unwrap_or(&shipped)) {
        Ok(job) => job,
        Err(why) => return failed(&why),
    };
    let story = Arc::new(Story::to_stdout(Style::of_stdout(args.quiet)));
    match host::run(&args, &job, &story).await {
        Ok(code) => code,
        Err(why) => failed(&*why),
    }
}

/// Shows on standard error what `RUST_LOG` asks for.
fn log() -> Result<(), String> {
    let wanted = std::env::var("RUST_LOG").unwrap_or_default();
    if !wanted.is_empty() {
        // What plugins take, too; directives for spans would bring an engine for regular expressions.
        let targets: Targets = wanted.parse().map_err(|why| format!("RUST_LOG is {wanted:?}: {why}"))?;
        let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
        tracing_subscriber::registry().with(lines).with(targets).init();
    }
    Ok(())
}

fn failed(why: &dyn std::fmt::Display) -> ExitCode {
    eprintln!("{why}");
    ExitCode::FAILURE
}
