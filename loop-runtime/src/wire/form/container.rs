//! What lists and maps are in a form of what they hold.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::fmt::Display;
use std::hash::Hash;

use super::{Element, Form, Formed, Keyed, Own, Unpacked};
use crate::wire::WireError;
use crate::wire::collection;
use crate::wire::map::{MapKey, put_entry, sorted};
use crate::wire::message::{Many, Single, Value};
use crate::wire::schema::{FieldType, Schema};
use crate::wire::write::Writer;

fn list<F, T: Element<F>, L: FromIterator<T>>(wire: Vec<T::Wire>) -> Result<L, WireError> {
    wire.into_iter()
        .enumerate()
        .map(|(index, wire)| <T as Element<F>>::from_wire(wire).map_err(|why| why.item(index)))
        .collect()
}

macro_rules! list {
    ($($list:ty: $($bound:ident)*, $items:expr;)*) => {$(
        impl<F: Form, T: Element<F> $(+ $bound)*> Formed<F> for $list
        where
            <T::Wire as Value>::Shape: Single,
        {
            type Wire = Vec<T::Wire>;

            #[inline]
            fn write(&self, n: u32, out: &mut Writer) {
                <T as Element<F>>::write_list($items(self), n, out);
            }

            fn from_wire(wire: Self::Wire) -> Result<Self, WireError> {
                list::<F, T, _>(wire)
            }
        }

        /// In their own form, but for the packing.
        impl<T: Value<Listed = Many> $(+ $bound)*> Formed<Unpacked<Own>> for $list
        where
            T::Shape: Single,
        {
            type Wire = Self;

            fn write(&self, n: u32, out: &mut Writer) {
                for item in $items(self) {
                    item.put_always(n, out);
                }
            }

            fn from_wire(wire: Self) -> Result<Self, WireError> {
                Ok(wire)
            }

            fn describe(schema: &mut Schema) -> FieldType {
                FieldType::Unpacked(Box::new(T::field_type(schema)))
            }
        }

        impl<F: Form, T: Element<F> $(+ $bound)*> Formed<Unpacked<F>> for $list
        where
            <T::Wire as Value>::Shape: Single,
        {
            type Wire = Vec<T::Wire>;

            fn write(&self, n: u32, out: &mut Writer) {
                for item in $items(self) {
                    Element::<F>::write(item, n, out);
                }
            }

            fn from_wire(wire: Self::Wire) -> Result<Self, WireError> {
                list::<F, T, _>(wire)
            }

            fn describe(schema: &mut Schema) -> FieldType {
                FieldType::Unpacked(Box::new(<T as Element<F>>::describe(schema)))
            }
        }
    )*};
}

list! {
    Vec<T>:, <[T]>::iter;
    Box<[T]>:, <[T]>::iter;
    VecDeque<T>:, VecDeque::iter;
    BTreeSet<T>: Ord, BTreeSet::iter;
    HashSet<T>: Ord Hash, collection::sorted;
}

macro_rules! map {
    ($map:ident $entries:expr, $($bound:ident)*) => {
        impl<F: Form, K: MapKey, V: Element<F>> Formed<F> for $map<K, V>
        where
            <V::Wire as Value>::Shape: Single,
        {
            type Wire = $map<K, V::Wire>;

            fn write(&self, n: u32, out: &mut Writer) {
                for (key, value) in $entries(self) {
                    put_entry(n, out, |out| key.put_always(1, out), |out| Element::<F>::write(value, 2, out));
                }
            }

            fn from_wire(wire: Self::Wire) -> Result<Self, WireError> {
                let back = |(key, wire): (K, V::Wire)| match <V as Element<F>>::from_wire(wire) {
                    Ok(value) => Ok((key, value)),
                    Err(why) => Err(why.item(key)),
                };
                wire.into_iter().map(back).collect()
            }
        }

        impl<G: Form, K: Element<G> $(+ $bound)*, V: Value> Formed<Keyed<G, Own>> for $map<K, V>
        where
            K::Wire: MapKey,
            V::Shape: Single,
        {
            type Wire = BTreeMap<K::Wire, V>;

            fn write(&self, n: u32, out: &mut Writer) {
                for (key, value) in $entries(self) {
                    put_entry(n, out, |out| Element::<G>::write(key, 1, out), |out| value.put_always(2, out));
                }
            }

            fn from_wire(wire: Self::Wire) -> Result<Self, WireError> {
                wire.into_iter().map(|(key, value)| Ok((self::key::<G, K>(key)?, value))).collect()
            }
        }

        impl<G: Form, F: Form, K: Element<G> $(+ $bound)*, V: Element<F>> Formed<Keyed<G, F>> for $map<K, V>
        where
            K::Wire: MapKey,
            <V::Wire as Value>::Shape: Single,
        {
            type Wire = BTreeMap<K::Wire, V::Wire>;

            fn write(&self, n: u32, out: &mut Writer) {
                for (key, value) in $entries(self) {
                    put_entry(n, out, |out| Element::<G>::write(key, 1, out), |out| Element::<F>::write(value, 2, out));
                }
            }

            fn from_wire(wire: Self::Wire) -> Result<Self, WireError> {
                let back = |(key, wire): (K::Wire, V::Wire)| match <V as Element<F>>::from_wire(wire) {
                    Ok(value) => Ok((self::key::<G, K>(key)?, value)),
                    Err(why) => Err(why.item(key)),
                };
                wire.into_iter().map(back).collect()
            }
        }
    };
}

/// The key of an entry.
fn key<G, K: Element<G>>(wire: K::Wire) -> Result<K, WireError>
where
    K::Wire: Display,
{
    let shown = wire.to_string();
    <K as Element<G>>::from_wire(wire).map_err(|why| why.item(shown))
}

map!(BTreeMap BTreeMap::iter, Ord);
map!(HashMap sorted, Hash Ord);
