//! `#[loop_service]`, `derive(LoopMessage)`: entry points only.
