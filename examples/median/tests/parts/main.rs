//! The parts of `examples/median` that stand alone: command line, job file, price sources, signatures, ledger, readings, story.
//! The whole is tested by running it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
#![allow(unreachable_pub, reason = "the modules belong to the example")]

#[path = "../../args.rs"]
mod args;
#[path = "../../../../fuzz/checks/job.rs"]
mod checks;
#[path = "../../decimal.rs"]
mod decimal;
#[path = "../../job.rs"]
mod job;
#[path = "../../ledger.rs"]
mod ledger;
#[path = "../../prices.rs"]
mod prices;
#[path = "../../readings.rs"]
mod readings;
#[path = "../../signing.rs"]
mod signing;
#[path = "../../story.rs"]
mod story;

mod command_line;
mod corpus;
mod job_files;
mod ledgers;
mod read;
mod signatures;
mod sources;
mod stories;
