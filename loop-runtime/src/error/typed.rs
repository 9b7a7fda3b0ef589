//! Error types of the user's own.

use std::fmt::Display;

use super::{Code, Error};
use crate::wire::{Message, Schema};

/// An error type that a service method may return: it must be able to carry the errors of the boundary itself.
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
    /// The error that came across the boundary, or that the boundary itself reports.
    fn from_error(error: Error) -> Self;
    /// Adds the messages that it attaches to the exported schema.
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

/// The type that the variant marked `#[wire(transport)]` of a derived error holds: [`Error`] and nothing else.
#[diagnostic::on_unimplemented(
    message = "the transport's variant holds a `loop_runtime::Error`, not `{Self}`",
    label = "cannot carry a lost connection"
)]
pub trait Transport {
    /// The error that the variant holds.
    fn into_error(self) -> Error;
    /// The value for the variant.
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
