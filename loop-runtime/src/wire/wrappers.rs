//! The messages of `google/protobuf/wrappers.proto`: what `#[wire(N, wrapped)]` stands for.

use bytes::Bytes;

use super::WireError;
use super::form::{Element, Formed, Wrapped};
use super::message::{LoopMessage, Message, Value};
use super::read::Fields;
use super::schema::Schema;
use super::sink::Sink;
use super::write::{Writer, nested};

/// What protobuf has a wrapper for.
pub trait Wraps: Value {
    /// The name of the wrapper.
    const NAME: &'static str;
}

/// The wrapper: a message with the value as field 1.
pub struct Wrapper<T>(T);

impl<T: Wraps> Message for Wrapper<T> {
    const NAME: &'static str = T::NAME;

    fn put_fields(&self, out: &mut Writer) {
        self.0.put(1, out);
    }

    fn read_fields(mut fields: Fields<'_>, into: &mut dyn Sink<Self>) -> Result<(), WireError> {
        let mut slot = T::Slot::default();
        while let Some(field) = fields.next()? {
            if field.number() == 1 {
                T::add(&mut slot, field)?;
            }
        }
        into.put(Self(T::done(slot)?));
        Ok(())
    }

    // Protobuf's own: a schema imports it and never asks for its shape.
    fn schema(_: &mut Schema) {}
}

macro_rules! wraps {
    ($($ty:ty: $name:literal;)*) => {$(
        impl Wraps for $ty {
            const NAME: &'static str = concat!("google.protobuf.", $name);
        }

        impl Element<Wrapped> for $ty {
            type Wire = Wrapper<Self>;

            fn to_wire(&self) -> Wrapper<Self> {
                Wrapper(self.clone())
            }

            fn from_wire(wire: Wrapper<Self>) -> Result<Self, WireError> {
                Ok(wire.0)
            }

            // Without a copy of the value.
            fn write(&self, n: u32, out: &mut Writer) {
                nested(n, out, |out| self.put(1, out));
            }

            fn write_list<'a>(items: impl ExactSizeIterator<Item = &'a Self> + Clone, n: u32, out: &mut Writer)
            where
                Self: 'a,
            {
                for item in items {
                    Element::<Wrapped>::write(item, n, out);
                }
            }
        }

        impl Formed<Wrapped> for $ty {
            type Wire = Wrapper<Self>;

            fn write(&self, n: u32, out: &mut Writer) {
                Element::<Wrapped>::write(self, n, out);
            }

            fn from_wire(wire: Wrapper<Self>) -> Result<Self, WireError> {
                Ok(wire.0)
            }
        }
    )*};
}

wraps! {
    f64: "DoubleValue";
    f32: "FloatValue";
    i64: "Int64Value";
    u64: "UInt64Value";
    i32: "Int32Value";
    u32: "UInt32Value";
    bool: "BoolValue";
    String: "StringValue";
    Vec<u8>: "BytesValue";
    Bytes: "BytesValue";
}
