//! The parts of a `.proto` file that the rules compare.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::Path;

use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto, MethodDescriptorProto,
};

use super::SchemaError;

/// One file. Names are full ones for what is in other packages, and local ones otherwise.
#[derive(Debug)]
pub(super) struct File {
    pub(super) package: String,
    /// Methods by service and name.
    pub(super) services: BTreeMap<String, BTreeMap<String, Method>>,
    pub(super) messages: BTreeMap<String, Message>,
    pub(super) enums: BTreeMap<String, Enum>,
}

#[derive(Debug)]
pub(super) struct Method {
    pub(super) request: String,
    pub(super) reply: String,
    pub(super) idempotent: bool,
    /// Whether the request, and the reply, are streams.
    pub(super) streams: (bool, bool),
}

#[derive(Debug)]
pub(super) struct Message {
    pub(super) fields: BTreeMap<i64, Field>,
    pub(super) reserved: Vec<RangeInclusive<i64>>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) name: String,
    /// A keyword, a name, or `map<..>`.
    pub(super) ty: String,
    pub(super) often: Often,
    pub(super) oneof: Option<String>,
    /// Its type is a message or an enum; which of them is unknown for types of other files.
    pub(super) named: bool,
}

/// The cardinality of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Often {
    /// Once; an absent number or text is its default.
    Once,
    /// Once or not at all.
    Maybe,
    /// Any number of times.
    Repeated,
}

#[derive(Debug)]
pub(super) struct Enum {
    pub(super) values: BTreeMap<i64, String>,
    pub(super) reserved: Vec<RangeInclusive<i64>>,
}

impl File {
    /// Reads the text of the file `name`.
    pub(super) fn read(name: &Path, text: &str) -> Result<Self, SchemaError> {
        let mut file = protox_parse::parse(&name.to_string_lossy(), text)
            .map_err(|why| SchemaError::Malformed { file: name.to_owned(), source: why.into() })?;
        plain(&mut file);
        let services = file.service.iter().map(|service| {
            let methods = service.method.iter().map(|method| (method.name().to_owned(), Method::of(method)));
            (service.name().to_owned(), methods.collect())
        });
        Ok(Self {
            package: file.package().to_owned(),
            services: services.collect(),
            messages: file.message_type.iter().map(|it| (it.name().to_owned(), Message::of(it))).collect(),
            enums: file.enum_type.iter().map(|it| (it.name().to_owned(), Enum::of(it))).collect(),
        })
    }

    /// The full name of what is local here.
    pub(super) fn full(&self, local: &str) -> String {
        if self.package.is_empty() { local.to_owned() } else { format!("{}.{local}", self.package) }
    }
}

impl Method {
    fn of(method: &MethodDescriptorProto) -> Self {
        // The parser leaves options to later stages of a compiler.
        let mut options = method.options.iter().flat_map(|options| &options.uninterpreted_option);
        let idempotent = options.any(|option| {
            option.name.iter().map(|part| part.name_part.as_str()).eq(["idempotency_level"])
                && option.identifier_value() == "IDEMPOTENT"
        });
        let streams = (method.client_streaming(), method.server_streaming());
        Self { request: method.input_type().to_owned(), reply: method.output_type().to_owned(), idempotent, streams }
    }
}

impl Message {
    fn of(message: &DescriptorProto) -> Self {
        // The end of a range is exclusive in descriptors.
        let reserved = message.reserved_range.iter().map(|range| range.start().into()..=i64::from(range.end()) - 1);
        Self {
            fields: message.field.iter().map(|field| (field.number().into(), Field::of(field, message))).collect(),
            reserved: reserved.collect(),
        }
    }
}

impl Field {
    fn of(field: &FieldDescriptorProto, message: &DescriptorProto) -> Self {
        let keyword = keyword(field);
        let named = keyword.is_none();
        let ty = || keyword.map_or_else(|| field.type_name().to_owned(), str::to_owned);
        let optional = field.proto3_optional();
        // A field that is `optional` is a oneof of its own, in descriptors.
        let oneof = field.oneof_index.filter(|_| !optional).and_then(|index| message.oneof_decl.get(index as usize));
        let map = message.nested_type.iter().find(|entry| named && entry.name() == field.type_name());
        let (ty, often) = match map {
            Some(entry) => {
                let of = |field: &FieldDescriptorProto| Self::of(field, entry).ty;
                let types: Vec<String> = entry.field.iter().map(of).collect();
                (format!("map<{}>", types.join(", ")), Often::Repeated)
            }
            None if field.label() == Label::Repeated => (ty(), Often::Repeated),
            None if optional => (ty(), Often::Maybe),
            None => (ty(), Often::Once),
        };
        Self { name: field.name().to_owned(), ty, often, oneof: oneof.map(|it| it.name().to_owned()), named }
    }
}

impl Enum {
    fn of(item: &EnumDescriptorProto) -> Self {
        // Of several names of one number, the first is the name and the others are aliases.
        let values = item.value.iter().rev().map(|value| (value.number().into(), value.name().to_owned()));
        let reserved = item.reserved_range.iter().map(|range| range.start().into()..=range.end().into());
        Self { values: values.collect(), reserved: reserved.collect() }
    }
}

/// Brings names that are written in full, from a dot on, to the form of the others.
fn plain(file: &mut FileDescriptorProto) {
    let package = format!("{}.", file.package());
    let shorten = |name: &mut Option<String>| {
        if let Some(full) = name.as_deref().and_then(|name| name.strip_prefix('.')) {
            *name = Some(full.strip_prefix(&package).filter(|local| !local.contains('.')).unwrap_or(full).to_owned());
        }
    };
    for method in file.service.iter_mut().flat_map(|service| &mut service.method) {
        shorten(&mut method.input_type);
        shorten(&mut method.output_type);
    }
    for message in &mut file.message_type {
        let entries = message.nested_type.iter_mut().flat_map(|entry| &mut entry.field);
        message.field.iter_mut().chain(entries).for_each(|field| shorten(&mut field.type_name));
    }
}

/// The keyword of protobuf's own types.
fn keyword(field: &FieldDescriptorProto) -> Option<&'static str> {
    field.r#type?;
    Some(match field.r#type() {
        Type::Double => "double",
        Type::Float => "float",
        Type::Int64 => "int64",
        Type::Uint64 => "uint64",
        Type::Int32 => "int32",
        Type::Fixed64 => "fixed64",
        Type::Fixed32 => "fixed32",
        Type::Bool => "bool",
        Type::String => "string",
        Type::Bytes => "bytes",
        Type::Uint32 => "uint32",
        Type::Sfixed32 => "sfixed32",
        Type::Sfixed64 => "sfixed64",
        Type::Sint32 => "sint32",
        Type::Sint64 => "sint64",
        Type::Group | Type::Message | Type::Enum => return None,
    })
}
