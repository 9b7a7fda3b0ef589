//! Enums with data: one case of several, each under a number of its own.

use super::WireError;
use super::read::{Field, Fields};
use super::schema::{OneofShape, Schema};
use super::sink::{Discard, Mapped, Sink};
use super::write::Writer;

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
    fn put_case(&self, out: &mut Writer);

    /// Reads the received case, and puts it into `into`.
    fn read_case(case: &Case<'_>, into: &mut dyn Sink<Self>) -> Result<(), WireError>;

    /// The value if no case is set: the variant marked `#[wire(unknown)]`, if there is one.
    fn unset() -> Option<Self>;

    /// Adds the cases to `shape`.
    fn cases(shape: &mut OneofShape, schema: &mut Schema);
}

/// A field marked `#[wire(oneof)]`: an enum with data, which is required, or an `Option` of one.
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
    fn put(&self, out: &mut Writer);

    /// Reads the field, and puts it into `into`.
    fn read(case: &Case<'_>, into: &mut dyn Sink<Self>) -> Result<(), WireError>;

    /// Takes `field`, which is one of the cases. Fails if it overwrites an earlier case that was malformed.
    fn add<'a>(case: &mut Case<'a>, field: Field<'a>) -> Result<(), WireError> {
        let Some(overwritten) = case.push(field) else { return Ok(()) };
        // Its value is dropped, so a refusal does not matter; but malformed bytes fail here as everywhere.
        match Self::Of::read_case(&overwritten, &mut Discard) {
            Err(error) if error.is_malformed() => Err(error),
            _ => Ok(()),
        }
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
    fn put(&self, out: &mut Writer) {
        self.put_case(out);
    }

    #[inline]
    fn read(case: &Case<'_>, into: &mut dyn Sink<Self>) -> Result<(), WireError> {
        if case.is_unset() { unset(into) } else { E::read_case(case, into) }
    }
}

impl<E: Oneof> OneofField for Option<E> {
    type Of = E;

    #[inline]
    fn put(&self, out: &mut Writer) {
        if let Some(case) = self {
            case.put_case(out);
        }
    }

    #[inline]
    fn read(case: &Case<'_>, into: &mut dyn Sink<Self>) -> Result<(), WireError> {
        if case.is_unset() {
            into.put(None);
            return Ok(());
        }
        E::read_case(case, &mut Mapped::new(into, Some))
    }
}

/// Puts the value for no case, or for an unknown one, into `into`.
pub fn unset<E: Oneof>(into: &mut dyn Sink<E>) -> Result<(), WireError> {
    into.put(E::unset().ok_or_else(WireError::missing)?);
    Ok(())
}

/// Reads an enum with data that is a message by itself.
pub fn read_oneof<E: Oneof>(mut fields: Fields<'_>, into: &mut dyn Sink<E>) -> Result<(), WireError> {
    let mut case = Case::default();
    while let Some(field) = fields.next()? {
        if E::NUMBERS.contains(&field.number()) {
            E::add(&mut case, field)?;
        }
    }
    <E as OneofField>::read(&case, into)
}

/// The occurrences of one field, such as the last case received of a oneof.
#[derive(Default)]
pub struct Case<'a> {
    /// The only one, while there is only one: this needs no allocation.
    one: Option<Field<'a>>,
    several: Vec<Field<'a>>,
}

impl<'a> Case<'a> {
    /// Adds an occurrence, and returns the occurrences of another number, if it overwrites any.
    pub(super) fn push(&mut self, field: Field<'a>) -> Option<Self> {
        let last = self.fields().last();
        let other = last.is_some_and(|last| last.number() != field.number());
        // Several copies of one message merge; of numbers only the last counts, and the others are not stored.
        let alone = other || last.is_none_or(|last| last.outdone_by(&field));
        let overwritten = other.then(|| std::mem::take(self));
        if alone {
            self.several.clear();
            self.one = Some(field);
        } else {
            self.several.extend(self.one.take());
            self.several.push(field);
        }
        overwritten
    }

    /// The number of the case; 0 if there is none.
    pub fn number(&self) -> u32 {
        self.fields().first().map_or(0, Field::number)
    }

    /// The occurrences.
    pub(super) fn fields(&self) -> &[Field<'a>] {
        self.one.as_ref().map_or(&self.several, std::slice::from_ref)
    }

    fn is_unset(&self) -> bool {
        self.fields().is_empty()
    }
}

/// Fails compilation if a oneof has a number that its message uses too.
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
