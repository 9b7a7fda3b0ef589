//! Lists of other kinds than `Vec<T>`: queues, boxed slices, sets, and arrays, whose length is checked.

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::hash::Hash;

use super::WireError;
use super::message::{LoopMessage, Many, Single, Value};
use super::read::{Field, Packing};
use super::schema::{FieldType, Schema};
use super::write::Writer;

/// A `HashSet` in the order of its values, so that equal messages have equal bytes.
pub(super) fn sorted<T: Ord>(set: &HashSet<T>) -> std::vec::IntoIter<&T> {
    let mut values: Vec<_> = set.iter().collect();
    values.sort_unstable();
    values.into_iter()
}

// Not of `u8`, which as elements of a list are `bytes`: those are `Vec<u8>`, `Bytes` and `Box<[u8]>`.
macro_rules! list {
    ($($(#[$meta:meta])* [$($generics:tt)*] $ty:ty, $items:expr, $done:expr;)*) => {$(
        $(#[$meta])*
        impl<$($generics)*> LoopMessage for $ty
        where
            T::Shape: Single,
        {
            type Owned = Self;

            fn put(&self, n: u32, out: &mut Writer) {
                T::put_all($items(self), n, out);
            }

            fn put_always(&self, n: u32, out: &mut Writer) {
                self.put(n, out);
            }

            fn field_type(schema: &mut Schema) -> FieldType {
                T::slice_type(schema)
            }
        }

        impl<$($generics)*> Value for $ty
        where
            T::Shape: Single,
        {
            type Shape = Many;
            type Listed = Many;
            type Slot<'a> = Vec<T>;
            const PACKING: Packing = Packing::Delimited;

            fn add<'a>(slot: &mut Vec<T>, field: Field<'a>) -> Result<(), WireError> {
                T::add_many(slot, field)
            }

            fn done(slot: Vec<T>) -> Result<Self, WireError> {
                $done(slot)
            }
        }
    )*};
}

fn array<T, const N: usize>(items: Vec<T>) -> Result<[T; N], WireError> {
    items.try_into().map_err(|items: Vec<T>| {
        let length = items.len();
        WireError::refused(format!("expected {N} elements but got {length}"), length)
    })
}

list! {
    [T: Value<Listed = Many>] VecDeque<T>, VecDeque::iter, |items| Ok(VecDeque::from(items));
    /// Values that come twice are there once.
    [T: Value<Listed = Many> + Ord] BTreeSet<T>, BTreeSet::iter, |items| Ok(BTreeSet::from_iter(items));
    /// Written in the order of the values. Those that come twice are there once.
    [T: Value<Listed = Many> + Ord + Hash] HashSet<T>, sorted, |items| Ok(HashSet::from_iter(items));
    /// Another length than `N` is refused, and so is absence.
    [T: Value<Listed = Many>, const N: usize] [T; N], <[T]>::iter, array;
}

impl<T: Value> LoopMessage for Box<[T]>
where
    T::Shape: Single,
{
    type Owned = Self;

    fn put(&self, n: u32, out: &mut Writer) {
        T::put_slice(self, n, out);
    }

    fn put_always(&self, n: u32, out: &mut Writer) {
        T::put_slice_always(self, n, out);
    }

    fn field_type(schema: &mut Schema) -> FieldType {
        T::slice_type(schema)
    }
}

impl<T: Value> Value for Box<[T]>
where
    T::Shape: Single,
{
    type Shape = T::Listed;
    type Listed = Many;
    type Slot<'a> = Vec<T>;
    const PACKING: Packing = Packing::Delimited;

    fn add<'a>(slot: &mut Vec<T>, field: Field<'a>) -> Result<(), WireError> {
        T::add_many(slot, field)
    }

    fn done(slot: Vec<T>) -> Result<Self, WireError> {
        Ok(slot.into())
    }
}
