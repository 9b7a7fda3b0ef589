//! How a call ends without a reply.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

/// What went wrong with a call or a connection. Kept as text: nothing above this module inspects h2's errors.
#[derive(Clone, Debug)]
pub(crate) struct TransportError {
    what: Cow<'static, str>,
    cause: Option<Box<str>>,
    from_peer: bool,
}

impl TransportError {
    pub(crate) fn new(what: impl Into<Cow<'static, str>>) -> Self {
        Self { what: what.into(), cause: None, from_peer: false }
    }

    /// Adds the innermost source of `cause`, which is the informative one ("broken pipe").
    pub(crate) fn because(what: &'static str, cause: &(dyn Error + 'static)) -> Self {
        let mut innermost = cause;
        while let Some(source) = innermost.source() {
            innermost = source;
        }
        Self { cause: Some(innermost.to_string().into()), ..Self::new(what) }
    }

    /// Marks it as sent by the peer.
    pub(super) fn said_by_peer(self) -> Self {
        Self { from_peer: true, ..self }
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            Some(cause) => write!(f, "{}: {cause}", self.what),
            None => f.write_str(&self.what),
        }
    }
}

impl Error for TransportError {}

/// How a call ended without a reply: all that the rest of the crate needs to decide what follows.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The call cannot be sent over any connection, for this reason: it is the caller's error, and was not sent.
    Impossible(TransportError),
    /// It certainly did not run: the connection takes no calls, or the peer reported it as unprocessed. It can be
    /// retried, over the same connection if that is still usable, else over another.
    NotRun(TransportError),
    /// The connection, or this call on it, ended before a response: the call may have run.
    MayHaveRun(TransportError),
    /// The peer responded. Whatever the status code, `Unavailable` included, it is the peer's and not a loss.
    /// Replies that violate gRPC or our limits are responses too: the call ran.
    Answered(Box<tonic::Status>),
}

impl Failure {
    pub(super) fn answered(status: tonic::Status) -> Self {
        Self::Answered(Box::new(status))
    }

    /// The failure of a request that was queued, and so may have been sent, before any part of a response. `unseen` is
    /// whether the peer takes no new calls and reported this one as unprocessed.
    pub(super) fn before_an_answer(error: &h2::Error, unseen: bool) -> Self {
        // The peer's promise that nothing was processed.
        if error.is_reset() && error.is_remote() && error.reason() == Some(h2::Reason::REFUSED_STREAM) {
            return Self::NotRun(TransportError::because("the peer refused the call unseen", error).said_by_peer());
        }
        if unseen && !error.is_reset() {
            let text = "the peer ended the connection, and did not look at the call before";
            return Self::NotRun(TransportError::because(text, error).said_by_peer());
        }
        Self::in_an_answer(error)
    }

    /// The failure of a call whose response had begun: it may have run in any case.
    pub(super) fn in_an_answer(error: &h2::Error) -> Self {
        Self::MayHaveRun(if !error.is_reset() {
            TransportError::because("the connection was lost", error)
        } else if error.is_remote() {
            // Only this call: the connection works.
            TransportError::because("the call was reset", error).said_by_peer()
        } else {
            TransportError::because("the call was reset", error)
        })
    }

    /// Whether the peer sent what ended the call, be it a refusal: then it is alive. A local failure says nothing about
    /// the peer, nor does the end of a connection.
    pub(crate) fn is_from_peer(&self) -> bool {
        match self {
            Self::Impossible(why) | Self::NotRun(why) | Self::MayHaveRun(why) => why.from_peer,
            Self::Answered(_) => true,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Impossible(error) => write!(f, "cannot be sent: {error}"),
            Self::NotRun(error) => write!(f, "not run: {error}"),
            Self::MayHaveRun(error) => error.fmt(f),
            Self::Answered(status) => status.fmt(f),
        }
    }
}

impl Error for Failure {}
