//! A host and a plugin that were built at different times, each from its own version of one contract, as two processes, in
//! both directions: field by field and method by method.
//!
//! The plugin is this test binary, run again with the version in `VERSIONS_PLUGIN`; the harness is `libtest-mimic`, because
//! the built-in one would write to the plugin's stdout before the handshake.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod new;
mod new_host;
mod old;
mod old_host;

use std::future::Future;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use libtest_mimic::{Arguments, Trial};
use loop_runtime::Handshake;
use loop_runtime::host::{Command, Host, Supervisor};
use loop_runtime::plugin::Plugin;

const PLUGIN: &str = "VERSIONS_PLUGIN";
/// The cookie is the version that runs: a plugin of one version is not taken for the other.
const OLD: Handshake = Handshake::new(PLUGIN, "old").version(1);
const NEW: Handshake = Handshake::new(PLUGIN, "new").version(1);

type Case = fn() -> Pin<Box<dyn Future<Output = ()> + Send>>;

fn main() -> ExitCode {
    match std::env::var(PLUGIN).as_deref() {
        Ok("old") => return runtime().block_on(Plugin::new(OLD).serve::<dyn old::Depot>(Arc::new(old::Shelf))),
        Ok("new") => return runtime().block_on(Plugin::new(NEW).serve::<dyn new::Depot>(Arc::new(new::Shelf))),
        _ => {}
    }
    let trials =
        old_host::all().into_iter().chain(new_host::all()).map(|(name, case)| Trial::test(name, move || run(case)));
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code()
}

fn run(case: Case) -> Result<(), libtest_mimic::Failed> {
    let outcome =
        runtime().block_on(async { tokio::time::timeout(Duration::from_secs(60), tokio::spawn(case())).await });
    match outcome {
        Ok(Ok(())) => Ok(()),
        Ok(Err(panic)) => Err(panic.to_string().into()),
        Err(_) => Err("took longer than a minute".into()),
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

/// A plugin of that version.
async fn launch(version: Handshake) -> Supervisor {
    let command = Command::new(std::env::current_exe().expect("this test"));
    Host::new(version).name("depot").launch(command).await.expect("a plugin")
}
