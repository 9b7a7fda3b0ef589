//! `Vec<T>`, `[T]` and `Option<T>`.

use super::WireError;
use super::message::{LoopMessage, Many, Maybe, Single, Value};
use super::read::{Field, Packing};
use super::schema::{FieldType, Schema};
use super::write::Writer;

impl<T: Value> LoopMessage for [T]
where
    T::Shape: Single,
{
    type Owned = Vec<T>;

    #[inline]
    fn put(&self, n: u32, out: &mut Writer) {
        T::put_slice(self, n, out);
    }

    #[inline]
    fn put_always(&self, n: u32, out: &mut Writer) {
        T::put_slice_always(self, n, out);
    }

    fn field_type(schema: &mut Schema) -> FieldType {
        T::slice_type(schema)
    }
}

impl<T: Value> LoopMessage for Vec<T>
where
    T::Shape: Single,
{
    type Owned = Self;

    #[inline]
    fn put(&self, n: u32, out: &mut Writer) {
        T::put_slice(self, n, out);
    }

    #[inline]
    fn put_always(&self, n: u32, out: &mut Writer) {
        T::put_slice_always(self, n, out);
    }

    fn field_type(schema: &mut Schema) -> FieldType {
        T::slice_type(schema)
    }
}

impl<T: Value> Value for Vec<T>
where
    T::Shape: Single,
{
    type Shape = T::Listed;
    type Listed = Many;
    type Slot<'a> = Vec<T>;
    const PACKING: Packing = Packing::Delimited;

    #[inline]
    fn add<'a>(slot: &mut Vec<T>, field: Field<'a>) -> Result<(), WireError> {
        T::add_many(slot, field)
    }

    #[inline]
    fn done(slot: Vec<T>) -> Result<Self, WireError> {
        Ok(slot)
    }
}

impl<T: Value> LoopMessage for Option<T>
where
    T::Shape: Single,
{
    type Owned = Self;

    #[inline]
    fn put(&self, n: u32, out: &mut Writer) {
        if let Some(value) = self {
            value.put_always(n, out);
        }
    }

    #[inline]
    fn put_always(&self, n: u32, out: &mut Writer) {
        self.put(n, out);
    }

    fn field_type(schema: &mut Schema) -> FieldType {
        match T::field_type(schema) {
            // Messages always have presence; `optional` would add nothing.
            message @ FieldType::Message(_) => message,
            other => FieldType::Optional(Box::new(other)),
        }
    }
}

impl<T: Value> Value for Option<T>
where
    T::Shape: Single,
{
    type Shape = Maybe;
    type Listed = Many;
    type Slot<'a> = Option<T::Slot<'a>>;
    const PACKING: Packing = Packing::Delimited;

    #[inline]
    fn add<'a>(slot: &mut Option<T::Slot<'a>>, field: Field<'a>) -> Result<(), WireError> {
        T::add(slot.get_or_insert_default(), field)
    }

    #[inline]
    fn settle(slot: &mut Option<T::Slot<'_>>) -> Result<(), WireError> {
        slot.as_mut().map_or(Ok(()), T::settle)
    }

    #[inline]
    fn done(slot: Option<T::Slot<'_>>) -> Result<Self, WireError> {
        slot.map(T::done).transpose()
    }
}
