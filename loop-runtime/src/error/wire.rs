//! The errors of failed decoding and encoding, as callers see them.

use super::{Code, Error};
use crate::wire::{Fault, WireError};

/// The answer to a request that could not be decoded, or the error of a call whose request could not be encoded.
impl From<WireError> for Error {
    fn from(error: WireError) -> Self {
        let message = error.to_string();
        match error.fault() {
            Fault::Malformed => Self::new(Code::Internal, message),
            Fault::Worded => Self::new(Code::Unknown, message),
            Fault::Refused => Self::new(Code::InvalidArgument, message),
            Fault::Unwritten => Self::unsent(Code::InvalidArgument, message),
        }
    }
}

impl WireError {
    /// The error of a call whose reply could not be decoded, or encoded: never the caller's fault. A text that the
    /// contract fixes stays as it is.
    pub(crate) fn of_reply(self) -> Error {
        match self.fault() {
            Fault::Worded => self.into(),
            Fault::Malformed | Fault::Refused => Error::internal(self.to_string()),
            Fault::Unwritten => Error::internal(format!("the reply cannot be sent: {self}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::FieldSpec;

    #[test]
    fn whose_fault_it_is_decides_the_code() {
        let refused = || WireError::refused("300 does not fit `u8`", 300).within("parents");
        let worded = || WireError::refused("..", 300).at(&const { FieldSpec::new(5, "F").text("got {n}") });
        let malformed = || WireError::malformed("truncated");
        let unwritten = || WireError::unwritten("nested too deep");
        for (error, code, text) in [
            (Error::from(refused()), Code::InvalidArgument, "parents: 300 does not fit `u8`"),
            (refused().of_reply(), Code::Internal, "parents: 300 does not fit `u8`"),
            (malformed().into(), Code::Internal, "malformed protobuf: truncated"),
            (malformed().of_reply(), Code::Internal, "malformed protobuf: truncated"),
            (worded().into(), Code::Unknown, "got 300"),
            (worded().of_reply(), Code::Unknown, "got 300"),
        ] {
            assert_eq!((error.code(), error.message()), (code, text));
        }
        let (request, reply) = (Error::from(unwritten()), unwritten().of_reply());
        assert_eq!((request.code(), request.may_have_run()), (Code::InvalidArgument, false), "{request}");
        assert_eq!((reply.code(), reply.may_have_run()), (Code::Internal, true), "{reply}");
    }
}
