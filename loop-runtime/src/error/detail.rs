//! The details of an error: messages beside code and text, as in gRPC's richer error model.
//!
//! They travel as a [`google.rpc.Status`] in the trailer `grpc-status-details-bin`, where every implementation of gRPC
//! that knows of details looks for them; in Go, `status.FromError(err)` gives them.
//!
//! [`google.rpc.Status`]: https://github.com/googleapis/googleapis/blob/master/google/rpc/status.proto

use std::fmt;

use bytes::Bytes;
use loop_macros::LoopMessage;

use super::{Code, Error};
use crate::wire::{Message, WireError, decode, encode};

/// What precedes the name of a type in an `Any`; protobuf's libraries write this, and ignore it when they read.
const TYPES: &str = "type.googleapis.com/";

/// A message under its name.
#[derive(Clone, LoopMessage)]
#[message(name = "google.protobuf.Any")]
pub(super) struct Detail {
    #[wire(1)]
    type_url: String,
    #[wire(2)]
    value: Bytes,
}

#[derive(LoopMessage)]
#[message(name = "google.rpc.Status")]
struct RichStatus {
    #[wire(1)]
    code: i32,
    #[wire(2)]
    message: String,
    #[wire(3)]
    details: Vec<Detail>,
}

impl Detail {
    fn of<M: Message>(message: &M) -> Result<Self, WireError> {
        Ok(Self { type_url: format!("{TYPES}{}", M::NAME), value: encode(message)? })
    }

    /// The message, if it is one of type `M` that this program understands.
    fn read<M: Message>(&self) -> Option<M> {
        // What is in an `Any` is named by what follows the last slash.
        let name = self.type_url.rsplit('/').next();
        if name != Some(M::NAME) {
            return None;
        }
        match decode(&self.value) {
            Ok(message) => Some(message),
            Err(why) => {
                tracing::debug!(%why, "the detail {} of an error is left aside", M::NAME);
                None
            }
        }
    }
}

impl fmt::Debug for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} bytes)", self.type_url, self.value.len())
    }
}

impl Error {
    /// The same error with `message` attached, after what is attached already.
    ///
    /// Any peer can read it, by the [name](Message::NAME) of its type, which should therefore have a package
    /// (`#[message(package = "..")]`). Details travel in a header: keep them small. A peer that does not know the type sees
    /// code and text as ever.
    ///
    /// ```
    /// use loop_runtime::{Error, LoopMessage};
    ///
    /// #[derive(LoopMessage)]
    /// #[message(package = "acme.ledger.v1")]
    /// struct Busy {
    ///     #[wire(1)]
    ///     queued: u32,
    /// }
    ///
    /// let error = Error::failed_precondition("7 are waiting").with_detail(&Busy { queued: 7 });
    /// assert_eq!(error.detail::<Busy>().map(|busy| busy.queued), Some(7));
    /// ```
    ///
    /// A message that is nested deeper than 100 levels, and so could not be read, is not attached, and logged instead.
    #[must_use = "the error is changed in the copy that is returned"]
    pub fn with_detail<M: Message>(self, message: &M) -> Self {
        match Detail::of(message) {
            Ok(detail) => self.changed(|repr| repr.details.push(detail)),
            Err(why) => {
                tracing::warn!(%why, "the detail {} of an error cannot be sent", M::NAME);
                self
            }
        }
    }

    /// The first attached message of type `M`; one that does not decode counts as absent.
    pub fn detail<M: Message>(&self) -> Option<M> {
        self.0.details.iter().find_map(Detail::read)
    }

    /// The same error with the details of a received [`rich_status`]; undecodable bytes count as no details.
    pub(crate) fn with_details_of(self, rich_status: &[u8]) -> Self {
        if rich_status.is_empty() {
            return self;
        }
        match decode::<RichStatus>(&Bytes::copy_from_slice(rich_status)) {
            Ok(status) => self.changed(|repr| repr.details = status.details),
            Err(why) => {
                tracing::debug!(%why, "the details of an error are left aside");
                self
            }
        }
    }
}

/// The details of `error` as they travel beside `code` and text; empty if there are none.
///
/// Code and text are repeated in there: grpc-go takes these, and ignores details with another code.
pub(crate) fn rich_status(error: &Error, code: Code) -> Bytes {
    let (message, details) = (error.message(), &error.0.details);
    if details.is_empty() {
        return Bytes::new();
    }
    let status = RichStatus { code: code as i32, message: message.to_owned(), details: details.clone() };
    // Three levels.
    encode(&status).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, LoopMessage)]
    #[message(package = "acme.v1")]
    struct Range {
        #[wire(1)]
        first: u64,
        #[wire(2)]
        last: u64,
    }

    #[derive(Debug, PartialEq, LoopMessage)]
    #[message(package = "acme.v1")]
    struct Hint {
        #[wire(1)]
        text: String,
    }

    #[test]
    fn details_are_found_by_type_and_outlive_what_is_said_around_them() {
        let (range, hint) = (Range { first: 1, last: 9 }, Hint { text: "later".to_owned() });
        let error = Error::not_found("no such block").with_detail(&hint).with_detail(&range);
        let error = error.within("while reading").with_source(std::io::Error::other("disk"));
        assert_eq!((error.detail(), error.detail()), (Some(range), Some(hint)));
        assert_eq!(error.message(), "while reading: no such block");
        assert!(format!("{error:?}").contains("acme.v1.Range (4 bytes)"), "{error:?}");
        assert_eq!(Error::not_found("no such block").detail::<Hint>(), None);
    }

    #[test]
    fn a_rich_status_says_code_and_text_again() {
        let error = Error::not_found("gone").with_detail(&Hint { text: "x".to_owned() });
        let any = b"\x0a\x20type.googleapis.com/acme.v1.Hint\x12\x03\x0a\x01x";
        let expected = [b"\x08\x0a\x12\x04gone\x1a\x27".as_slice(), any].concat();
        assert_eq!(rich_status(&error, Code::Aborted), expected);
        assert!(rich_status(&Error::not_found("gone"), Code::NotFound).is_empty());
    }

    #[test]
    fn what_is_no_status_and_no_message_of_the_type_is_left_aside() {
        let gone = || Error::not_found("gone");
        for bytes in [b"\x1a\xff".as_slice(), b"\x08", b"\x1a\x03abc", b"\x12\x01\xff"] {
            assert!(gone().with_details_of(bytes).0.details.is_empty(), "{bytes:?}");
        }
        for (type_url, value, found) in [
            ("type.googleapis.com/acme.v1.Hint", b"\x0a\x01x".as_slice(), true),
            ("elsewhere.example/a/acme.v1.Hint", b"\x0a\x01x", true),
            ("acme.v1.Hint", b"", true),
            ("type.googleapis.com/acme.v1.Hin", b"\x0a\x01x", false),
            ("type.googleapis.com/acme.v1.Hint", b"\x0a\x05x", false),
            ("type.googleapis.com/acme.v1.Hint", b"\x08\x01", false),
        ] {
            let detail = Detail { type_url: type_url.to_owned(), value: Bytes::from_static(value) };
            let status = RichStatus { code: 5, message: String::new(), details: vec![detail] };
            let bytes = encode(&status).expect("not deep");
            let error = gone().with_details_of(&bytes);
            assert_eq!(error.detail::<Hint>().is_some(), found, "{type_url} {value:?}");
            assert_eq!((error.code(), error.message(), error.0.details.len()), (Code::NotFound, "gone", 1));
        }
    }
}
