//! Error types of the user's own.

use std::fmt::Display;

use super::{Code, Error};
use crate::wire::{Message, Schema};

/// An error type that a service method may return: it must be able to carry what the boundary itself can answer.
///
/// [`Error`] is one. For a type of your own, [derive](macro@crate::LoopError) it; by hand, attach what is to be read
/// on the far side with [`Error::with_detail`], look for it with [`Error::detail`], and keep every other error whole.
#[diagnostic::on_unimplemented(
    message = "the error type `{Self}` cannot carry a lost connection",
    label = "not an error of a service method",
    note = "derive it: `#[derive(LoopError)]`; or return `loop_runtime::Result<T>`"
)]
pub trait LoopError: Sized + Send {
    /// The error as it crosses the boundary.
    fn into_error(self) -> Error;
    /// What came across the boundary, or what the boundary itself has to say.
    fn from_error(error: Error) -> Self;
    /// Adds what it attaches to the exported schema.
    fn describe(_: &mut Schema) {}
}

impl LoopError for Error {
    fn into_error(self) -> Error {
        self
    }

    fn from_error(error: Error) -> Self {
        error
    }
}

/// What the variant of a derived error that is marked `#[wire(transport)]` may hold: [`Error`] and nothing else.
#[diagnostic::on_unimplemented(
    message = "the transport's variant holds a `loop_runtime::Error`, not `{Self}`",
    label = "cannot carry a lost connection"
)]
pub trait Transport {
    /// What it holds.
    fn into_error(self) -> Error;
    /// To be held.
    fn from_error(error: Error) -> Self;
}

impl Transport for Error {
    fn into_error(self) -> Error {
        self
    }

    fn from_error(error: Error) -> Self {
        error
    }
}

/// A derived error as it crosses the boundary.
pub fn typed_error<E: Message + Display>(code: Code, error: &E) -> Error {
    Error::new(code, error.to_string()).with_detail(error)
}
