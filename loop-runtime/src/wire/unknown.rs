//! What a message was sent and does not know.

use std::fmt;

use bytes::Bytes;

use super::WireError;
use super::read::{Field, Fields};
use super::write::Writer;

/// The fields that came with a message and that it does not declare: a message with a field of this type keeps them, and
/// writes them again after its own.
///
/// ```
/// use loop_runtime::LoopMessage;
/// use loop_runtime::wire::{UnknownFields, decode, encode};
///
/// /// What a newer peer sends.
/// #[derive(LoopMessage)]
/// struct Newer {
///     #[wire(1)]
///     height: u64,
///     #[wire(2)]
///     hash: Vec<u8>,
/// }
///
/// /// What is known here, and passed on.
/// #[derive(LoopMessage)]
/// struct Head {
///     #[wire(1)]
///     height: u64,
///     rest: UnknownFields,
/// }
///
/// # fn main() -> Result<(), loop_runtime::wire::WireError> {
/// let head: Head = decode(&encode(&Newer { height: 7, hash: vec![1, 2] })?)?;
/// assert_eq!(head.rest.len(), 4);
/// let newer: Newer = decode(&encode(&head)?)?;
/// assert_eq!(newer.hash, [1, 2]);
/// # Ok(())
/// # }
/// ```
///
/// The field has no number, and a message has one at most. Order and content of the fields are kept, those of groups included;
/// what a number or a length is written with beyond need is not. They are no longer than the bytes that came. A message without such
/// a field skips what it does not know, and so do the arguments of a method, which are the fields of a message that nobody
/// declares: a relay takes one message with all of them, in which there is a place for the rest.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct UnknownFields {
    bytes: Vec<u8>,
}

impl UnknownFields {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// How many bytes they take on the wire.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }
}

/// Their numbers.
impl fmt::Debug for UnknownFields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = Bytes::from(self.bytes.clone());
        let mut fields = Fields::of(&bytes);
        let numbers = std::iter::from_fn(|| fields.next().ok().flatten().map(|field| field.number()));
        f.write_str("UnknownFields")?;
        f.debug_list().entries(numbers).finish()
    }
}

/// A field that keeps what is unknown.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not keep unknown fields",
    label = "expected `loop_runtime::wire::UnknownFields`",
    note = "the name `UnknownFields` is taken for that type: give another type another name, or its field a number"
)]
pub trait Unknown: Default {
    /// Takes a field that is none of the message's.
    fn take(&mut self, field: &Field<'_>) -> Result<(), WireError>;

    /// Writes all.
    fn write(&self, out: &mut Writer);
}

impl Unknown for UnknownFields {
    fn take(&mut self, field: &Field<'_>) -> Result<(), WireError> {
        field.copy_to(&mut self.bytes);
        Ok(())
    }

    fn write(&self, out: &mut Writer) {
        out.put_slice(&self.bytes);
    }
}
