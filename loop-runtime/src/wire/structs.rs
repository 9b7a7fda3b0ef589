//! Well-known types of protobuf: `google.protobuf.Empty`, and `Struct`, JSON-like data without a schema.

use std::collections::BTreeMap;

use super::WireError;
use super::message::{LoopMessage, Message, Value, read_nothing};
use super::oneof::{Case, Oneof, read_oneof};
use super::read::Fields;
use super::schema::{OneofShape, Schema};
use super::sink::{Mapped, Sink};
use super::write::Writer;

/// `google.protobuf.Struct`: named values, like a JSON object.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Struct {
    /// The values by name.
    pub fields: BTreeMap<String, StructValue>,
}

/// `google.protobuf.Value`: what a JSON value can be. All numbers are `f64`.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum StructValue {
    /// `null`; a value without any kind is read as this, too.
    #[default]
    Null,
    /// A number.
    Number(f64),
    /// A string.
    String(String),
    /// A boolean.
    Bool(bool),
    /// An object.
    Struct(Struct),
    /// An array.
    List(Vec<StructValue>),
}

/// `google.protobuf.Empty`: a message without fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Empty;

/// `google.protobuf.ListValue`: values in a row, like an array of JSON.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListValue {
    /// The values.
    pub values: Vec<StructValue>,
}

fn put_list(values: &[StructValue], out: &mut Writer) {
    StructValue::put_slice(values, 1, out);
}

// These messages are well-known types: a schema imports them and never prints their shape.
impl Message for Empty {
    const NAME: &'static str = "google.protobuf.Empty";

    fn put_fields(&self, _: &mut Writer) {}

    fn read_fields(fields: Fields<'_>, into: &mut dyn Sink<Self>) -> Result<(), WireError> {
        read_nothing(fields)?;
        into.put(Self);
        Ok(())
    }

    fn schema(_: &mut Schema) {}
}

impl Message for Struct {
    const NAME: &'static str = "google.protobuf.Struct";

    fn put_fields(&self, out: &mut Writer) {
        self.fields.put(1, out);
    }

    fn read_fields(mut fields: Fields<'_>, into: &mut dyn Sink<Self>) -> Result<(), WireError> {
        let mut found = BTreeMap::new();
        while let Some(field) = fields.next()? {
            if field.number() == 1 {
                BTreeMap::add(&mut found, field)?;
            }
        }
        into.put(Self { fields: found });
        Ok(())
    }

    fn schema(_: &mut Schema) {}
}

impl Message for ListValue {
    const NAME: &'static str = "google.protobuf.ListValue";

    fn put_fields(&self, out: &mut Writer) {
        put_list(&self.values, out);
    }

    fn read_fields(mut fields: Fields<'_>, into: &mut dyn Sink<Self>) -> Result<(), WireError> {
        let mut values = Vec::new();
        while let Some(field) = fields.next()? {
            if field.number() == 1 {
                Vec::add(&mut values, field)?;
            }
        }
        into.put(Self { values });
        Ok(())
    }

    fn schema(_: &mut Schema) {}
}

impl Message for StructValue {
    const NAME: &'static str = "google.protobuf.Value";

    fn put_fields(&self, out: &mut Writer) {
        self.put_case(out);
    }

    fn read_fields(fields: Fields<'_>, into: &mut dyn Sink<Self>) -> Result<(), WireError> {
        read_oneof(fields, into)
    }

    fn schema(_: &mut Schema) {}
}

impl Oneof for StructValue {
    const NUMBERS: &'static [u32] = &[1, 2, 3, 4, 5, 6];

    fn put_case(&self, out: &mut Writer) {
        match self {
            Self::Null => 0_i32.put_always(1, out),
            Self::Number(number) => number.put_always(2, out),
            Self::String(text) => text.put_always(3, out),
            Self::Bool(flag) => flag.put_always(4, out),
            Self::Struct(fields) => fields.put_always(5, out),
            Self::List(values) => super::nested(6, out, |out| put_list(values, out)),
        }
    }

    fn read_case(case: &Case<'_>, into: &mut dyn Sink<Self>) -> Result<(), WireError> {
        let fields = case.fields();
        match case.number() {
            2 => f64::read(fields, &mut Mapped::new(into, Self::Number)),
            3 => String::read(fields, &mut Mapped::new(into, Self::String)),
            4 => bool::read(fields, &mut Mapped::new(into, Self::Bool)),
            5 => Struct::read(fields, &mut Mapped::new(into, Self::Struct)),
            6 => ListValue::read(fields, &mut Mapped::new(into, |list: ListValue| Self::List(list.values))),
            // The one value of the enum that stands for null.
            _ => i32::read(fields, &mut Mapped::new(into, |_| Self::Null)),
        }
    }

    fn unset() -> Option<Self> {
        Some(Self::Null)
    }

    fn cases(_: &mut OneofShape, _: &mut Schema) {}
}
