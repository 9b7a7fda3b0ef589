#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| loop_runtime::parsers::parse("header_blocks", bytes));
