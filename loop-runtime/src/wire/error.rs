//! Why bytes did not become a value.

use std::borrow::Cow;
use std::fmt::{self, Display};

use super::FieldSpec;
/// Why a message is not written that nests too deep.
pub(super) const TOO_DEEP: &str = "nested deeper than 100 levels, which receivers refuse";

/// The maximum length of a path, in bytes. It contains map keys, which come from the peer and may have any length.
const LONGEST_PATH: usize = 256;

/// Why bytes from the peer could not be decoded, or a value could not be encoded.
///
/// Decoding fails in two ways. *Malformed* bytes are not protobuf, or not of the field's wire type: the peers disagree
/// about the format, and the status is `Internal`. A *refused* value is valid protobuf that does not fit the type, and
/// the status is `InvalidArgument` with path and reason; for a field with a text of its own (`#[wire(1, text = "..")]`)
/// it is `Unknown` with exactly that text, as Go's adapters do. In a reply either is `Internal` to the
/// caller, who did nothing wrong.
///
/// What is *written* can be nested too deep (more than 100 levels below the outermost message, which receivers refuse), or
/// be a path that is not UTF-8. Nothing is sent then. A caller with such an argument gets `InvalidArgument` with the path, and
/// [`Error::may_have_run`](crate::Error::may_have_run) is `false`; a method with such a result is answered with `Internal`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireError(Box<Repr>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Repr {
    /// From the outside in, as in `parents.digests[2]`.
    path: String,
    /// Whether `path` names a field, and not only a position within a field's value.
    named: bool,
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Malformed(&'static str),
    Refused { why: Cow<'static, str>, came: String, text: Option<String> },
    Unwritten(&'static str),
}

impl WireError {
    fn of(kind: Kind) -> Self {
        Self(Box::new(Repr { path: String::new(), named: false, kind }))
    }

    /// The bytes are not protobuf, or of another wire type than the field.
    #[cold]
    pub fn malformed(what: &'static str) -> Self {
        Self::of(Kind::Malformed(what))
    }

    /// The value does not fit: `why` is the reason, `came` the received number or length (`{n}` in a text).
    #[cold]
    pub fn refused(why: impl Into<Cow<'static, str>>, came: impl Display) -> Self {
        Self::of(Kind::Refused { why: why.into(), came: came.to_string(), text: None })
    }

    /// The value cannot be written, and why.
    #[cold]
    pub(crate) fn unwritten(why: &'static str) -> Self {
        Self::of(Kind::Unwritten(why))
    }

    /// A required value is missing.
    #[cold]
    pub fn missing() -> Self {
        Self::refused("required, and missing", "")
    }

    /// Prepends the name of a field to the path.
    #[must_use]
    pub fn within(mut self, name: impl Display) -> Self {
        let mut path = name.to_string();
        if !self.0.path.is_empty() && !self.0.path.starts_with('[') {
            path.push('.');
        }
        path.push_str(&self.0.path);
        self.0.named = true;
        self.with_path(path)
    }

    /// A long path is truncated at its end: the beginning matters most, and errors travel in headers.
    fn with_path(mut self, mut path: String) -> Self {
        if path.len() > LONGEST_PATH {
            let end = (0..=LONGEST_PATH).rev().find(|end| path.is_char_boundary(*end));
            path.truncate(end.unwrap_or_default());
            path.push('…');
        }
        self.0.path = path;
        self
    }

    /// Prepends an index or a map key to the path. The element is still part of its field, so the field's text applies.
    #[must_use]
    pub(crate) fn item(self, index: impl Display) -> Self {
        let dot = if self.0.path.is_empty() || self.0.path.starts_with('[') { "" } else { "." };
        let path = format!("[{index}]{dot}{}", self.0.path);
        self.with_path(path)
    }

    /// Replaces the text of a refusal of this value itself, where `{n}` is what was received; a refusal of a nested
    /// value, and malformed bytes, are left as they are.
    #[must_use]
    pub fn reworded(mut self, with: &str) -> Self {
        if let (false, Kind::Refused { came, text, .. }) = (self.0.named, &mut self.0.kind) {
            *text = Some(with.replace("{n}", came));
        }
        self
    }

    /// The error attributed to the field `spec`: with its text, if it has one, and its name in the path.
    #[must_use]
    #[cold]
    pub fn at(self, spec: &FieldSpec) -> Self {
        let error = match spec.text {
            Some(text) => self.reworded(text),
            None => self,
        };
        error.within(spec.name)
    }

    /// Whether the bytes were not protobuf, or of another wire type than the field.
    pub fn is_malformed(&self) -> bool {
        matches!(self.0.kind, Kind::Malformed(_))
    }

    /// The path of the value, from the outside in, as in `parents.digests[2]`; empty for the whole body.
    pub fn path(&self) -> &str {
        &self.0.path
    }

    /// The number or length that was refused; empty if the value was missing.
    pub fn came(&self) -> &str {
        match &self.0.kind {
            Kind::Malformed(_) | Kind::Unwritten(_) => "",
            Kind::Refused { came, .. } => came,
        }
    }

    /// The text that a field or type defines for its own refusal, with `{n}` filled in.
    pub fn text(&self) -> Option<&str> {
        match &self.0.kind {
            Kind::Refused { text, .. } => text.as_deref(),
            Kind::Malformed(_) | Kind::Unwritten(_) => None,
        }
    }
}

impl Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(text) = self.text() {
            return f.write_str(text);
        }
        if !self.0.path.is_empty() {
            f.write_str(&self.0.path)?;
            f.write_str(": ")?;
        }
        match &self.0.kind {
            Kind::Malformed(what) => write!(f, "malformed protobuf: {what}"),
            Kind::Refused { why, .. } => f.write_str(why),
            Kind::Unwritten(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for WireError {}

/// What kind of failure it is, which decides the status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The bytes are not protobuf, or of another wire type than the field.
    Malformed,
    /// A value that does not fit.
    Refused,
    /// The same, with a text that the contract fixes.
    Worded,
    /// A value that cannot be written.
    Unwritten,
}

impl WireError {
    pub(crate) fn fault(&self) -> Fault {
        match &self.0.kind {
            Kind::Malformed(_) => Fault::Malformed,
            Kind::Refused { text: Some(_), .. } => Fault::Worded,
            Kind::Refused { text: None, .. } => Fault::Refused,
            Kind::Unwritten(_) => Fault::Unwritten,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_read_from_the_outside_in() {
        let error =
            WireError::refused("300 does not fit `u8`", 300).item(2).within("digits").item("k").within("parents");
        assert_eq!(error.to_string(), "parents[k].digits[2]: 300 does not fit `u8`");
        assert_eq!(error.fault(), Fault::Refused);
    }

    #[test]
    fn a_text_belongs_to_its_own_field_only() {
        let spec = FieldSpec::new(5, "F").text("expected uint8 F (max 255) but got {n}");
        let own = WireError::refused("300 does not fit `u8`", 300).at(&spec).within("contractConfig");
        assert_eq!(own.to_string(), "expected uint8 F (max 255) but got 300");
        assert_eq!(own.path(), "contractConfig.F");
        assert_eq!(own.fault(), Fault::Worded);

        let element = WireError::refused("300 does not fit `u8`", 300).item(1).at(&spec);
        assert_eq!(element.to_string(), "expected uint8 F (max 255) but got 300");

        let inner = WireError::missing().within("inner").at(&spec);
        assert_eq!(inner.to_string(), "F.inner: required, and missing");

        let malformed = WireError::malformed("truncated").at(&spec);
        assert_eq!(malformed.to_string(), "F: malformed protobuf: truncated");
        assert_eq!(malformed.fault(), Fault::Malformed);
    }

    #[test]
    fn the_text_nearest_to_the_user_wins() {
        let error =
            WireError::refused("..", 31).reworded("invalid length {n}").reworded("invalid ConfigDigest len {n}");
        assert_eq!(error.text(), Some("invalid ConfigDigest len 31"));
    }
}
