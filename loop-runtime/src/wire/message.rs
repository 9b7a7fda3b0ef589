//! The traits of what can be written, what can be read back, and what is a message.

use std::borrow::Borrow;

use bytes::Bytes;

use super::WireError;
use super::read::{Bodies, Field, Fields, Packed, Packing};
use super::schema::{FieldType, Schema};
use super::sink::{Mapped, Sink};
use super::write::{Writer, nested};

/// What can be written as a field: an argument of a service method, a field of a message.
///
/// Derive it, with [`Value`] and [`Message`], for types of your own.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot cross the plugin boundary",
    label = "not a message, and not one of the types that the wire knows",
    note = "derive it: `#[derive(LoopMessage)]`; lists, maps and `Option` hold messages and plain values, not each other",
    note = "a type of another crate gets a form by `#[wire(N, with = module)]`"
)]
pub trait LoopMessage {
    /// What is read back: `String` for `str`, `Vec<T>` for `[T]`, the type itself if it is sized.
    type Owned: Value + Borrow<Self>;

    /// Writes field `n`, unless the value is the default, which is encoded by absence.
    #[doc(hidden)]
    fn put(&self, n: u32, out: &mut Writer);

    /// Writes field `n` even if it is the default: inside `Option`, lists, maps and oneofs.
    #[doc(hidden)]
    fn put_always(&self, n: u32, out: &mut Writer);

    /// Writes `items` as repeated field `n`; numbers override it and are packed.
    #[doc(hidden)]
    fn put_all<'a>(items: impl ExactSizeIterator<Item = &'a Self> + Clone, n: u32, out: &mut Writer)
    where
        Self: Sized + 'a,
    {
        for item in items {
            item.put_always(n, out);
        }
    }

    /// Writes a slice as field `n`, unless it is empty; `u8` overrides it, since a list of bytes is `bytes`.
    #[inline]
    #[doc(hidden)]
    fn put_slice(items: &[Self], n: u32, out: &mut Writer)
    where
        Self: Sized,
    {
        Self::put_all(items.iter(), n, out);
    }

    /// Writes a slice as field `n` even if it is empty, where the format distinguishes that from absence.
    #[inline]
    #[doc(hidden)]
    fn put_slice_always(items: &[Self], n: u32, out: &mut Writer)
    where
        Self: Sized,
    {
        Self::put_slice(items, n, out);
    }

    /// The type in the exported schema; messages and enums register themselves.
    #[doc(hidden)]
    fn field_type(schema: &mut Schema) -> FieldType;

    /// The type of a slice in the exported schema.
    #[doc(hidden)]
    fn slice_type(schema: &mut Schema) -> FieldType
    where
        Self: Sized,
    {
        FieldType::Repeated(Box::new(Self::field_type(schema)))
    }
}

/// What can be read back from a field.
///
/// A message is read in one pass over its fields. Each field has a slot, to which every occurrence is
/// [added](Value::add); at the end of the pass nested messages are [read](Value::settle) from their slots, and then
/// every slot becomes the value. What is not protobuf fails before that, what does not fit the type in `done`: only
/// then it is known which occurrence counts.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot cross the plugin boundary",
    label = "not a message, and not one of the types that the wire knows",
    note = "derive it: `#[derive(LoopMessage)]`; lists, maps and `Option` hold messages and plain values, not each other",
    note = "a type of another crate gets a form by `#[wire(N, with = module)]`"
)]
pub trait Value: LoopMessage<Owned = Self> + Sized + Send + Sync + 'static {
    /// How often the field may occur.
    #[doc(hidden)]
    type Shape: Shape;
    /// The same for a `Vec` of this type: [`One`] for `u8`, as `bytes` is one value; else [`Many`].
    #[doc(hidden)]
    type Listed: Shape;
    /// The state of a field while its message is read.
    #[doc(hidden)]
    type Slot<'a>: Default;
    /// How the value appears in a packed list.
    #[doc(hidden)]
    const PACKING: Packing;

    /// Takes one occurrence of the field.
    #[doc(hidden)]
    fn add<'a>(slot: &mut Self::Slot<'a>, field: Field<'a>) -> Result<(), WireError>;

    /// Reads the message whose bytes are in the slot, so that nested messages are complete before values are made.
    #[inline]
    #[doc(hidden)]
    fn settle(_slot: &mut Self::Slot<'_>) -> Result<(), WireError> {
        Ok(())
    }

    /// Makes the value from all occurrences, or from none.
    #[doc(hidden)]
    fn done(slot: Self::Slot<'_>) -> Result<Self, WireError>;

    /// Makes the value from all `occurrences` outside of a pass: a list element, a map value, a oneof case.
    #[inline]
    #[doc(hidden)]
    fn read(occurrences: &[Field<'_>], into: &mut dyn Sink<Self>) -> Result<(), WireError> {
        into.put(single(occurrences)?);
        Ok(())
    }

    /// Takes one occurrence of a repeated field: an element, or a packed run of them.
    #[inline]
    #[doc(hidden)]
    fn add_many(list: &mut Vec<Self>, field: Field<'_>) -> Result<(), WireError> {
        match field.packed(Self::PACKING) {
            Some(packed) => add_packed(list, packed),
            None => {
                let index = list.len();
                Self::read(&[field], list).map_err(|error| error.item(index))
            }
        }
    }
}

/// For numbers, which do not nest: separate from `add_many`, so that there is no value on its stack frame.
fn add_packed<T: Value>(list: &mut Vec<T>, mut packed: Packed<'_>) -> Result<(), WireError> {
    list.reserve(packed.count());
    while let Some(field) = packed.next()? {
        list.push(single(&[field]).map_err(|error| error.item(list.len()))?);
    }
    Ok(())
}

/// One value from all its occurrences, for types that are not messages.
#[inline]
fn single<T: Value>(occurrences: &[Field<'_>]) -> Result<T, WireError> {
    let mut slot = T::Slot::default();
    for field in occurrences {
        T::add(&mut slot, *field)?;
    }
    T::settle(&mut slot)?;
    T::done(slot)
}

/// How often a field may occur; a marker without values.
pub trait Shape {}

/// The shape of single values: numbers, strings, bytes, enums, messages. Only these can be put into a list, a map or
/// an `Option`, because protobuf has no lists of lists and only one kind of absence.
#[diagnostic::on_unimplemented(
    message = "lists, maps and optional values cannot be put inside each other",
    label = "protobuf has no such field",
    note = "wrap the inner one in a message of its own"
)]
pub trait Single: Shape {}

/// The shape of numbers, strings, bytes, enums and messages.
#[derive(Debug)]
pub struct One;
/// The shape of lists and maps.
#[derive(Debug)]
pub struct Many;
/// The shape of `Option`.
#[derive(Debug)]
pub struct Maybe;

impl Shape for One {}
impl Shape for Many {}
impl Shape for Maybe {}
impl Single for One {}

/// A message: a struct, or an enum with data, that derives [`LoopMessage`](macro@crate::LoopMessage).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a message",
    label = "neither a message nor one of the types that the wire knows",
    note = "derive it: `#[derive(LoopMessage)]`",
    note = "a type of another crate travels in a message, as a field with `#[wire(N, with = module)]`"
)]
pub trait Message: Sized + Send + Sync + 'static {
    /// The name in the schema: with a package (`loop.Head`), or plain, and then in the package of what refers to it.
    const NAME: &'static str;

    /// Writes all fields.
    #[doc(hidden)]
    fn put_fields(&self, out: &mut Writer);

    /// Reads all fields, and puts the message into `into`.
    #[doc(hidden)]
    fn read_fields(fields: Fields<'_>, into: &mut dyn Sink<Self>) -> Result<(), WireError>;

    /// Adds the message's shape to `schema`.
    #[doc(hidden)]
    fn schema(schema: &mut Schema);
}

impl<M: Message> LoopMessage for M {
    type Owned = Self;

    // A message is written even when all of its fields are defaults: its presence is significant, and Go peers
    // crash when it is missing.
    #[inline]
    fn put(&self, n: u32, out: &mut Writer) {
        self.put_always(n, out);
    }

    #[inline]
    fn put_always(&self, n: u32, out: &mut Writer) {
        nested(n, out, |out| self.put_fields(out));
    }

    fn field_type(schema: &mut Schema) -> FieldType {
        schema.message::<M>()
    }
}

impl<M: Message> Value for M {
    type Shape = One;
    type Listed = Many;
    type Slot<'a> = Nested<'a, M>;
    const PACKING: Packing = Packing::Delimited;

    #[inline]
    fn add<'a>(slot: &mut Nested<'a, M>, field: Field<'a>) -> Result<(), WireError> {
        slot.bodies.add(&field)
    }

    #[inline]
    fn settle(slot: &mut Nested<'_, M>) -> Result<(), WireError> {
        match std::mem::take(&mut slot.bodies).fields()? {
            Some(fields) => M::read_fields(fields, &mut slot.message),
            None => Ok(()),
        }
    }

    #[inline]
    fn done(slot: Nested<'_, M>) -> Result<Self, WireError> {
        slot.message.ok_or_else(WireError::missing)
    }

    fn read(occurrences: &[Field<'_>], into: &mut dyn Sink<Self>) -> Result<(), WireError> {
        if let [only] = occurrences {
            return M::read_fields(only.nested()?, into);
        }
        let mut bodies = Bodies::default();
        for field in occurrences {
            bodies.add(field)?;
        }
        match bodies.fields()? {
            Some(fields) => M::read_fields(fields, into),
            None => Err(WireError::missing()),
        }
    }
}

/// The slot of a nested message: first its bytes, then its value.
#[allow(missing_debug_implementations, reason = "public for generated code alone")]
pub struct Nested<'a, M> {
    bodies: Bodies<'a>,
    message: Option<M>,
}

impl<M> Default for Nested<'_, M> {
    #[inline]
    fn default() -> Self {
        Self { bodies: Bodies::default(), message: None }
    }
}

// Recursive messages need a box somewhere. Only messages: for other types it would be redundant.
impl<M: Message> Message for Box<M> {
    const NAME: &'static str = M::NAME;

    fn put_fields(&self, out: &mut Writer) {
        M::put_fields(self, out);
    }

    fn read_fields(fields: Fields<'_>, into: &mut dyn Sink<Self>) -> Result<(), WireError> {
        M::read_fields(fields, &mut Mapped::new(into, Box::new))
    }

    fn schema(schema: &mut Schema) {
        M::schema(schema);
    }
}

/// The constant description of one field of a message, or one argument of a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldSpec {
    /// The number on the wire.
    pub number: u32,
    /// The name in the schema and in errors.
    pub name: &'static str,
    /// The whole text of the error when the value does not fit; `{n}` is the received number or length.
    pub text: Option<&'static str>,
    /// The name of a lent service in the error of a failed dial.
    pub dial: Option<&'static str>,
}

impl FieldSpec {
    /// A field without texts of its own.
    pub const fn new(number: u32, name: &'static str) -> Self {
        Self { number, name, text: None, dial: None }
    }

    /// Sets the text of the refusal.
    #[must_use]
    pub const fn text(self, text: &'static str) -> Self {
        Self { text: Some(text), ..self }
    }

    /// Sets the name for a failed dial.
    #[must_use]
    pub const fn dial(self, name: &'static str) -> Self {
        Self { dial: Some(name), ..self }
    }
}

/// Reads the field `spec` out of a body and ignores all others.
pub fn take<T: Value>(body: &Bytes, spec: &FieldSpec) -> Result<T, WireError> {
    let mut slot = T::Slot::default();
    let mut fields = Fields::of(body);
    while let Some(field) = fields.next()? {
        if field.number() == spec.number {
            T::add(&mut slot, field).map_err(|error| error.at(spec))?;
        }
    }
    T::settle(&mut slot).and_then(|()| T::done(slot)).map_err(|error| error.at(spec))
}

/// Checks that `body` is a sequence of fields; for requests of which nothing is read.
pub fn check(body: &Bytes) -> Result<(), WireError> {
    read_nothing(Fields::of(body))
}

/// Whether `body` has a field `number`.
pub fn contains(body: &Bytes, number: u32) -> Result<bool, WireError> {
    let mut fields = Fields::of(body);
    while let Some(field) = fields.next()? {
        if field.number() == number {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Reads a message without fields: skips all fields.
pub fn read_nothing(mut fields: Fields<'_>) -> Result<(), WireError> {
    while fields.next()?.is_some() {}
    Ok(())
}

/// Writes `value` as the field `spec` of a body. [`Writer::finish`] reports nesting that is too deep, with the path
/// that begins with that field.
pub fn put<T: LoopMessage + ?Sized>(value: &T, spec: &FieldSpec, out: &mut Writer) {
    value.put(spec.number, out);
    if out.failed() {
        out.explain(Some(spec), T::field_type);
    }
}

/// Writes the fields of `message`, which is the whole body. [`Writer::finish`] reports nesting that is too deep.
pub fn put_whole<M: Message>(message: &M, out: &mut Writer) {
    message.put_fields(out);
    if out.failed() {
        out.explain(None, Schema::message::<M>);
    }
}

/// The bytes of a message, to store it or to send it by other means.
///
/// # Errors
///
/// Messages are nested deeper than 100 levels, the outermost not counted. Neither [`decode`] nor most other
/// implementations of protobuf would read them back. [`WireError::path`] has their path, without indices and map keys.
pub fn encode<M: Message>(message: &M) -> Result<Bytes, WireError> {
    let mut out = Writer::with_capacity(128);
    put_whole(message, &mut out);
    out.finish()
}

/// Reads a message from its bytes. `Bytes` fields share `body` instead of copying from it.
///
/// # Errors
///
/// The bytes are not protobuf, or do not fit the type; see [`WireError`].
pub fn decode<M: Message>(body: &Bytes) -> Result<M, WireError> {
    let mut message = None;
    M::read_fields(Fields::of(body), &mut message)?;
    message.ok_or_else(WireError::missing)
}
