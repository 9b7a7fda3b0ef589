//! The schema as `.proto` text, collected from the traits and the messages that they use.

mod check;
mod names;
mod print;
mod shape;

use std::any::TypeId;
use std::collections::{BTreeMap, HashSet};
use std::fmt;

pub use self::shape::{EnumShape, FieldType, MessageShape, OneofShape, RequestShape};
use self::shape::{MethodShape, ServiceShape};
use super::Message;

/// Services, messages and enums, by package.
///
/// Everything is kept in the order of its first mention, so that the text is stable and reads from the services down:
/// requests and replies, messages, enums. Names without a package are in the package of their first mention; a message
/// that two packages mention is then printed in both.
#[derive(Default)]
pub struct Schema {
    packages: BTreeMap<String, Package>,
    described: HashSet<(TypeId, String)>,
    /// The package of what is being described.
    current: String,
    conflicts: Vec<Conflict>,
}

#[derive(Default)]
struct Package {
    services: Vec<ServiceShape>,
    /// The requests and replies of methods.
    bodies: Vec<MessageShape>,
    messages: Vec<MessageShape>,
    enums: Vec<EnumShape>,
}

impl Package {
    fn messages(&self) -> impl Iterator<Item = &MessageShape> {
        self.bodies.iter().chain(&self.messages)
    }

    /// The full names of all types that its methods and fields refer to.
    fn mentioned(&self) -> impl Iterator<Item = &str> {
        let methods = self.services.iter().flat_map(|service| &service.methods);
        let bodies = methods.flat_map(|method| [method.request.as_str(), method.reply.as_str()]);
        bodies.chain(self.messages().flat_map(MessageShape::fields).filter_map(|field| field.ty.mentioned()))
    }
}

/// A reason for which protobuf refuses the schema: most often one name with two definitions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    name: String,
    why: Why,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Why {
    /// Two definitions; of types, the first one is printed.
    Twice {
        first: String,
        second: String,
    },
    Refused(String),
}

impl Conflict {
    fn twice(name: String, first: String, second: String) -> Self {
        Self { name, why: Why::Twice { first, second } }
    }

    fn refused(name: String, why: String) -> Self {
        Self { name, why: Why::Refused(why) }
    }

    /// The full name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.why {
            Why::Twice { first, second } => {
                write!(f, "`{}` is declared twice, and differently:\n{first}\n{second}", self.name)
            }
            Why::Refused(why) => write!(f, "`{}`: {why}", self.name),
        }
    }
}

/// The names of its packages.
impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Schema").field("packages", &self.packages.keys()).field("conflicts", &self.conflicts()).finish()
    }
}

/// The text of every file, each below a comment with its name.
impl fmt::Display for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, (package, text)) in self.files().enumerate() {
            let gap = if n == 0 { "" } else { "\n" };
            write!(f, "{gap}// {}\n{text}", Self::file_name(package))?;
        }
        Ok(())
    }
}

impl Schema {
    /// An empty schema.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the message `M` and all that it contains, once, and returns its type.
    pub fn message<M: Message>(&mut self) -> FieldType {
        let name = self.qualify(M::NAME);
        if import_of(&name).is_none() && self.described.insert((TypeId::of::<M>(), name.clone())) {
            let package = package_of(&name).to_owned();
            // Takes its position before the messages within it do.
            let messages = &mut self.packages.entry(package.clone()).or_default().messages;
            if !messages.iter().any(|other| other.name == name) {
                messages.push(MessageShape::pending(&name));
            }
            let outer = std::mem::replace(&mut self.current, package);
            M::schema(self);
            self.current = outer;
        }
        FieldType::Message(name)
    }

    /// Adds the shape of a message under its name.
    pub fn add(&mut self, shape: MessageShape) {
        self.insert(shape, |package| &mut package.messages);
    }

    fn insert(&mut self, mut shape: MessageShape, place: fn(&mut Package) -> &mut Vec<MessageShape>) {
        shape.name = self.qualify(&shape.name);
        let package = self.packages.entry(package_of(&shape.name).to_owned()).or_default();
        match package.bodies.iter_mut().chain(&mut package.messages).find(|other| other.name == shape.name) {
            Some(first) if first.pending => *first = shape,
            Some(first) if *first == shape => {}
            Some(first) => {
                self.conflicts.push(Conflict::twice(shape.name.clone(), first.to_string(), shape.to_string()))
            }
            None => place(package).push(shape),
        }
    }

    /// Adds an enum under its name, and returns its type.
    pub fn enumeration(&mut self, mut shape: EnumShape) -> FieldType {
        shape.name = self.qualify(&shape.name);
        let name = shape.name.clone();
        let enums = &mut self.packages.entry(package_of(&name).to_owned()).or_default().enums;
        match enums.iter().find(|other| other.name == name) {
            Some(first) if *first == shape => {}
            Some(first) => self.conflicts.push(Conflict::twice(name.clone(), first.to_string(), shape.to_string())),
            None => enums.push(shape),
        }
        FieldType::Enum(name)
    }

    /// Begins the service `full_name`, such as `loop.Relayer`; `None` if the schema has it already.
    pub fn service(&mut self, full_name: &'static str, docs: &'static str) -> Option<ServiceBuilder<'_>> {
        let package = package_of(full_name).to_owned();
        let services = &mut self.packages.entry(package.clone()).or_default().services;
        if services.iter().any(|service| service.name == full_name) {
            return None;
        }
        let index = services.len();
        services.push(ServiceShape::new(full_name, docs));
        let outer = std::mem::replace(&mut self.current, package.clone());
        Some(ServiceBuilder { schema: self, package, index, outer })
    }

    /// Everything for which a compiler of protobuf refuses the files: names with two definitions, names that are none in
    /// protobuf or become equal in JSON or generated code, packages that import each other. Without conflicts, the
    /// schema is valid.
    pub fn conflicts(&self) -> Vec<Conflict> {
        let mut all = self.conflicts.clone();
        all.extend(check::check(self));
        all
    }

    /// Every package with its `.proto` text.
    pub fn files(&self) -> impl Iterator<Item = (&str, String)> {
        let scopes = names::scopes(self);
        self.packages.iter().map(move |(name, package)| (name.as_str(), print::file(name, package, &scopes)))
    }

    /// The `.proto` text of one package; empty text if the schema has no such package.
    pub fn proto(&self, package: &str) -> String {
        let content = self.packages.get(package);
        content.map(|content| print::file(package, content, &names::scopes(self))).unwrap_or_default()
    }

    /// The full names of all enums.
    #[cfg(feature = "schema")]
    pub(crate) fn enums(&self) -> impl Iterator<Item = &str> {
        self.packages.values().flat_map(|package| &package.enums).map(|item| item.name.as_str())
    }

    /// The fields whose absence is their default although they are messages: the message's full name, and the number.
    #[cfg(feature = "schema")]
    pub(crate) fn defaults(&self) -> impl Iterator<Item = (&str, u32)> {
        let messages = self.packages.values().flat_map(Package::messages);
        messages.flat_map(|message| {
            let fields = message.fields().filter(|field| field.or_default.0);
            fields.map(|field| (message.name.as_str(), field.number))
        })
    }

    /// The path under which others import the file of `package`: `loop/chain/common.proto` for `loop.chain.common`.
    pub fn file_name(package: &str) -> String {
        format!("{}.proto", package.replace('.', "/"))
    }

    /// The names of the fields along the path `numbers` within a value of type `root`, as far as the schema knows them.
    pub(super) fn names(&self, root: &FieldType, numbers: impl Iterator<Item = u32>) -> Vec<&'static str> {
        let (mut names, mut at) = (Vec::new(), root);
        for number in numbers {
            while let FieldType::Optional(inner) | FieldType::Repeated(inner) | FieldType::Unpacked(inner) = at {
                at = inner;
            }
            let name = match at {
                // An entry has no name of its own: this is its second field.
                FieldType::Map(_, value) => {
                    at = value;
                    continue;
                }
                FieldType::Message(name) => name,
                _ => break,
            };
            let messages = self.packages.get(package_of(name)).map(|package| &package.messages);
            let message = messages.and_then(|messages| messages.iter().find(|message| message.name == *name));
            let Some(field) = message.and_then(|message| message.fields().find(|field| field.number == number)) else {
                break;
            };
            names.push(field.name);
            at = &field.ty;
        }
        names
    }

    fn qualify(&self, name: &str) -> String {
        if name.contains('.') || self.current.is_empty() { name.to_owned() } else { format!("{}.{name}", self.current) }
    }

    fn request(&mut self, shape: RequestShape) -> String {
        let (name, fields) = match shape {
            RequestShape::Whole(FieldType::Message(name)) => return name,
            RequestShape::Whole(other) => {
                let name = other.to_string();
                self.conflicts.push(Conflict::twice(
                    name.clone(),
                    "the type of a field".into(),
                    "a whole message".into(),
                ));
                return name;
            }
            RequestShape::Fields { name, fields } => (self.qualify(name), fields),
        };
        let mut message = MessageShape::new(&name, "");
        for (spec, ty) in fields {
            message.field(spec.number, spec.name, ty, "");
        }
        match import_of(&name) {
            Some(_) if message.is_empty() => {}
            Some(_) => {
                self.conflicts.push(Conflict::twice(name.clone(), "an imported message".into(), message.to_string()))
            }
            None => self.insert(message, |package| &mut package.bodies),
        }
        name
    }
}

/// One service while its methods are being added.
#[allow(missing_debug_implementations, reason = "public for generated code alone")]
pub struct ServiceBuilder<'s> {
    schema: &'s mut Schema,
    package: String,
    index: usize,
    outer: String,
}

impl ServiceBuilder<'_> {
    /// The schema, for types of arguments and results to add theirs.
    pub fn schema(&mut self) -> &mut Schema {
        self.schema
    }

    /// Adds a method; `streams` says whether its request, and its reply, are streams.
    pub fn method(
        &mut self,
        name: &'static str,
        docs: &'static str,
        idempotent: bool,
        streams: (bool, bool),
        request: RequestShape,
        reply: RequestShape,
    ) {
        let (request, reply) = (self.schema.request(request), self.schema.request(reply));
        let services = self.schema.packages.get_mut(&self.package).map(|package| &mut package.services);
        if let Some(service) = services.and_then(|services| services.get_mut(self.index)) {
            service.methods.push(MethodShape::new(name, docs, idempotent, streams, request, reply));
        }
    }
}

impl Drop for ServiceBuilder<'_> {
    fn drop(&mut self) {
        self.schema.current = std::mem::take(&mut self.outer);
    }
}

/// The part of a full name before its last dot.
fn package_of(name: &str) -> &str {
    name.rsplit_once('.').map_or("", |(package, _)| package)
}

/// The file of a well-known type of protobuf.
fn import_of(name: &str) -> Option<&'static str> {
    Some(match name.strip_prefix("google.protobuf.")? {
        "Empty" => "google/protobuf/empty.proto",
        "Timestamp" => "google/protobuf/timestamp.proto",
        "Duration" => "google/protobuf/duration.proto",
        "Struct" | "Value" | "ListValue" => "google/protobuf/struct.proto",
        "Any" => "google/protobuf/any.proto",
        "FieldMask" => "google/protobuf/field_mask.proto",
        "DoubleValue" | "FloatValue" | "Int64Value" | "UInt64Value" | "Int32Value" | "UInt32Value" | "BoolValue"
        | "StringValue" | "BytesValue" => "google/protobuf/wrappers.proto",
        _ => return None,
    })
}
