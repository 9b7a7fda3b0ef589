//! Chainlink's LOOP with Go on the other side, in both directions: a host in Go that behaves as a node does runs plugins
//! in Rust, a host in Rust runs a relayer and a median plugin in Go.
//!
//! The Go programs are `loophost`, `looprelayer` and `loopmedian` in `interop/`, of this project, over go-plugin; nothing
//! of Chainlink's is in them. Where Go is absent, one printed line says that the tests were skipped; with
//! `LOOP_REQUIRE_GO=1`, as in `.ci/run`, that fails.
//!
//! The plugins in Rust are those of `examples/median`, and, where one has to fail on demand, this test binary, run again
//! with the cookie in its environment; the harness is `libtest-mimic` for that reason.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod code;
mod faulty;
mod go_host;
mod go_median;
mod go_relayer;
mod lab;
mod lent;
#[allow(dead_code, reason = "go_interop uses the rest")]
#[path = "../go_interop/log.rs"]
mod log;
#[path = "../support/matrix.rs"]
mod matrix;
mod table;
#[path = "../go_interop/toolchain.rs"]
mod toolchain;

use std::process::ExitCode;

use libtest_mimic::Arguments;
use loop_runtime::plugin::Plugin;
use loop_services::handshake;

use matrix::trial;

fn main() -> ExitCode {
    if std::env::var_os("CL_PLUGIN_MEDIAN_MAGIC_COOKIE").is_some() {
        return lab::runtime().block_on(Plugin::new(handshake::MEDIAN).serve(faulty::median()));
    }
    let arguments = Arguments::from_args();
    let generated = trial("the_generated_code_is_current", code::is_current);
    if std::env::var_os("BLESS").is_some() {
        // The Go programs may not build before the generated code is updated.
        return libtest_mimic::run(&arguments, vec![generated]).exit_code();
    }
    let programs = ["loophost", "looprelayer", "loopmedian"];
    let trials = match toolchain::version().and_then(|version| toolchain::build(&programs).map(|()| version)) {
        Ok(version) => {
            eprintln!("{version}");
            log::install();
            let rust_hosts = go_relayer::trials().into_iter().chain(go_median::trials());
            [generated].into_iter().chain(go_host::trials()).chain(rust_hosts).collect()
        }
        Err(why) => {
            println!("tests with Go skipped: {}", why.trim());
            if std::env::var_os("LOOP_REQUIRE_GO").is_some_and(|value| value == "1") {
                return ExitCode::FAILURE;
            }
            return libtest_mimic::run(&arguments, Vec::new()).exit_code();
        }
    };
    matrix::run(&arguments, trials, "LOOP", table::table)
}
