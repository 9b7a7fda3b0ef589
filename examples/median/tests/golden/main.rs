//! Checks the numerical median of `examples/median` against recordings of the Go plugin.
//!
//! `tests/golden/median.json` was recorded once by running the genuine code, libocr's median and chainlink-feeds, at
//! the commits that the file names; nothing in it is derived from a description. What this code says must equal what
//! Go said, error texts included. Where Go panicked, this code answers an error.
//!
//! Notation of the file: in bytes written as hex, `[n]` stands for n bytes 00 and `{n}` for n bytes ff. Numbers that
//! may be large are strings. Of a report's bytes, the first 8 of their SHA-256 are kept. Times within `report` count
//! from the moment at which the clock stood still, and what a case leaves out has the value that `report.rs` or
//! `accept.rs` gives as the usual one. Digests are `own`, `other` and `zero`; every median was made with `own`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

#[allow(dead_code, reason = "a read without parameters is the example's")]
#[path = "../../cbor.rs"]
mod cbor;
#[path = "../../../../fuzz/checks/observation.rs"]
mod checks;
#[path = "../../../../fuzz/checks/values.rs"]
mod checks_of_values;
#[path = "../../numerical/mod.rs"]
mod numerical;

mod accept;
mod codecs;
mod configs;
mod corpus;
mod golden;
mod observation;
mod ports;
mod properties;
mod report;
mod sort;
mod values;
