//! What derived code calls for each field: one trait per kind of declaration, all with items of the same names.
//!
//! Derived code names the type of a field only as `<Ty as Plain>::item`, so that rustc reports a type that cannot cross
//! once, and underlines it. For the same reason these traits have no supertraits: through one, rustc would name the
//! unmet bound of each item, and the reports would no longer be identical.

use std::time::Duration;

use super::message::{LoopMessage, Shape, Single, Value};
use super::oneof::Case;
use super::read::{Field, Packing};
use super::schema::{FieldType, Schema};
use super::sink::{Mapped, Sink};
use super::time::Nanos;
use super::write::Writer;
use super::{FieldSpec, WireError};

/// A field without options, or the inner type of a newtype.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot cross the plugin boundary",
    label = "not a message, and not one of the types that the wire knows",
    note = "derive it: `#[derive(LoopMessage)]`; lists, maps and `Option` hold messages and plain values, not each other",
    note = "a type of another crate gets a form by `#[wire(N, with = module)]`"
)]
pub trait Plain: Sized {
    /// [`Value::Shape`].
    type Shape: Shape;
    /// [`Value::Slot`].
    type Slot<'a>: Default;
    /// [`Value::PACKING`].
    const PACKING: Packing;

    /// An empty slot.
    fn slot<'a>() -> Self::Slot<'a>;

    /// [`Value::add`].
    fn take<'a>(slot: &mut Self::Slot<'a>, field: Field<'a>) -> Result<(), WireError>;

    /// [`Value::settle`].
    fn settle(slot: &mut Self::Slot<'_>) -> Result<(), WireError>;

    /// [`Value::done`].
    fn make(slot: Self::Slot<'_>) -> Result<Self, WireError>;

    /// [`Value::read`], for the inner type of a newtype: `with` makes the newtype.
    fn read<T>(occurrences: &[Field<'_>], with: fn(Self) -> T, into: &mut dyn Sink<T>) -> Result<(), WireError>;

    /// [`LoopMessage::put`](LoopMessage::put).
    fn write(&self, n: u32, out: &mut Writer);

    /// [`LoopMessage::put_always`](LoopMessage::put_always).
    fn write_always(&self, n: u32, out: &mut Writer);

    /// [`LoopMessage::put_all`](LoopMessage::put_all).
    fn write_all<'a>(items: impl ExactSizeIterator<Item = &'a Self> + Clone, n: u32, out: &mut Writer)
    where
        Self: 'a;

    /// The type in the exported schema.
    fn describe(schema: &mut Schema) -> FieldType;
}

impl<T: Value> Plain for T {
    type Shape = <T as Value>::Shape;
    type Slot<'a> = <T as Value>::Slot<'a>;
    const PACKING: Packing = <T as Value>::PACKING;

    #[inline]
    fn slot<'a>() -> Self::Slot<'a> {
        Self::Slot::default()
    }

    #[inline]
    fn take<'a>(slot: &mut Self::Slot<'a>, field: Field<'a>) -> Result<(), WireError> {
        Self::add(slot, field)
    }

    #[inline]
    fn settle(slot: &mut Self::Slot<'_>) -> Result<(), WireError> {
        <Self as Value>::settle(slot)
    }

    #[inline]
    fn make(slot: Self::Slot<'_>) -> Result<Self, WireError> {
        Self::done(slot)
    }

    #[inline]
    fn read<N>(occurrences: &[Field<'_>], with: fn(Self) -> N, into: &mut dyn Sink<N>) -> Result<(), WireError> {
        <Self as Value>::read(occurrences, &mut Mapped::new(into, with))
    }

    #[inline]
    fn write(&self, n: u32, out: &mut Writer) {
        self.put(n, out);
    }

    #[inline]
    fn write_always(&self, n: u32, out: &mut Writer) {
        self.put_always(n, out);
    }

    fn write_all<'a>(items: impl ExactSizeIterator<Item = &'a Self> + Clone, n: u32, out: &mut Writer)
    where
        Self: 'a,
    {
        Self::put_all(items, n, out);
    }

    fn describe(schema: &mut Schema) -> FieldType {
        Self::field_type(schema)
    }
}

/// The content of a oneof case.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot cross the plugin boundary",
    label = "not a message, and not a value that can be one of several",
    note = "derive it: `#[derive(LoopMessage)]`; lists, maps and `Option` hold messages and plain values, not each other",
    note = "a type of another crate gets a form by `#[wire(N, with = module)]`"
)]
pub trait Content: Sized {
    /// Writes the value.
    fn write(&self, n: u32, out: &mut Writer);

    /// Reads the value of the case `spec`, maps it by `with` and puts the result into `into`.
    fn read<E>(case: &Case<'_>, spec: &FieldSpec, with: fn(Self) -> E, into: &mut dyn Sink<E>)
    -> Result<(), WireError>;

    /// The type in the exported schema.
    fn describe(schema: &mut Schema) -> FieldType;
}

impl<T: Value> Content for T
where
    <T as Value>::Shape: Single,
{
    #[inline]
    fn write(&self, n: u32, out: &mut Writer) {
        self.put_always(n, out);
    }

    #[inline]
    fn read<E>(
        case: &Case<'_>,
        spec: &FieldSpec,
        with: fn(Self) -> E,
        into: &mut dyn Sink<E>,
    ) -> Result<(), WireError> {
        <Self as Value>::read(case.fields(), &mut Mapped::new(into, with)).map_err(|error| error.at(spec))
    }

    fn describe(schema: &mut Schema) -> FieldType {
        Self::field_type(schema)
    }
}

/// A field marked `#[wire(default)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot cross the plugin boundary by default",
    label = "not a type that the wire knows, or not `Default`",
    note = "derive both: `#[derive(Default, LoopMessage)]`"
)]
pub trait OrDefault: Sized {
    /// Empty until the field occurs.
    type Slot<'a>;

    /// An empty slot.
    fn slot<'a>() -> Self::Slot<'a>;

    /// Takes an occurrence.
    fn take<'a>(slot: &mut Self::Slot<'a>, field: Field<'a>) -> Result<(), WireError>;

    /// [`Value::settle`].
    fn settle(slot: &mut Self::Slot<'_>) -> Result<(), WireError>;

    /// Makes the value.
    fn make(slot: Self::Slot<'_>) -> Result<Self, WireError>;

    /// Writes the value.
    fn write(&self, n: u32, out: &mut Writer);

    /// The type in the exported schema.
    fn describe(schema: &mut Schema) -> FieldType;
}

impl<T: Value + Default> OrDefault for T {
    type Slot<'a> = Option<<T as Value>::Slot<'a>>;

    #[inline]
    fn slot<'a>() -> Self::Slot<'a> {
        None
    }

    #[inline]
    fn take<'a>(slot: &mut Self::Slot<'a>, field: Field<'a>) -> Result<(), WireError> {
        Self::add(slot.get_or_insert_default(), field)
    }

    #[inline]
    fn settle(slot: &mut Self::Slot<'_>) -> Result<(), WireError> {
        slot.as_mut().map_or(Ok(()), <Self as Value>::settle)
    }

    #[inline]
    fn make(slot: Self::Slot<'_>) -> Result<Self, WireError> {
        slot.map_or_else(|| Ok(Self::default()), Self::done)
    }

    #[inline]
    fn write(&self, n: u32, out: &mut Writer) {
        self.put(n, out);
    }

    fn describe(schema: &mut Schema) -> FieldType {
        Self::field_type(schema)
    }
}

/// A field marked `#[wire(nanos)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a span of time",
    label = "expected a `Duration`",
    note = "`nanos` writes a `std::time::Duration`, or an `Option` of one, as an `int64`"
)]
pub trait InNanos: Sized {
    /// An empty slot.
    fn slot() -> Option<i64>;

    /// Takes an occurrence.
    fn take(slot: &mut Option<i64>, field: Field<'_>) -> Result<(), WireError>;

    /// Nothing is nested.
    fn settle(_: &mut Option<i64>) -> Result<(), WireError> {
        Ok(())
    }

    /// Makes the value.
    fn make(slot: Option<i64>) -> Result<Self, WireError>;

    /// Writes the value.
    fn write(&self, n: u32, out: &mut Writer);

    /// The type in the exported schema.
    fn describe(schema: &mut Schema) -> FieldType;
}

macro_rules! in_nanos {
    ($($ty:ty)*) => {$(
        impl InNanos for $ty {
            #[inline]
            fn slot() -> Option<i64> {
                None
            }

            #[inline]
            fn take(slot: &mut Option<i64>, field: Field<'_>) -> Result<(), WireError> {
                i64::add(slot, field)
            }

            #[inline]
            fn make(slot: Option<i64>) -> Result<Self, WireError> {
                Nanos::<Self>::done(slot).map(|nanos| nanos.0)
            }

            #[inline]
            fn write(&self, n: u32, out: &mut Writer) {
                Nanos(*self).put(n, out);
            }

            fn describe(schema: &mut Schema) -> FieldType {
                Nanos::<Self>::field_type(schema)
            }
        }
    )*};
}

in_nanos! { Duration Option<Duration> }
