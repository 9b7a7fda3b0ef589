//! The declarations against the contract: Go's names, numbers and types, and the recorded replies of Go's processes.
//!
//! `golden/loop-contract.json` holds the contract, `golden/loop-recorded-calls.jsonl` calls of Go's own tests and of bad
//! requests made by hand, `golden/refused-on-purpose.jsonl` those that are answered in another way here.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod brevity;
mod filled;
#[path = "../support/recorded.rs"]
mod golden_rows;
mod mirror;
mod raw;
mod recorded;
mod scene;
mod schema;

/// The text of a file in `tests/golden`.
fn golden(name: &str) -> String {
    let path = format!("{}/golden/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|why| panic!("{path}: {why}"))
}
