//! `#[loop_service]` and `derive(LoopMessage)`: entry points and their documentation only.
//!
//! Users reach both through `loop-runtime`, which re-exports them. The logic works on `proc_macro2`, so that unit tests
//! can call it.

mod attr;
mod case;
mod diag;
