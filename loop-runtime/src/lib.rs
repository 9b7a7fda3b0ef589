//! Host and plugin runtime for local out-of-process (LOOP) plugins.

extern crate self as loop_runtime;

mod broker;
pub mod host;
pub mod plugin;
mod service;
mod stdio;
pub mod testing;
mod transport;
pub mod wire;
