//! Maps: repeated entries of key 1 and value 2, written in the order of the keys.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Display;
use std::hash::Hash;
use std::sync::Arc;

use super::WireError;
use super::encoding::{Fixed32, Fixed64, Sfixed32, Sfixed64, Sint32, Sint64};
use super::message::{LoopMessage, Many, Single, Value};
use super::oneof::Case as Occurrences;
use super::read::{Field, Packing};
use super::schema::{FieldType, Schema};
use super::sink::Sink;
use super::write::{Writer, nested};

/// What protobuf allows as the key of a map.
#[diagnostic::on_unimplemented(message = "`{Self}` cannot be a map key", note = "keys are integers, `bool` or strings")]
pub trait MapKey: Value + Eq + Hash + Ord + Display {}

macro_rules! keys {
    ($($ty:ty)*) => {$(impl MapKey for $ty {})*};
}

keys! { bool u8 u16 u32 u64 i8 i16 i32 i64 String Box<str> Arc<str> Sint32 Sint64 Fixed32 Fixed64 Sfixed32 Sfixed64 }

/// Writes an entry whose halves are written by `key` and `value`, as fields 1 and 2.
#[inline]
pub(super) fn put_entry(n: u32, out: &mut Writer, key: impl FnOnce(&mut Writer), value: impl FnOnce(&mut Writer)) {
    nested(n, out, |out| {
        key(out);
        value(out);
    });
}

/// Reads one entry; a missing key or value is the default of its type.
fn entry<K: MapKey, V: Value>(field: Field<'_>, map: &mut dyn FnMut(K, V)) -> Result<(), WireError> {
    let (mut key, mut value) = (K::Slot::default(), Occurrences::default());
    let mut fields = field.nested()?;
    while let Some(field) = fields.next()? {
        match field.number() {
            1 => K::add(&mut key, field)?,
            2 => drop(value.push(field)),
            _ => {}
        }
    }
    let mut entry = Entry { key: Some(K::done(key)?), map };
    let emptied = [field.emptied()];
    let read = match value.fields() {
        // A message is never missing here: no bytes mean an empty one.
        [] if V::PACKING == Packing::Delimited => V::read(&emptied, &mut entry),
        fields => V::read(fields, &mut entry),
    };
    read.map_err(|error| match entry.key {
        Some(key) => error.item(key),
        None => error,
    })
}

/// Puts a value into a map, once it is made.
struct Entry<'m, K, V> {
    key: Option<K>,
    map: &'m mut dyn FnMut(K, V),
}

impl<K, V> Sink<V> for Entry<'_, K, V> {
    fn put(&mut self, value: V) {
        if let Some(key) = self.key.take() {
            (self.map)(key, value);
        }
    }
}

/// A `HashMap` has another order in every process. One that is written has not, so that equal messages have equal bytes: they
/// can be signed, hashed and compared.
pub(super) fn sorted<K: Ord, V>(map: &HashMap<K, V>) -> Vec<(&K, &V)> {
    let mut entries: Vec<_> = map.iter().collect();
    entries.sort_unstable_by_key(|(key, _)| *key);
    entries
}

macro_rules! map {
    ($map:ident, $in_order:expr) => {
        impl<K: MapKey, V: Value> LoopMessage for $map<K, V>
        where
            V::Shape: Single,
        {
            type Owned = Self;

            #[inline]
            fn put(&self, n: u32, out: &mut Writer) {
                for (key, value) in $in_order(self) {
                    put_entry(n, out, |out| key.put_always(1, out), |out| value.put_always(2, out));
                }
            }

            #[inline]
            fn put_always(&self, n: u32, out: &mut Writer) {
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
                entry(field, &mut |key, value| drop(slot.insert(key, value)))
            }

            #[inline]
            fn done(slot: Self) -> Result<Self, WireError> {
                Ok(slot)
            }
        }
    };
}

map!(HashMap, sorted);
map!(BTreeMap, BTreeMap::iter);
