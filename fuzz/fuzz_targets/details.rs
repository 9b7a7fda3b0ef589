#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| loop_runtime::parsers::parse("details", bytes));
