//! Host and plugin runtime for local out-of-process (LOOP) plugins.

extern crate self as loop_runtime;

mod broker;
mod context;
mod error;
mod handshake;
pub mod host;
pub mod plugin;
mod proto;
mod service;
mod stdio;
mod sys;
pub mod testing;
mod transport;
pub mod wire;

pub use context::{deadline, metadata, with_deadline, with_metadata, with_timeout};
pub use error::{Code, Error, ErrorKind, LoopError, Loss, Result};
pub use handshake::Handshake;
pub use transport::Limits;
