//! Numbers, `bool` and `char`: protobuf's own, and Rust's narrower ones with a range check.

use std::num::{NonZeroI32, NonZeroI64, NonZeroU32, NonZeroU64};

use super::WireError;
use super::message::{LoopMessage, Many, One, Value};
use super::read::{Field, Packing};
use super::schema::{FieldType, Schema};
use super::write::{WireType, Writer, put_delimited, put_key, put_varint, varint_size};

/// A number type that protobuf itself has.
pub(super) trait Raw: Copy {
    const NAME: &'static str;
    const PACKING: Packing;
    const WIRE_TYPE: WireType;

    fn is_default(self) -> bool;
    fn size(self) -> usize;
    fn write(self, out: &mut Writer);
    fn of(field: &Field<'_>) -> Result<Self, WireError>;
}

macro_rules! varint {
    ($($ty:ident $name:literal, $default:expr, $to:expr, $from:expr;)*) => {$(
        impl Raw for $ty {
            const NAME: &'static str = $name;
            const PACKING: Packing = Packing::Varint;
            const WIRE_TYPE: WireType = WireType::Varint;

            #[inline]
            fn is_default(self) -> bool {
                self == $default
            }

            #[inline]
            fn size(self) -> usize {
                varint_size($to(self))
            }

            #[inline]
            fn write(self, out: &mut Writer) {
                put_varint($to(self), out);
            }

            #[inline]
            fn of(field: &Field<'_>) -> Result<Self, WireError> {
                field.varint().map($from)
            }
        }
    )*};
}

// Too wide a varint is truncated to the type, as in every implementation of protobuf; negative numbers take ten bytes.
varint! {
    bool "bool", false, u64::from, |wide: u64| wide != 0;
    u32 "uint32", 0, u64::from, |wide: u64| wide as u32;
    u64 "uint64", 0, |value: u64| value, |wide: u64| wide;
    i32 "int32", 0, |value: i32| i64::from(value) as u64, |wide: u64| wide as i32;
    i64 "int64", 0, |value: i64| value as u64, |wide: u64| wide as i64;
}

macro_rules! float {
    ($($ty:ident $name:literal, $kind:ident, $size:literal, $read:ident;)*) => {$(
        impl Raw for $ty {
            const NAME: &'static str = $name;
            const PACKING: Packing = Packing::$kind;
            const WIRE_TYPE: WireType = WireType::$kind;

            // Only the positive zero is the default: protobuf keeps the sign.
            #[inline]
            fn is_default(self) -> bool {
                self.to_bits() == 0
            }

            #[inline]
            fn size(self) -> usize {
                $size
            }

            #[inline]
            fn write(self, out: &mut Writer) {
                out.put_slice(&self.to_le_bytes());
            }

            #[inline]
            fn of(field: &Field<'_>) -> Result<Self, WireError> {
                field.$read().map($ty::from_bits)
            }
        }
    )*};
}

float! {
    f32 "float", Fixed32, 4, fixed32;
    f64 "double", Fixed64, 8, fixed64;
}

#[inline]
pub(super) fn put_raw<R: Raw>(raw: R, n: u32, out: &mut Writer) {
    put_key(n, R::WIRE_TYPE, out);
    raw.write(out);
}

pub(super) fn put_packed<R: Raw>(items: impl ExactSizeIterator<Item = R> + Clone, n: u32, out: &mut Writer) {
    if items.len() == 0 {
        return;
    }
    let size: usize = items.clone().map(R::size).sum();
    put_key(n, WireType::Delimited, out);
    put_varint(size as u64, out);
    out.reserve(size);
    for item in items {
        item.write(out);
    }
}

/// Writes the numbers of enums as repeated field `n`, packed.
pub fn put_enums(numbers: impl ExactSizeIterator<Item = i32> + Clone, n: u32, out: &mut Writer) {
    put_packed(numbers, n, out);
}

/// Writes and reads numbers, each as one that protobuf has.
macro_rules! number {
    ($($ty:ident as $raw:ident, listed $listed:ident, put { $($put:item)* } read { $($read:item)* })*) => {$(
        impl LoopMessage for $ty {
            type Owned = Self;

            #[inline]
            fn put(&self, n: u32, out: &mut Writer) {
                let raw = $raw::from(*self);
                if !raw.is_default() {
                    put_raw(raw, n, out);
                }
            }

            #[inline]
            fn put_always(&self, n: u32, out: &mut Writer) {
                put_raw($raw::from(*self), n, out);
            }

            fn put_all<'a>(items: impl ExactSizeIterator<Item = &'a Self> + Clone, n: u32, out: &mut Writer) {
                put_packed(items.map(|item| $raw::from(*item)), n, out);
            }

            fn field_type(_: &mut Schema) -> FieldType {
                FieldType::Scalar($raw::NAME)
            }

            $($put)*
        }

        impl Value for $ty {
            type Shape = One;
            type Listed = $listed;
            type Slot<'a> = Option<$raw>;
            const PACKING: Packing = <$raw as Raw>::PACKING;

            #[inline]
            fn add<'a>(slot: &mut Option<$raw>, field: Field<'a>) -> Result<(), WireError> {
                *slot = Some($raw::of(&field)?);
                Ok(())
            }

            #[inline]
            fn done(slot: Option<$raw>) -> Result<Self, WireError> {
                let raw = slot.unwrap_or_default();
                Self::try_from(raw)
                    .map_err(|_| WireError::refused(format!(concat!("{} does not fit `", stringify!($ty), "`"), raw), raw))
            }

            $($read)*
        }
    )*};
}

pub(super) use number;

number! {
    bool as bool, listed Many, put {} read {}
    u32 as u32, listed Many, put {} read {}
    u64 as u64, listed Many, put {} read {}
    i32 as i32, listed Many, put {} read {}
    i64 as i64, listed Many, put {} read {}
    f32 as f32, listed Many, put {} read {}
    f64 as f64, listed Many, put {} read {}
    u16 as u32, listed Many, put {} read {}
    i8 as i32, listed Many, put {} read {}
    i16 as i32, listed Many, put {} read {}
    char as u32, listed Many, put {} read {}
    NonZeroU32 as u32, listed Many, put {} read {}
    NonZeroU64 as u64, listed Many, put {} read {}
    NonZeroI32 as i32, listed Many, put {} read {}
    NonZeroI64 as i64, listed Many, put {} read {}
    u8 as u32, listed One, put {
        #[inline]
        fn put_slice(items: &[u8], n: u32, out: &mut Writer) {
            if !items.is_empty() {
                put_delimited(n, items, out);
            }
        }

        #[inline]
        fn put_slice_always(items: &[u8], n: u32, out: &mut Writer) {
            put_delimited(n, items, out);
        }

        fn slice_type(_: &mut Schema) -> FieldType {
            FieldType::Scalar("bytes")
        }
    } read {
        #[inline]
        fn add_many(list: &mut Vec<u8>, field: Field<'_>) -> Result<(), WireError> {
            let bytes = field.bytes()?;
            list.clear();
            list.extend_from_slice(bytes);
            Ok(())
        }
    }
}
