//! Host and plugin runtime for local out-of-process (LOOP) plugins.

extern crate self as loop_runtime;

mod broker;
mod context;
mod error;
mod handshake;
pub mod host;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod parsers;
pub mod plugin;
mod proto;
mod service;
mod stdio;
mod sync;
mod sys;
pub mod testing;
mod transport;
pub mod wire;

pub use context::{deadline, metadata, with_deadline, with_metadata, with_timeout};
pub use error::{Code, Error, ErrorKind, LoopError, Loss, Result};
pub use handshake::Handshake;
pub use transport::Limits;

pub use loop_macros::{LoopMessage, loop_service};
pub use service::health;
pub use wire::LoopMessage;

#[cfg(not(unix))]
compile_error!("loop-runtime needs Unix sockets and processes: Windows is not supported");

/// For generated code only; nothing here is stable.
#[doc(hidden)]
pub mod __private {
    pub use crate::error::{Error, LoopError};
    pub use crate::service::{
        Answer, Answers, AnswersWhole, Argument, BoxFuture, Call, Component, Incoming, Method, Names, Outcome,
        Outgoing, Part, Refused, Remote, Reply, ReplyPart, Service, Tree, WholeOutcome, any_carries, first,
        own_release, remote_of,
    };
    pub use crate::wire::{self, FieldSpec, FieldType, RequestShape, Schema};
}
