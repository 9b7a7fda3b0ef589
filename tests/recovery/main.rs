//! Plugins die; handles do not. Real processes, real signals.
//!
//! The plugin is this test binary, run again with `RECOVERY_PLUGIN` in its environment; the harness is
//! `libtest-mimic`, because the built-in one would write to the plugin's stdout before the handshake.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod cases;
mod services;

use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Trial};
use loop_runtime::Handshake;
use loop_runtime::plugin::Plugin;
use services::{Shop, Workshop};

const HANDSHAKE: Handshake = Handshake::new("RECOVERY_PLUGIN", "workshop").version(1);

fn main() -> ExitCode {
    if std::env::var_os("RECOVERY_PLUGIN").is_some() {
        return runtime().block_on(Plugin::new(HANDSHAKE).serve::<dyn Workshop>(Arc::new(Shop::default())));
    }
    if std::env::var_os("RECOVERY_HOST").is_some() {
        return runtime().block_on(cases::a_host_of_its_own());
    }
    let trials = cases::all().into_iter().map(|(name, case)| {
        Trial::test(name, move || {
            let runtime = runtime();
            let outcome = runtime.block_on(async {
                tokio::time::timeout(std::time::Duration::from_secs(60), tokio::spawn(case())).await
            });
            drop(runtime);
            match outcome {
                Ok(Ok(())) => Ok(()),
                Ok(Err(panic)) => Err(panic.to_string().into()),
                Err(_) => Err("took longer than a minute".into()),
            }
        })
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}
