#![no_main]

#[path = "../checks/job.rs"]
mod checks;
#[allow(dead_code, reason = "the example uses more of it")]
#[path = "../../examples/median/decimal.rs"]
mod decimal;
#[allow(dead_code, reason = "the example uses more of it")]
#[path = "../../examples/median/job.rs"]
mod job;
#[allow(dead_code, reason = "the example uses more of it")]
#[path = "../../examples/median/prices.rs"]
mod prices;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| checks::check(bytes));
