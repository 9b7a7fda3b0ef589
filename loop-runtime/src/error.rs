//! The one error that a caller of a service sees, and what an implementer returns.
//!
//! It distinguishes what a gRPC status code alone cannot: an *answer* (the peer ran the method and refused) and a
//! *loss* (the peer, or the connection to it, is gone). Only a loss is ever retried by the runtime, and every loss says
//! whether the method may have run.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

mod detail;
mod explain;
mod typed;
mod wire;

use self::detail::Detail;
pub(crate) use self::detail::rich_status;
pub use self::typed::{LoopError, Transport, typed_error};

/// The result of a service method; `E` is [`Error`] unless a method names its own.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The status codes of gRPC, without `OK`. Numbers and meanings are those of the gRPC specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum Code {
    /// The caller cancelled the call. 1.
    Cancelled = 1,
    /// No code was chosen; every plain Go error arrives as this. 2.
    Unknown = 2,
    /// The arguments can never be accepted. 3.
    InvalidArgument = 3,
    /// The deadline passed. 4.
    DeadlineExceeded = 4,
    /// What was asked for does not exist. 5.
    NotFound = 5,
    /// What was to be created exists already. 6.
    AlreadyExists = 6,
    /// The caller may not do this. 7.
    PermissionDenied = 7,
    /// A limit was reached: message size, quota. 8.
    ResourceExhausted = 8,
    /// The state of the system forbids the call. 9.
    FailedPrecondition = 9,
    /// The call was aborted; also the code of a loss one hop on. 10.
    Aborted = 10,
    /// A value lies beyond the valid range. 11.
    OutOfRange = 11,
    /// The service or method does not exist on the far side. 12.
    Unimplemented = 12,
    /// An invariant is broken: a panic, bytes that do not decode. 13.
    Internal = 13,
    /// The peer cannot be reached. 14.
    Unavailable = 14,
    /// Data are lost for good. 15.
    DataLoss = 15,
    /// The caller is not authenticated. 16.
    Unauthenticated = 16,
}

impl Code {
    /// The code with gRPC's number `n`; numbers that gRPC does not define are [`Code::Unknown`].
    pub fn from_i32(n: i32) -> Self {
        use Code::*;
        match n {
            1 => Cancelled,
            3 => InvalidArgument,
            4 => DeadlineExceeded,
            5 => NotFound,
            6 => AlreadyExists,
            7 => PermissionDenied,
            8 => ResourceExhausted,
            9 => FailedPrecondition,
            10 => Aborted,
            11 => OutOfRange,
            12 => Unimplemented,
            13 => Internal,
            14 => Unavailable,
            15 => DataLoss,
            16 => Unauthenticated,
            _ => Unknown,
        }
    }

    /// Whether a retry on the same object cannot help: the caller must change the request, or the configuration must
    /// change (the permanent refusals of a constructor).
    pub fn is_permanent(self) -> bool {
        use Code::*;
        matches!(
            self,
            InvalidArgument | Unimplemented | OutOfRange | PermissionDenied | Unauthenticated | FailedPrecondition
        )
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// How a call was lost.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Loss {
    /// Whether the method may have run, or may yet run until the old process is reaped. `false` is a promise: it did
    /// not run. `true` also covers calls that never arrived.
    pub may_have_run: bool,
    /// The loss happened behind the peer that answered: it lost a service that it needed.
    pub downstream: bool,
    /// When the runtime next tries to recover the service, if that is known.
    pub retry_at: Option<Instant>,
}

/// What kind of error an [`Error`] is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// An answer: made by an implementation, or by the gRPC layer of the peer.
    Answer,
    /// The connection, the object or the process behind the handle was lost.
    Lost(Loss),
    /// The caller's own deadline passed first.
    Deadline {
        /// Whether the method may have run, as in [`Loss::may_have_run`].
        may_have_run: bool,
    },
    /// The handle was closed, by hand or by its owner.
    Closed,
    /// The request cannot be encoded or sent, so nothing was sent.
    Unsent,
}

/// Why a call returned no value.
///
/// Cheap to clone: several waiters may share one failure. `Display` is the text that Go peers see, without the code.
#[derive(Clone)]
pub struct Error(Arc<Repr>);

#[derive(Clone)]
struct Repr {
    code: Code,
    message: String,
    kind: ErrorKind,
    source: Option<Arc<dyn StdError + Send + Sync>>,
    /// Whether a peer of another runtime answered it.
    foreign: bool,
    details: Vec<Detail>,
}

impl Error {
    /// An answer with `code` and `message`.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self::of_kind(ErrorKind::Answer, code, message)
    }

    pub(crate) fn of_kind(kind: ErrorKind, code: Code, message: impl Into<String>) -> Self {
        let message = message.into();
        Self(Arc::new(Repr { code, message, kind, source: None, foreign: false, details: Vec::new() }))
    }

    /// The answer of a peer of another runtime.
    pub(crate) fn foreign(code: Code, message: impl Into<String>) -> Self {
        Self::new(code, message).changed(|repr| repr.foreign = true)
    }

    pub(crate) fn is_foreign(&self) -> bool {
        self.0.foreign
    }

    /// The loss of a call, or of the connection for it.
    pub(crate) fn lost(may_have_run: bool, message: impl Into<String>) -> Self {
        let loss = Loss { may_have_run, downstream: false, retry_at: None };
        Self::of_kind(ErrorKind::Lost(loss), Code::Unavailable, message)
    }

    /// A loss behind the peer that answered.
    pub(crate) fn lost_downstream(may_have_run: bool, message: impl Into<String>) -> Self {
        let loss = Loss { may_have_run, downstream: true, retry_at: None };
        Self::of_kind(ErrorKind::Lost(loss), Code::Aborted, message)
    }

    pub(crate) fn closed(message: impl Into<String>) -> Self {
        Self::of_kind(ErrorKind::Closed, Code::FailedPrecondition, message)
    }

    pub(crate) fn unsent(code: Code, message: impl Into<String>) -> Self {
        Self::of_kind(ErrorKind::Unsent, code, message)
    }

    pub(crate) fn deadline(may_have_run: bool, message: impl Into<String>) -> Self {
        Self::of_kind(ErrorKind::Deadline { may_have_run }, Code::DeadlineExceeded, message)
    }

    /// The same loss, with the time of the next attempt.
    pub(crate) fn retrying_at(self, at: Instant) -> Self {
        let ErrorKind::Lost(loss) = &self.0.kind else { return self };
        let kind = ErrorKind::Lost(Loss { retry_at: Some(at), ..loss.clone() });
        self.changed(|repr| repr.kind = kind)
    }

    /// The same error with `context: ` before its text.
    pub(crate) fn within(self, context: impl fmt::Display) -> Self {
        self.changed(|repr| repr.message = format!("{context}: {}", repr.message))
    }

    /// The same loss, now that it is known whether the call was sent. A call that was sent before its handle was closed
    /// is a loss: [`ErrorKind::Closed`] promises that nothing ran.
    pub(crate) fn handed_over(self, may_have_run: bool) -> Self {
        let kind = match &self.0.kind {
            ErrorKind::Lost(loss) => ErrorKind::Lost(Loss { may_have_run, ..loss.clone() }),
            ErrorKind::Deadline { .. } => ErrorKind::Deadline { may_have_run },
            ErrorKind::Closed if may_have_run => {
                ErrorKind::Lost(Loss { may_have_run, downstream: false, retry_at: None })
            }
            _ => return self,
        };
        self.changed(|repr| repr.kind = kind)
    }

    fn changed(self, change: impl FnOnce(&mut Repr)) -> Self {
        let mut repr = Arc::unwrap_or_clone(self.0);
        change(&mut repr);
        Self(Arc::new(repr))
    }

    /// The same error with `source` as its cause. A cause stays in its process.
    #[must_use = "the error is changed in the copy that is returned"]
    pub fn with_source(self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.changed(|repr| repr.source = Some(Arc::new(source)))
    }

    /// An [`Code::Unknown`] answer, as a plain Go error is.
    pub fn unknown(message: impl Into<String>) -> Self {
        Self::new(Code::Unknown, message)
    }

    /// An [`Code::Unimplemented`] answer: the method, or the service, does not exist.
    pub fn unimplemented(message: impl Into<String>) -> Self {
        Self::new(Code::Unimplemented, message)
    }

    /// An [`Code::InvalidArgument`] answer: the arguments can never be accepted.
    pub fn invalid_argument(message: impl Into<String>) -> Self {
        Self::new(Code::InvalidArgument, message)
    }

    /// A [`Code::NotFound`] answer: what was asked for does not exist.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(Code::NotFound, message)
    }

    /// A [`Code::FailedPrecondition`] answer: the present state forbids the call.
    pub fn failed_precondition(message: impl Into<String>) -> Self {
        Self::new(Code::FailedPrecondition, message)
    }

    /// An [`Code::Internal`] answer: an invariant is broken.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(Code::Internal, message)
    }

    /// An [`Code::Unknown`] answer with the text of `error`, which becomes the source.
    pub fn other(error: impl StdError + Send + Sync + 'static) -> Self {
        Self::unknown(error.to_string()).with_source(error)
    }

    /// The status code; [`Code::Unavailable`] for a loss of the direct peer, [`Code::Aborted`] for one behind it.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The text, as a Go peer would see it.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What kind of error this is.
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// How the call was lost, if it was.
    pub fn loss(&self) -> Option<&Loss> {
        match &self.0.kind {
            ErrorKind::Lost(loss) => Some(loss),
            _ => None,
        }
    }

    /// Whether the method may have run: always true for an answer, else as the loss or the deadline says.
    pub fn may_have_run(&self) -> bool {
        match &self.0.kind {
            ErrorKind::Answer => true,
            ErrorKind::Lost(loss) => loss.may_have_run,
            ErrorKind::Deadline { may_have_run } => *may_have_run,
            ErrorKind::Closed | ErrorKind::Unsent => false,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Error");
        out.field("code", &self.0.code).field("message", &self.0.message);
        if self.0.kind != ErrorKind::Answer {
            out.field("kind", &self.0.kind);
        }
        if !self.0.details.is_empty() {
            out.field("details", &self.0.details);
        }
        if let Some(source) = &self.0.source {
            out.field("source", source);
        }
        out.finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

impl From<String> for Error {
    fn from(message: String) -> Self {
        Self::unknown(message)
    }
}

impl From<&str> for Error {
    fn from(message: &str) -> Self {
        Self::unknown(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_survives_its_number() {
        for n in 1..=16 {
            assert_eq!(Code::from_i32(n) as i32, n);
        }
        assert_eq!(Code::from_i32(0), Code::Unknown);
        assert_eq!(Code::from_i32(99), Code::Unknown);
    }

    #[test]
    fn a_loss_says_whether_the_method_may_have_run() {
        assert!(Error::lost(true, "gone").may_have_run());
        assert!(!Error::lost(false, "gone").may_have_run());
        assert!(Error::unknown("refused").may_have_run());
        assert!(!Error::closed("closed").may_have_run());
        assert_eq!(Error::lost_downstream(true, "gone").code(), Code::Aborted);
        assert!(!Error::lost(true, "gone").handed_over(false).may_have_run());
        assert!(Error::closed("closed").handed_over(true).may_have_run());
        assert_eq!(Error::closed("closed").handed_over(false).kind(), &ErrorKind::Closed);
    }

    #[test]
    fn sources_are_kept() {
        let error = Error::other(std::io::Error::other("disk")).within("while saving");
        assert_eq!(error.to_string(), "while saving: disk");
        assert_eq!(error.source().map(ToString::to_string).as_deref(), Some("disk"));
    }
}
