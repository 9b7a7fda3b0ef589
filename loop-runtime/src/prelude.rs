//! What nearly every file that declares, serves or calls a service needs.
//!
//! ```
//! use loop_runtime::prelude::*;
//! ```

#[doc(no_inline)]
pub use crate::host::{Command, Host, Supervisor};
#[doc(no_inline)]
pub use crate::plugin::Plugin;
#[doc(no_inline)]
pub use crate::{Code, Error, Handshake, LoopError, LoopMessage, Result, Streaming, loop_service};
