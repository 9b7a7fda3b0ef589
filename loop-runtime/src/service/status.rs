//! Errors on the wire: gRPC code and text, and a trailer that marks a loss behind the peer that answers.

use tonic::Status;
use tonic::metadata::MetadataValue;

use crate::error::{Code, Error, ErrorKind};

/// Trailer of an `Aborted` answer that stands for a loss; its value says whether the method may have run.
pub(crate) const LOST: &str = "loop-lost";
const NOT_SENT: &str = "not-sent";
const MAY_HAVE_RUN: &str = "may-have-run";

/// The status that answers `error`.
///
/// A loss becomes `Aborted`, never `Unavailable` or `Canceled`: a Go host takes those as the death of the plugin that
/// answers, and rebuilds it for ever.
pub(crate) fn to_status(error: &Error) -> Status {
    let ErrorKind::Lost(loss) = error.kind() else {
        return Status::new(tonic::Code::from_i32(error.code() as i32), error.message());
    };
    let mut status = Status::aborted(error.message());
    let value = if loss.may_have_run { MAY_HAVE_RUN } else { NOT_SENT };
    status.metadata_mut().insert(LOST, MetadataValue::from_static(value));
    status
}

/// The error that a received status stands for.
pub(crate) fn from_status(status: &Status) -> Error {
    let code = Code::from_i32(status.code() as i32);
    match status.metadata().get(LOST) {
        Some(value) if code == Code::Aborted => {
            Error::lost_downstream(value.as_bytes() != NOT_SENT.as_bytes(), status.message())
        }
        _ => Error::new(code, status.message()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_travels_as_aborted_and_keeps_whether_it_may_have_run() {
        for may_have_run in [false, true] {
            let status = to_status(&Error::lost(may_have_run, "gone"));
            assert_eq!(status.code(), tonic::Code::Aborted);
            let error = from_status(&status);
            let loss = error.loss().expect("a loss");
            assert!(loss.downstream);
            assert_eq!(loss.may_have_run, may_have_run);
            assert_eq!(to_status(&error).code(), tonic::Code::Aborted);
        }
    }

    #[test]
    fn answers_keep_code_and_text() {
        let error = from_status(&to_status(&Error::not_found("no such key")));
        assert_eq!((error.code(), error.message()), (Code::NotFound, "no such key"));
        assert!(error.loss().is_none());
        assert!(from_status(&Status::aborted("tx aborted")).loss().is_none());
    }
}
