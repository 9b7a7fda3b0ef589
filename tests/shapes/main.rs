//! Every kind of method, argument and reply, and what travels with them: each case runs against a service in the same
//! process ([`Pair`](loop_runtime::testing::Pair)) and against one in a process of its own.

#![allow(clippy::ptr_arg, reason = "references to owned types are shapes too")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod answers;
mod components;
mod data;
mod errors;
mod journal;
mod lent;
mod limits;
mod made;
mod mismatch;
mod passed_on;
mod peer;
mod streams;
#[path = "../support/mod.rs"]
mod support;
mod travel;

support::roles! {
    "data" => data::plugin,
    "lent" => lent::plugin,
    "made" => made::plugin,
    "components" => components::plugin,
    "components without the optional one" => components::bare_plugin,
    "answers" => answers::plugin,
    "errors" => errors::plugin,
    "errors: ledger" => errors::ledger_plugin,
    "streams" => streams::plugin,
    "streams: reader" => streams::reader_plugin,
    "travel" => travel::plugin,
    "mismatch" => mismatch::plugin,
    "limits" => limits::plugin,
    "passed on: reader" => passed_on::reader_plugin,
    "passed on: worker" => passed_on::worker_plugin,
}

#[test]
#[should_panic(expected = "left behind: [\"file\"]")]
fn a_file_that_is_left_fails_the_test() {
    support::test(async |lab| std::fs::write(lab.dir().join("file"), "").unwrap());
}
