//! Plugins die; handles do not. Real processes, real signals; each case once over sockets, once multiplexed.
//!
//! The plugin is this test binary, run again with `RECOVERY_PLUGIN` in its environment; the harness is
//! `libtest-mimic`, because the built-in one would write to the plugin's stdout before the handshake.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

// The package in `portable/` runs this over its own build of the runtime.
#[cfg(loop_portable)]
extern crate loop_portable as loop_runtime;

mod cases;
mod graceful;
mod objects;
mod orphans;
mod services;
mod stalls;
mod upgrade;

use std::process::ExitCode;
use std::sync::Arc;

use cases::MULTIPLEXED;
use libtest_mimic::{Arguments, Trial};
use loop_runtime::Handshake;
use loop_runtime::plugin::Plugin;
use services::{Shop, Workshop};

const HANDSHAKE: Handshake = Handshake::new("RECOVERY_PLUGIN", "workshop").version(1);

fn main() -> ExitCode {
    if std::env::var_os("RECOVERY_PLUGIN").is_some() {
        let plugin = graceful::with_hooks(Plugin::new(HANDSHAKE));
        return runtime().block_on(plugin.serve::<dyn Workshop>(Arc::new(Shop::default())));
    }
    if let Some(mode) = std::env::var_os("RECOVERY_HOST") {
        if mode == "ends in order" {
            return runtime().block_on(MULTIPLEXED.scope(false, graceful::a_host_that_ends_in_order()));
        }
        let multiplexed = mode == "multiplexed";
        return match std::env::var(orphans::STATE) {
            Ok(state) => runtime().block_on(MULTIPLEXED.scope(multiplexed, orphans::a_host(&state))),
            Err(_) => runtime().block_on(MULTIPLEXED.scope(multiplexed, cases::a_host_of_its_own())),
        };
    }
    let all = cases::all()
        .into_iter()
        .chain(graceful::all())
        .chain(upgrade::all())
        .chain(objects::all())
        .chain(orphans::all())
        .chain(stalls::all());
    let modes =
        all.flat_map(|(name, case)| [(name.to_owned(), case, false), (format!("multiplexed::{name}"), case, true)]);
    let trials = modes.map(|(name, case, multiplexed)| {
        Trial::test(name, move || {
            let runtime = runtime();
            let outcome = runtime.block_on(async {
                let case = tokio::spawn(MULTIPLEXED.scope(multiplexed, case()));
                tokio::time::timeout(std::time::Duration::from_secs(60), case).await
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
