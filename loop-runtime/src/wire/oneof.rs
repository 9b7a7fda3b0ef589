//! Enums with data: one case of several, each under a number of its own.

use bytes::BytesMut;

use super::WireError;
use super::read::Field;
use super::schema::{OneofShape, Schema};

/// An enum with data, as one `oneof` of a message.
///
/// Derived for such enums, which are a [`Message`](super::Message) with this one oneof as well.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an enum with data",
    note = "`#[wire(oneof)]` takes an enum whose variants are numbered and hold data, or an `Option` of one"
)]
pub trait Oneof: Sized + Send + Sync + 'static {
    /// The numbers of the cases.
    const NUMBERS: &'static [u32];

    /// Writes the case.
    fn put_case(&self, out: &mut BytesMut);

    /// Reads the case that came.
    fn read_case(case: Case<'_>) -> Result<Self, WireError>;

    /// What no case at all is read as: the variant marked `#[wire(unknown)]`, if there is one.
    fn unset() -> Option<Self>;

    /// Adds the cases to `shape`.
    fn cases(shape: &mut OneofShape, schema: &mut Schema);
}

/// A field marked `#[wire(oneof)]`: an enum with data, which must come, or an `Option` of one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an enum with data",
    note = "`#[wire(oneof)]` takes an enum whose variants are numbered and hold data, or an `Option` of one"
)]
pub trait OneofField: Sized {
    /// The enum.
    type Of: Oneof;
    /// The numbers of its cases.
    const CASES: &'static [u32] = <Self::Of as Oneof>::NUMBERS;

    /// Writes the case, if there is one.
    fn put(&self, out: &mut BytesMut);

    /// Makes the value of what came.
    fn done(case: Case<'_>) -> Result<Self, WireError>;

    /// Takes `field` if it is one of the cases. Fails if it ends an earlier case that was malformed.
    fn offer<'a>(case: &mut Case<'a>, field: Field<'a>) -> Result<bool, WireError> {
        let ours = Self::CASES.contains(&field.number());
        if ours && let Some(overwritten) = case.push(field) {
            // Its value is of no interest, so it may well be refused; but bytes are protobuf or they are not.
            match Self::Of::read_case(overwritten) {
                Err(error) if error.is_malformed() => return Err(error),
                _ => {}
            }
        }
        Ok(ours)
    }

    /// The oneof in the exported schema.
    fn shape(name: &'static str, docs: &'static str, schema: &mut Schema) -> OneofShape {
        let mut shape = OneofShape::new(name, docs);
        Self::Of::cases(&mut shape, schema);
        shape
    }
}

impl<E: Oneof> OneofField for E {
    type Of = E;

    #[inline]
    fn put(&self, out: &mut BytesMut) {
        self.put_case(out);
    }

    #[inline]
    fn done(case: Case<'_>) -> Result<Self, WireError> {
        if case.is_unset() { E::unset().ok_or_else(WireError::missing) } else { E::read_case(case) }
    }
}

impl<E: Oneof> OneofField for Option<E> {
    type Of = E;

    #[inline]
    fn put(&self, out: &mut BytesMut) {
        if let Some(case) = self {
            case.put_case(out);
        }
    }

    #[inline]
    fn done(case: Case<'_>) -> Result<Self, WireError> {
        if case.is_unset() { Ok(None) } else { E::read_case(case).map(Some) }
    }
}

/// What came of a oneof: the occurrences of the last case.
#[derive(Default)]
pub struct Case<'a>(Vec<Field<'a>>);

impl<'a> Case<'a> {
    /// Adds an occurrence, and gives back the case that it overwrites.
    fn push(&mut self, field: Field<'a>) -> Option<Self> {
        let other = self.0.last().is_some_and(|last| last.number() != field.number());
        let overwritten = other.then(|| std::mem::take(self));
        // Several copies of one message merge; of numbers only the last counts, and the others need no memory.
        if self.0.last().is_some_and(|last| last.outdone_by(&field)) {
            self.0.clear();
        }
        self.0.push(field);
        overwritten
    }

    /// The number of the case; 0 if none came.
    pub fn number(&self) -> u32 {
        self.0.first().map_or(0, Field::number)
    }

    /// The occurrences.
    pub(super) fn fields(self) -> impl Iterator<Item = Field<'a>> {
        self.0.into_iter()
    }

    fn is_unset(&self) -> bool {
        self.0.is_empty()
    }
}

/// Stops compilation if a oneof has a number that its message uses too.
pub const fn assert_disjoint(message: &[u32], oneof: &[u32]) {
    let mut i = 0;
    while i < message.len() {
        let mut j = 0;
        while j < oneof.len() {
            assert!(message[i] != oneof[j], "a number of the oneof is also a number of the message");
            j += 1;
        }
        i += 1;
    }
}
