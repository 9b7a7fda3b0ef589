//! How a call ends without a reply.

use std::error::Error;
use std::fmt;

/// What went wrong with a connection, in words. Kept as text: nothing above this room looks into h2's errors.
#[derive(Clone, Debug)]
pub(crate) struct TransportError {
    what: &'static str,
    cause: Option<Box<str>>,
}

impl TransportError {
    pub(crate) fn new(what: &'static str) -> Self {
        Self { what, cause: None }
    }

    /// Adds the innermost error of `cause`'s chain, which is the one that says something ("broken pipe").
    pub(crate) fn because(what: &'static str, cause: &(dyn Error + 'static)) -> Self {
        let mut innermost = cause;
        while let Some(source) = innermost.source() {
            innermost = source;
        }
        Self { what, cause: Some(innermost.to_string().into()) }
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            Some(cause) => write!(f, "{}: {cause}", self.what),
            None => f.write_str(self.what),
        }
    }
}

impl Error for TransportError {}

/// How a call ended without a reply, by what it says about the far side.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The caller's fault: such a request cannot be sent over any connection.
    Impossible(TransportError),
    /// The request provably never left: the connection was gone, or the peer says that it did not look at it.
    NotRun(TransportError),
    /// The connection, or this call on it, ended before an answer came: the call may have run.
    MayHaveRun(TransportError),
    /// An answer came. Whatever its code, `Unavailable` included, it is the peer's word and not a loss.
    /// Replies that break gRPC's rules or our limits are answers too: the call ran.
    Answered(Box<tonic::Status>),
}

impl Failure {
    /// Whether the peer said it: a sign of life.
    pub(crate) fn is_from_peer(&self) -> bool {
        matches!(self, Self::Answered(_))
    }

    pub(super) fn answered(status: tonic::Status) -> Self {
        Self::Answered(Box::new(status))
    }

    /// Of a request that was queued, and so may have been sent.
    pub(super) fn after_sending(error: &h2::Error) -> Self {
        // `REFUSED_STREAM` from the peer promises that nothing was processed. A `GOAWAY` does not: by the time that h2
        // reports one, calls below and above its last stream look the same.
        if error.is_reset() && error.is_remote() && error.reason() == Some(h2::Reason::REFUSED_STREAM) {
            return Self::NotRun(TransportError::because("the peer refused the call unseen", error));
        }
        // This call alone: the connection works on.
        if error.is_reset() {
            return Self::MayHaveRun(TransportError::because("the call was reset", error));
        }
        Self::MayHaveRun(TransportError::because("the connection was lost", error))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Impossible(error) => error.fmt(f),
            Self::NotRun(error) => write!(f, "not sent: {error}"),
            Self::MayHaveRun(error) => error.fmt(f),
            Self::Answered(status) => status.fmt(f),
        }
    }
}

impl Error for Failure {}
