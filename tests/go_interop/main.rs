//! Genuine go-plugin on the other side: a host in Go runs a plugin in Rust, a host in Rust runs a plugin in Go.
//!
//! The Go programs are in `interop/`. Where Go is absent, or cannot build them, one printed line says that the tests
//! were skipped; with `LOOP_REQUIRE_GO=1`, as in `.ci/run`, that fails.
//!
//! The plugin in Rust is this test binary, run again with the cookie in its environment; the harness is `libtest-mimic`,
//! because the built-in one would write to the plugin's stdout before the handshake.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod go;
mod go_host;
mod go_plugin;
mod graceful;
mod left;
mod life;
mod log;
#[path = "../support/matrix.rs"]
mod matrix;
mod misbehaving;
mod mode;
mod notes;
mod probe;
mod reattach;
mod table;
mod toolchain;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use libtest_mimic::Arguments;
use loop_runtime::plugin::Plugin;

use matrix::trial;
use mode::Mode;
use probe::{HANDSHAKE, Probe, RustProbe};

fn main() -> ExitCode {
    if std::env::args_os().nth(1).is_some_and(|argument| argument == reattach::ADOPT) {
        return reattach::adopt();
    }
    if let Some(plugin) = std::env::var_os(life::HOST) {
        return runtime().block_on(life::be_a_host(plugin));
    }
    if std::env::var_os("INTEROP_COOKIE").is_some() || std::env::args_os().any(|arg| arg == "--be-a-plugin") {
        // Five hundred connections at once take their time on a busy machine, with TLS in a development build.
        let mut plugin = Plugin::new(HANDSHAKE.also_versions(&[1])).dial_timeout(Duration::from_secs(30));
        let is = |how: &str| std::env::args_os().any(|arg| arg == how);
        if is("--outlive") {
            plugin = plugin.outlive_host();
        }
        if let Some(next) = std::env::var_os(life::NESTED) {
            return runtime().block_on(life::serve_nested(plugin, next));
        }
        if let Ok(case) = std::env::var(graceful::go_host::CASE) {
            return runtime().block_on(graceful::go_host::serve(plugin, &case));
        }
        let probe = if is("--broken") { RustProbe::broken() } else { RustProbe::default() };
        return runtime().block_on(plugin.serve::<dyn Probe>(Arc::new(probe)));
    }
    let arguments = Arguments::from_args();
    let mut trials = vec![trial("the_schema_is_current", go::the_schema_is_current)];
    if std::env::var_os("BLESS").is_some() {
        // The Go programs may not build before the generated code is updated.
        trials.push(trial("the_generated_code_is_current", go::the_generated_code_is_current));
        return libtest_mimic::run(&arguments, trials).exit_code();
    }
    match go::version().and_then(|version| go::build().map(|()| version)) {
        Ok(version) => {
            eprintln!("{version}");
            log::install();
            trials.push(trial("the_generated_code_is_current", go::the_generated_code_is_current));
            for mode in Mode::ALL {
                trials.extend(go_host::trials(mode));
                trials.extend(go_plugin::trials(mode));
                trials.extend(graceful::trials(mode));
            }
            trials.extend(life::trials());
            trials.extend(misbehaving::trials());
            trials.extend(reattach::trials());
        }
        Err(why) => {
            println!("tests with Go skipped: {}", why.trim());
            if std::env::var_os("LOOP_REQUIRE_GO").is_some_and(|value| value == "1") {
                return ExitCode::FAILURE;
            }
            return libtest_mimic::run(&arguments, trials).exit_code();
        }
    }
    matrix::run(&arguments, trials, "go-plugin", table::table)
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}
