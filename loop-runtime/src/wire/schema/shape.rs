//! The parts of a schema; `Display` writes their `.proto` text, with full names.

use std::fmt;
use std::ops::RangeInclusive;

use super::names::Place;
use super::print;
use crate::wire::FieldSpec;

/// The type of a field in the schema. Names are full ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldType {
    /// One of protobuf's own, by its keyword.
    Scalar(&'static str),
    /// A message.
    Message(String),
    /// An enum.
    Enum(String),
    /// A value with known presence.
    Optional(Box<FieldType>),
    /// A list.
    Repeated(Box<FieldType>),
    /// A list of numbers that is written as if they were none.
    Unpacked(Box<FieldType>),
    /// A map, with the types of key and value.
    Map(Box<FieldType>, Box<FieldType>),
}

/// Comments. They are ignored when definitions are compared.
#[derive(Clone, Debug)]
pub(super) struct Docs(pub(super) &'static str);

impl PartialEq for Docs {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Docs {}

/// Whether the reader takes a message without the field. No definition says that, so it is ignored like comments.
#[derive(Clone, Copy, Debug)]
pub(super) struct OrDefault(
    #[cfg_attr(not(feature = "schema"), expect(dead_code, reason = "read where schemas are compared"))] pub(super) bool,
);

impl PartialEq for OrDefault {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for OrDefault {}

/// A message: its fields, oneofs and reserved numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageShape {
    pub(super) name: String,
    pub(super) docs: Docs,
    pub(super) members: Vec<Member>,
    pub(super) reserved: Vec<RangeInclusive<u32>>,
    /// Only the name is known so far.
    pub(super) pending: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Member {
    Field(Field),
    Oneof(OneofShape),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) number: u32,
    pub(super) name: &'static str,
    pub(super) ty: FieldType,
    pub(super) docs: Docs,
    pub(super) or_default: OrDefault,
}

/// A oneof: a name and its cases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OneofShape {
    pub(super) name: &'static str,
    pub(super) docs: Docs,
    pub(super) cases: Vec<Field>,
}

/// An enum: its values with their numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnumShape {
    pub(super) name: String,
    pub(super) docs: Docs,
    pub(super) values: Vec<(i32, &'static str, Docs)>,
    pub(super) reserved: Vec<RangeInclusive<u32>>,
}

/// The request or reply of a method.
#[derive(Clone, Debug)]
pub enum RequestShape {
    /// A message of its own, from arguments or results.
    Fields {
        /// With a package, or plain, and then in the package of the service.
        name: &'static str,
        /// The fields.
        fields: Vec<(FieldSpec, FieldType)>,
    },
    /// A declared message.
    Whole(FieldType),
}

impl MessageShape {
    /// A message without fields.
    pub fn new(name: &str, docs: &'static str) -> Self {
        Self { name: name.to_owned(), docs: Docs(docs), members: Vec::new(), reserved: Vec::new(), pending: false }
    }

    pub(super) fn pending(name: &str) -> Self {
        Self { pending: true, ..Self::new(name, "") }
    }

    /// Adds a field.
    pub fn field(&mut self, number: u32, name: &'static str, ty: FieldType, docs: &'static str) {
        self.push(Field { number, name, ty, docs: Docs(docs), or_default: OrDefault(false) });
    }

    /// Adds a field whose absence is its default, whatever its type.
    pub fn field_or_default(&mut self, number: u32, name: &'static str, ty: FieldType, docs: &'static str) {
        self.push(Field { number, name, ty, docs: Docs(docs), or_default: OrDefault(true) });
    }

    fn push(&mut self, field: Field) {
        self.members.push(Member::Field(field));
    }

    /// Adds a oneof.
    pub fn oneof(&mut self, oneof: OneofShape) {
        self.members.push(Member::Oneof(oneof));
    }

    /// Reserves numbers, both ends included.
    pub fn reserve(&mut self, numbers: RangeInclusive<u32>) {
        self.reserved.push(numbers);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// All fields, those of oneofs included.
    pub(super) fn fields(&self) -> impl Iterator<Item = &Field> {
        self.members.iter().flat_map(|member| match member {
            Member::Field(field) => std::slice::from_ref(field),
            Member::Oneof(oneof) => &oneof.cases,
        })
    }
}

impl OneofShape {
    /// A oneof without cases.
    pub fn new(name: &'static str, docs: &'static str) -> Self {
        Self { name, docs: Docs(docs), cases: Vec::new() }
    }

    /// Adds a case.
    pub fn case(&mut self, number: u32, name: &'static str, ty: FieldType, docs: &'static str) {
        self.cases.push(Field { number, name, ty, docs: Docs(docs), or_default: OrDefault(false) });
    }
}

impl EnumShape {
    /// An enum without values.
    pub fn new(name: &str, docs: &'static str) -> Self {
        Self { name: name.to_owned(), docs: Docs(docs), values: Vec::new(), reserved: Vec::new() }
    }

    /// Adds a value, or a further name of one.
    #[must_use]
    pub fn value(mut self, number: i32, name: &'static str, docs: &'static str) -> Self {
        self.values.push((number, name, Docs(docs)));
        self
    }

    /// Reserves numbers, both ends included.
    #[must_use]
    pub fn reserve(mut self, numbers: RangeInclusive<u32>) -> Self {
        self.reserved.push(numbers);
        self
    }
}

/// A service and its methods.
pub(super) struct ServiceShape {
    pub(super) name: &'static str,
    pub(super) docs: Docs,
    pub(super) methods: Vec<MethodShape>,
}

pub(super) struct MethodShape {
    pub(super) name: &'static str,
    pub(super) docs: Docs,
    pub(super) idempotent: bool,
    /// Whether the request, and the reply, are streams.
    pub(super) streams: (bool, bool),
    pub(super) request: String,
    pub(super) reply: String,
}

impl ServiceShape {
    pub(super) fn new(name: &'static str, docs: &'static str) -> Self {
        Self { name, docs: Docs(docs), methods: Vec::new() }
    }
}

impl MethodShape {
    pub(super) fn new(
        name: &'static str,
        docs: &'static str,
        idempotent: bool,
        streams: (bool, bool),
        request: String,
        reply: String,
    ) -> Self {
        Self { name, docs: Docs(docs), idempotent, streams, request, reply }
    }
}

impl FieldType {
    /// The name of the message or enum that the type refers to.
    pub(super) fn mentioned(&self) -> Option<&str> {
        match self {
            Self::Scalar(_) => None,
            Self::Message(name) | Self::Enum(name) => Some(name),
            Self::Optional(inner) | Self::Repeated(inner) | Self::Unpacked(inner) | Self::Map(_, inner) => {
                inner.mentioned()
            }
        }
    }
}

impl fmt::Display for FieldType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        print::ty(self, Place::nowhere(), f)
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} = {};", self.ty, self.name, self.number)
    }
}

impl fmt::Display for MessageShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        print::message(self, Place::nowhere(), f)
    }
}

impl fmt::Display for EnumShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        print::enumeration(self, f)
    }
}
