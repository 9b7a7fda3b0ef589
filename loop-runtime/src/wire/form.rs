//! Fields in another form than that of their type: what `sint`, `fixed`, `wrapped`, `unpacked`, `key = ..` and `with = ..`
//! stand for.
//!
//! A form is a type without values. What holds values ([`Formed`]) is written and read through what they are in that form
//! ([`Element::Wire`]), so that only the last step is new here: from the value on the wire to the value of the field.

mod container;

use std::fmt::Display;
use std::marker::PhantomData;

use super::FieldSpec;
use super::WireError;
use super::message::{LoopMessage, Single, Value};
use super::oneof::Case;
use super::schema::{FieldType, Schema};
use super::sink::Sink;
use super::write::Writer;

/// A form of single values, which lists, maps and `Option` pass on to what they hold.
pub trait Form {}

/// Numbers as zigzag varints, of which small negative ones are short: `sint`.
pub struct Sint;
/// Numbers of a fixed width: `fixed`.
pub struct Fixed;
/// Plain values as the messages of protobuf that wrap them: `wrapped`.
pub struct Wrapped;
/// The form that the type has by itself.
pub struct Own;
/// A value in the form `F`, though it may look like a list: `with` on what is no list to the eye.
pub struct Whole<F>(PhantomData<F>);
/// A list of numbers, each with its own key: `unpacked`.
pub struct Unpacked<F>(PhantomData<F>);
/// A map whose keys are in the form `K`: `key = ..`.
pub struct Keyed<K, F>(PhantomData<(K, F)>);

impl Form for Sint {}
impl Form for Fixed {}
impl Form for Wrapped {}

/// A single value that can be in the form `F`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be written in the form `{F}`",
    label = "not a type that this option is for",
    note = "`sint` is for signed integers, `fixed` for integers, `wrapped` for what `google/protobuf/wrappers.proto` has; \
            for other types write `with = module`"
)]
pub trait Element<F>: Sized {
    /// What it is on the wire.
    type Wire: Value;

    /// The way there.
    fn to_wire(&self) -> Self::Wire;

    /// The way back.
    fn from_wire(wire: Self::Wire) -> Result<Self, WireError>;

    /// Writes the value whatever it is.
    fn write(&self, n: u32, out: &mut Writer) {
        self.to_wire().put_always(n, out);
    }

    /// Writes `items` as a repeated field.
    fn write_list<'a>(items: impl ExactSizeIterator<Item = &'a Self> + Clone, n: u32, out: &mut Writer)
    where
        Self: 'a,
        <Self::Wire as Value>::Shape: Single,
    {
        items.map(Self::to_wire).collect::<Vec<_>>().put(n, out);
    }

    /// Reads the value of the case `spec`, and puts what `with` makes of it into `into`.
    fn read<E>(case: &Case<'_>, spec: &FieldSpec, with: fn(Self) -> E, into: &mut dyn Sink<E>) -> Result<(), WireError>
    where
        <Self::Wire as Value>::Shape: Single,
    {
        let mut back = Back { into, with, refused: None, form: PhantomData::<F> };
        let read = Self::Wire::read(case.fields(), &mut back);
        read.and(back.refused.map_or(Ok(()), Err)).map_err(|error| error.at(spec))
    }

    /// The type in the exported schema.
    fn describe(schema: &mut Schema) -> FieldType {
        Self::Wire::field_type(schema)
    }
}

/// Takes a value of the wire, and puts what it is in Rust into another sink.
struct Back<'s, T, E, F> {
    into: &'s mut dyn Sink<E>,
    with: fn(T) -> E,
    refused: Option<WireError>,
    form: PhantomData<F>,
}

impl<W, T: Element<F, Wire = W>, E, F> Sink<W> for Back<'_, T, E, F> {
    fn put(&mut self, wire: W) {
        match T::from_wire(wire) {
            Ok(value) => self.into.put((self.with)(value)),
            Err(why) => self.refused = Some(why),
        }
    }
}

/// The longest text of a user's error that is told to a peer, in bytes.
const LONGEST_WHY: usize = 256;

/// What the way back of `with = ..` said.
pub fn converted<T, E: Display>(result: Result<T, E>) -> Result<T, WireError> {
    result.map_err(|why| {
        let mut why = why.to_string();
        if why.len() > LONGEST_WHY {
            let end = (0..=LONGEST_WHY).rev().find(|end| why.is_char_boundary(*end));
            why.truncate(end.unwrap_or_default());
            why.push('…');
        }
        WireError::refused(why.clone(), why)
    })
}

/// A field in the form `F`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be written in the form `{F}`",
    label = "not a type that this option is for",
    note = "`sint` is for signed integers, `fixed` for integers, `wrapped` for what `google/protobuf/wrappers.proto` has, \
            also in lists, maps and `Option`; `unpacked` is for lists, `key = ..` for maps"
)]
pub trait Formed<F>: Sized {
    /// What it is on the wire.
    type Wire: Value;

    /// Writes the value.
    fn write(&self, n: u32, out: &mut Writer);

    /// The way back.
    fn from_wire(wire: Self::Wire) -> Result<Self, WireError>;

    /// The type in the exported schema.
    fn describe(schema: &mut Schema) -> FieldType {
        Self::Wire::field_type(schema)
    }
}

/// A field in the form `F` that is marked `#[wire(default)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot cross the plugin boundary by default",
    label = "not a type that this option is for, or not `Default`",
    note = "derive it: `#[derive(Default)]`"
)]
pub trait FormedOrDefault<F>: Formed<F> + Default {
    /// [`Formed::write`].
    fn write(&self, n: u32, out: &mut Writer) {
        Formed::write(self, n, out);
    }

    /// [`Formed::describe`].
    fn describe(schema: &mut Schema) -> FieldType {
        <Self as Formed<F>>::describe(schema)
    }
}

impl<F, T: Formed<F> + Default> FormedOrDefault<F> for T {}

impl<F: Form, T: Element<F>> Formed<Whole<F>> for T {
    type Wire = T::Wire;

    #[inline]
    fn write(&self, n: u32, out: &mut Writer) {
        self.to_wire().put(n, out);
    }

    #[inline]
    fn from_wire(wire: T::Wire) -> Result<Self, WireError> {
        <T as Element<F>>::from_wire(wire)
    }
}

impl<F: Form, T: Element<F>> Formed<F> for Option<T>
where
    <T::Wire as Value>::Shape: Single,
{
    type Wire = Option<T::Wire>;

    #[inline]
    fn write(&self, n: u32, out: &mut Writer) {
        if let Some(value) = self {
            Element::<F>::write(value, n, out);
        }
    }

    #[inline]
    fn from_wire(wire: Self::Wire) -> Result<Self, WireError> {
        wire.map(<T as Element<F>>::from_wire).transpose()
    }
}
