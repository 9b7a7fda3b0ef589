//! Integers as `sint32`, `sint64`, `fixed32`, `fixed64`, `sfixed32` and `sfixed64`.

use std::fmt::{self, Display};

use super::WireError;
use super::form::{Element, Fixed, Formed, Sint};
use super::message::{LoopMessage, Many, One, Value};
use super::number::{Raw, number, put_packed, put_raw};
use super::read::{Field, Packing};
use super::schema::{FieldType, Schema};
use super::write::{WireType, Writer, put_varint, varint_size};

macro_rules! encoded {
    ($($(#[$meta:meta])* $ty:ident($inner:ident))*) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $ty(pub $inner);

        impl Display for $ty {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        number! { $ty as $ty, listed Many, put {} read {} }
    )*};
}

encoded! {
    /// `sint32`.
    Sint32(i32)
    /// `sint64`.
    Sint64(i64)
    /// `fixed32`.
    Fixed32(u32)
    /// `fixed64`.
    Fixed64(u64)
    /// `sfixed32`.
    Sfixed32(i32)
    /// `sfixed64`.
    Sfixed64(i64)
}

/// The sign goes to the lowest bit, so that numbers near zero are short in either direction.
macro_rules! zigzag {
    ($($ty:ident($signed:ident, $unsigned:ident) $name:literal;)*) => {$(
        impl $ty {
            fn zigzag(self) -> u64 {
                u64::from(((self.0 << 1) ^ (self.0 >> ($signed::BITS - 1))).cast_unsigned())
            }
        }

        impl Raw for $ty {
            const NAME: &'static str = $name;
            const PACKING: Packing = Packing::Varint;
            const WIRE_TYPE: WireType = WireType::Varint;

            #[inline]
            fn is_default(self) -> bool {
                self.0 == 0
            }

            #[inline]
            fn size(self) -> usize {
                varint_size(self.zigzag())
            }

            #[inline]
            fn write(self, out: &mut Writer) {
                put_varint(self.zigzag(), out);
            }

            #[inline]
            fn of(field: &Field<'_>) -> Result<Self, WireError> {
                let wide = field.varint()? as $unsigned;
                Ok(Self((wide >> 1).cast_signed() ^ -(wide & 1).cast_signed()))
            }
        }
    )*};
}

zigzag! {
    Sint32(i32, u32) "sint32";
    Sint64(i64, u64) "sint64";
}

macro_rules! fixed {
    ($($ty:ident($inner:ident) $name:literal, $kind:ident, $size:literal, $read:ident;)*) => {$(
        impl Raw for $ty {
            const NAME: &'static str = $name;
            const PACKING: Packing = Packing::$kind;
            const WIRE_TYPE: WireType = WireType::$kind;

            #[inline]
            fn is_default(self) -> bool {
                self.0 == 0
            }

            #[inline]
            fn size(self) -> usize {
                $size
            }

            #[inline]
            fn write(self, out: &mut Writer) {
                out.put_slice(&self.0.to_le_bytes());
            }

            #[inline]
            fn of(field: &Field<'_>) -> Result<Self, WireError> {
                field.$read().map(|bits| Self(bits as $inner))
            }
        }
    )*};
}

fixed! {
    Fixed32(u32) "fixed32", Fixed32, 4, fixed32;
    Fixed64(u64) "fixed64", Fixed64, 8, fixed64;
    Sfixed32(i32) "sfixed32", Fixed32, 4, fixed32;
    Sfixed64(i64) "sfixed64", Fixed64, 8, fixed64;
}

macro_rules! in_form {
    ($($form:ident: $($ty:ident as $wire:ident)*;)*) => {$($(
        impl Element<$form> for $ty {
            type Wire = $wire;

            #[inline]
            fn to_wire(&self) -> $wire {
                $wire((*self).into())
            }

            #[inline]
            fn from_wire(wire: $wire) -> Result<Self, WireError> {
                Self::try_from(wire.0).map_err(|_| {
                    WireError::refused(format!(concat!("{} does not fit `", stringify!($ty), "`"), wire), wire)
                })
            }

            fn write_list<'a>(items: impl ExactSizeIterator<Item = &'a Self> + Clone, n: u32, out: &mut Writer)
            where
                Self: 'a,
            {
                put_packed(items.map(Element::<$form>::to_wire), n, out);
            }
        }

        impl Formed<$form> for $ty {
            type Wire = $wire;

            #[inline]
            fn write(&self, n: u32, out: &mut Writer) {
                Element::<$form>::to_wire(self).put(n, out);
            }

            #[inline]
            fn from_wire(wire: $wire) -> Result<Self, WireError> {
                <Self as Element<$form>>::from_wire(wire)
            }
        }
    )*)*};
}

in_form! {
    Sint: i8 as Sint32 i16 as Sint32 i32 as Sint32 i64 as Sint64;
    Fixed: u8 as Fixed32 u16 as Fixed32 u32 as Fixed32 u64 as Fixed64
        i8 as Sfixed32 i16 as Sfixed32 i32 as Sfixed32 i64 as Sfixed64;
}
