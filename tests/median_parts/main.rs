//! The parts of `examples/median` that stand alone: command line, job file, price sources, signatures, ledger, story.
//! The whole is tested by running it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
#![allow(unreachable_pub, reason = "the modules belong to the example")]

#[path = "../../examples/median/args.rs"]
mod args;
#[path = "../../fuzz/checks/job.rs"]
mod checks;
#[path = "../../examples/median/decimal.rs"]
mod decimal;
#[path = "../../examples/median/job.rs"]
mod job;
#[path = "../../examples/median/ledger.rs"]
mod ledger;
#[path = "../../examples/median/prices.rs"]
mod prices;
#[path = "../../examples/median/signing.rs"]
mod signing;
#[path = "../../examples/median/story.rs"]
mod story;

mod command_line;
mod corpus;
mod job_files;
mod ledgers;
mod signatures;
mod sources;
mod stories;
