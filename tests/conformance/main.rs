//! A testee for protobuf's conformance suite, declared with the derive, and tests that talk to it as the suite's runner does,
//! over stdin and stdout of a process.
//!
//! The testee is this test binary, run again with `CONFORMANCE_TESTEE` in its environment. What it cannot do, and answers
//! with `skipped`:
//!
//! * the JSON form, JSPB and the text form, as input or output;
//! * proto2 and editions: `TestAllTypesProto2` and the messages that are named after an edition;
//! * `FailureSet` with content: it is answered with an empty one.
//!
//! The names of three fields (3 of 18 in the group for JSON names) are others, since `#[wire(name = "..")]` takes none that
//! begins with an underscore; they are not on the wire.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod all_types;
mod cases;
mod testee;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

const TESTEE: &str = "CONFORMANCE_TESTEE";

fn main() -> ExitCode {
    if std::env::var_os(TESTEE).is_some() {
        return match testee::serve(std::io::stdin().lock(), std::io::stdout().lock()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("{error}");
                ExitCode::FAILURE
            }
        };
    }
    let trials = cases::all().into_iter().map(|(name, case)| {
        Trial::test(name, move || {
            case();
            Ok(())
        })
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code()
}
