//! The stand-in, under genuine go-plugin and under our host; and the recorded calls of Go's processes, replayed: to the
//! stand-in, to what our host lends, and to the median plugin of the examples.
//!
//! Go's side is `interop/replay`, which sends a recorded request as the bytes that it was. Where Go is absent, one printed
//! line says that those tests were skipped; with `LOOP_REQUIRE_GO=1`, as in `.ci/run`, that fails.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

#[path = "../../../../tests/support/go.rs"]
mod go;
mod lent;
mod oracle;
mod process;
mod puppet;
#[path = "../../../../tests/support/recorded.rs"]
mod recorded;
mod replay;
mod rust_host;
mod sequences;

use std::process::ExitCode;
use std::time::Duration;

use libtest_mimic::{Arguments, Trial};

/// Longer than any test takes.
const LONG: Duration = Duration::from_secs(60);

macro_rules! trials {
    ($($module:ident::$name:ident),* $(,)?) => {
        [$(trial(concat!(stringify!($module), "::", stringify!($name)), || run($module::$name()))),*]
    };
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let mut trials: Vec<Trial> = vec![];
    trials.extend(trials![
        process::the_handshake_line_is_exact,
        process::without_its_cookie_it_is_no_plugin,
        process::without_a_command_it_ends_with_2,
        rust_host::median,
        rust_host::relayer,
        rust_host::a_provider_of_the_relayer_is_lent_to_the_median,
        rust_host::what_is_lent_is_examined,
        rust_host::recovery_while_the_limit_grows,
    ]);
    match go::ready(&["replay"]) {
        Ok(version) => {
            eprintln!("{version}");
            trials.extend(trials![
                replay::median,
                replay::relayer,
                replay::relayer_with_static_checks,
                replay::numerical_median,
                lent::by_our_host,
                lent::through_our_host,
                sequences::the_limit_counts_every_call_on_the_main_connection,
                sequences::killed_and_launched_again,
                sequences::an_object_waits_for_its_host,
                sequences::every_part_logs_its_name,
            ]);
        }
        Err(missing) if missing.required => return ExitCode::FAILURE,
        Err(_) => {}
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn trial(name: &str, body: impl FnOnce() + Send + 'static) -> Trial {
    Trial::test(name, move || {
        body();
        Ok(())
    })
}

fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(LONG, test).await.expect("it hangs") });
}
