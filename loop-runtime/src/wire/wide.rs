//! Integers of 128 bits, which protobuf does not have.

use super::WireError;
use super::message::{LoopMessage, Many, One, Value};
use super::read::{Field, Packing};
use super::schema::{FieldType, Schema};
use super::write::{Writer, put_delimited};

macro_rules! wide {
    ($($(#[$meta:meta])* $ty:ident)*) => {$(
        $(#[$meta])*
        impl LoopMessage for $ty {
            type Owned = Self;

            fn put(&self, n: u32, out: &mut Writer) {
                if *self != 0 {
                    self.put_always(n, out);
                }
            }

            fn put_always(&self, n: u32, out: &mut Writer) {
                put_delimited(n, &self.to_be_bytes(), out);
            }

            fn field_type(_: &mut Schema) -> FieldType {
                FieldType::Scalar("bytes")
            }
        }

        impl Value for $ty {
            type Shape = One;
            type Listed = Many;
            type Slot<'a> = &'a [u8];
            const PACKING: Packing = Packing::Delimited;

            fn add<'a>(slot: &mut &'a [u8], field: Field<'a>) -> Result<(), WireError> {
                *slot = field.bytes()?;
                Ok(())
            }

            fn done(slot: &[u8]) -> Result<Self, WireError> {
                match slot.try_into() {
                    Ok(bytes) => Ok(Self::from_be_bytes(bytes)),
                    Err(_) if slot.is_empty() => Ok(0),
                    Err(_) => {
                        let length = slot.len();
                        Err(WireError::refused(format!("expected 16 bytes but got {length}"), length))
                    }
                }
            }
        }
    )*};
}

wide! {
    /// Sixteen bytes, the most significant first; no bytes at all are zero.
    u128
    /// Sixteen bytes, the most significant first, in two's complement; no bytes at all are zero.
    i128
}
