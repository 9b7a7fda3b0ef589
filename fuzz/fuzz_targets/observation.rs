#![no_main]

#[path = "../checks/observation.rs"]
mod checks;
#[allow(dead_code, reason = "one of its modules is wanted")]
#[path = "../../examples/median/numerical/mod.rs"]
mod numerical;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| checks::check(bytes));
