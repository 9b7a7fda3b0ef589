//! Strings and bytes; `Vec<u8>` is a list whose element type maps it to `bytes` (see `number`).

use bytes::Bytes;

use super::WireError;
use super::message::{LoopMessage, Many, One, Value};
use super::read::{Field, Packing};
use super::schema::{FieldType, Schema};
use super::write::{Writer, put_delimited};

impl LoopMessage for str {
    type Owned = String;

    #[inline]
    fn put(&self, n: u32, out: &mut Writer) {
        if !self.is_empty() {
            put_delimited(n, self.as_bytes(), out);
        }
    }

    #[inline]
    fn put_always(&self, n: u32, out: &mut Writer) {
        put_delimited(n, self.as_bytes(), out);
    }

    fn field_type(_: &mut Schema) -> FieldType {
        FieldType::Scalar("string")
    }
}

impl LoopMessage for String {
    type Owned = Self;

    #[inline]
    fn put(&self, n: u32, out: &mut Writer) {
        self.as_str().put(n, out);
    }

    #[inline]
    fn put_always(&self, n: u32, out: &mut Writer) {
        self.as_str().put_always(n, out);
    }

    fn field_type(schema: &mut Schema) -> FieldType {
        str::field_type(schema)
    }
}

impl Value for String {
    type Shape = One;
    type Listed = Many;
    type Slot<'a> = &'a str;
    const PACKING: Packing = Packing::Delimited;

    #[inline]
    fn add<'a>(slot: &mut &'a str, field: Field<'a>) -> Result<(), WireError> {
        *slot = std::str::from_utf8(field.bytes()?).map_err(|_| WireError::malformed("a string that is not UTF-8"))?;
        Ok(())
    }

    #[inline]
    fn done(slot: &str) -> Result<Self, WireError> {
        Ok(slot.to_owned())
    }
}

/// Shares the received body instead of copying from it, and so keeps the whole body alive.
impl LoopMessage for Bytes {
    type Owned = Self;

    #[inline]
    fn put(&self, n: u32, out: &mut Writer) {
        self.as_ref().put(n, out);
    }

    #[inline]
    fn put_always(&self, n: u32, out: &mut Writer) {
        self.as_ref().put_always(n, out);
    }

    fn field_type(_: &mut Schema) -> FieldType {
        FieldType::Scalar("bytes")
    }
}

impl Value for Bytes {
    type Shape = One;
    type Listed = Many;
    type Slot<'a> = Bytes;
    const PACKING: Packing = Packing::Delimited;

    #[inline]
    fn add<'a>(slot: &mut Bytes, field: Field<'a>) -> Result<(), WireError> {
        *slot = field.shared()?;
        Ok(())
    }

    #[inline]
    fn done(slot: Bytes) -> Result<Self, WireError> {
        Ok(slot)
    }
}

/// Written even when all are zero, because the length matters; absence is read as no bytes, and refused.
impl<const N: usize> LoopMessage for [u8; N] {
    type Owned = Self;

    #[inline]
    fn put(&self, n: u32, out: &mut Writer) {
        self.as_slice().put(n, out);
    }

    #[inline]
    fn put_always(&self, n: u32, out: &mut Writer) {
        self.as_slice().put_always(n, out);
    }

    fn field_type(_: &mut Schema) -> FieldType {
        FieldType::Scalar("bytes")
    }
}

impl<const N: usize> Value for [u8; N] {
    type Shape = One;
    type Listed = Many;
    type Slot<'a> = &'a [u8];
    const PACKING: Packing = Packing::Delimited;

    #[inline]
    fn add<'a>(slot: &mut &'a [u8], field: Field<'a>) -> Result<(), WireError> {
        *slot = field.bytes()?;
        Ok(())
    }

    #[inline]
    fn done(slot: &[u8]) -> Result<Self, WireError> {
        slot.try_into()
            .map_err(|_| WireError::refused(format!("expected {N} bytes but got {}", slot.len()), slot.len()))
    }
}
