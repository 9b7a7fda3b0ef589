#![no_main]

#[allow(dead_code, reason = "half of it is wanted")]
#[path = "../../examples/median/cbor.rs"]
mod cbor;
#[path = "../checks/values.rs"]
mod checks;
#[allow(dead_code, reason = "one of its modules is wanted")]
#[path = "../../examples/median/numerical/mod.rs"]
mod numerical;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| checks::check(bytes));
