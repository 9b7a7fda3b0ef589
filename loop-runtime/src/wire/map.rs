//! Maps: repeated entries of key 1 and value 2.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Display;
use std::hash::Hash;

use bytes::BytesMut;

use super::WireError;
use super::message::{LoopMessage, Many, Single, Value, element};
use super::read::{Bodies, Field, Packing};
use super::schema::{FieldType, Schema};
use super::write::nested;

/// What protobuf allows as the key of a map.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a map key",
    note = "keys are integers, `bool` or `String`"
)]
pub trait MapKey: Value + Eq + Hash + Ord + Display {}

macro_rules! keys {
    ($($ty:ty)*) => {$(impl MapKey for $ty {})*};
}

keys! { bool u8 u16 u32 u64 i8 i16 i32 i64 String }

fn put_entry<K: MapKey, V: Value>(key: &K, value: &V, n: u32, out: &mut BytesMut) {
    nested(n, out, |out| {
        key.put_always(1, out);
        value.put_always(2, out);
    });
}

/// One entry; a half that is missing is the default of its type.
fn entry<K: MapKey, V: Value>(field: Field<'_>) -> Result<(K, V), WireError> {
    let mut body = Bodies::default();
    body.add(&field)?;
    let (mut key, mut value, mut has_value) = (K::Slot::default(), V::Slot::default(), false);
    if let Some(mut fields) = body.fields()? {
        while let Some(field) = fields.next()? {
            match field.number() {
                1 => K::add(&mut key, field)?,
                2 => {
                    has_value = true;
                    V::add(&mut value, field)?;
                }
                _ => {}
            }
        }
    }
    let key = K::done(key)?;
    let value = match has_value || V::PACKING != Packing::Delimited {
        true => V::done(value),
        // A message is never missing here: no bytes are an empty one.
        false => element(field.emptied()),
    };
    match value {
        Ok(value) => Ok((key, value)),
        Err(error) => Err(error.item(key)),
    }
}

macro_rules! map {
    ($map:ident) => {
        impl<K: MapKey, V: Value> LoopMessage for $map<K, V>
        where
            V::Shape: Single,
        {
            type Owned = Self;

            #[inline]
            fn put(&self, n: u32, out: &mut BytesMut) {
                for (key, value) in self {
                    put_entry(key, value, n, out);
                }
            }

            #[inline]
            fn put_always(&self, n: u32, out: &mut BytesMut) {
                self.put(n, out);
            }

            fn field_type(schema: &mut Schema) -> FieldType {
                let key = K::field_type(schema);
                FieldType::Map(Box::new(key), Box::new(V::field_type(schema)))
            }
        }

        impl<K: MapKey, V: Value> Value for $map<K, V>
        where
            V::Shape: Single,
        {
            type Shape = Many;
            type Listed = Many;
            type Slot<'a> = Self;
            const PACKING: Packing = Packing::Delimited;

            #[inline]
            fn add<'a>(slot: &mut Self, field: Field<'a>) -> Result<(), WireError> {
                let (key, value) = entry(field)?;
                slot.insert(key, value);
                Ok(())
            }

            #[inline]
            fn done(slot: Self) -> Result<Self, WireError> {
                Ok(slot)
            }
        }
    };
}

map!(HashMap);
map!(BTreeMap);
