//! Errors on the wire: status code and message, details, and a trailer that marks a loss behind the peer that answers.

use tonic::Status;
use tonic::metadata::MetadataValue;

use crate::error::{Code, Error, ErrorKind, rich_status};

/// Trailer of an `Aborted` status that stands for a loss; its value says whether the method may have run.
pub(crate) const LOST: &str = "loop-lost";
const NOT_SENT: &str = "not-sent";
const MAY_HAVE_RUN: &str = "may-have-run";

/// The status for `error`.
///
/// A loss becomes `Aborted`, never `Unavailable` or `Canceled`: a Go host takes those for the death of the plugin that
/// answers, and rebuilds it for ever. For the same reason a status with one of these codes from a peer that is not this
/// runtime is forwarded as `Aborted`: a Go host sends it for what died behind its proxy. The status of a handler of
/// this runtime keeps its code, over any number of hops.
pub(crate) fn to_status(error: &Error) -> Status {
    let (code, lost) = match error.kind() {
        ErrorKind::Lost(loss) => (Code::Aborted, Some(if loss.may_have_run { MAY_HAVE_RUN } else { NOT_SENT })),
        _ if error.is_foreign() && matches!(error.code(), Code::Unavailable | Code::Cancelled) => (Code::Aborted, None),
        _ => (error.code(), None),
    };
    let details = rich_status(error, code);
    let mut status = Status::with_details(tonic::Code::from_i32(code as i32), error.message(), details);
    if let Some(value) = lost {
        status.metadata_mut().insert(LOST, MetadataValue::from_static(value));
    }
    status
}

/// The error that a received status stands for; `ours` if the peer is this runtime.
pub(crate) fn from_status(status: &Status, ours: bool) -> Error {
    let code = Code::from_i32(status.code() as i32);
    let error = match status.metadata().get(LOST) {
        Some(value) if code == Code::Aborted => {
            Error::lost_downstream(value.as_bytes() != NOT_SENT.as_bytes(), status.message())
        }
        _ if ours => Error::new(code, status.message()),
        _ => Error::foreign(code, status.message()),
    };
    error.with_details_of(status.details())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_travels_as_aborted_and_keeps_whether_it_may_have_run() {
        for may_have_run in [false, true] {
            let status = to_status(&Error::lost(may_have_run, "gone"));
            assert_eq!(status.code(), tonic::Code::Aborted);
            let error = from_status(&status, true);
            let loss = error.loss().expect("a loss");
            assert!(loss.downstream);
            assert_eq!(loss.may_have_run, may_have_run);
            assert_eq!(to_status(&error).code(), tonic::Code::Aborted);
        }
    }

    #[test]
    fn answers_keep_code_and_text() {
        let error = from_status(&to_status(&Error::not_found("no such key")), true);
        assert_eq!((error.code(), error.message()), (Code::NotFound, "no such key"));
        assert!(error.loss().is_none());
        assert!(from_status(&Status::aborted("tx aborted"), true).loss().is_none());
    }

    #[test]
    fn what_a_foreign_peer_calls_unavailable_goes_on_as_aborted() {
        for (came, goes_on) in [
            (tonic::Code::Unavailable, tonic::Code::Aborted),
            (tonic::Code::Cancelled, tonic::Code::Aborted),
            (tonic::Code::NotFound, tonic::Code::NotFound),
        ] {
            let status = Status::new(came, "EOF");
            let foreign = from_status(&status, false);
            assert_eq!(foreign.code() as i32, came as i32, "the caller sees what was said");
            assert!(foreign.loss().is_none());
            let status_on = to_status(&foreign.within("while reading"));
            assert_eq!((status_on.code(), status_on.message()), (goes_on, "while reading: EOF"));
            assert!(status_on.metadata().is_empty(), "nobody knows whether it was a loss");
            assert_eq!(to_status(&from_status(&status, true)).code(), came);
        }
    }
}
