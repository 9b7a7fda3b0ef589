//! Where names are declared, and how one is written so that protobuf finds what is meant.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::shape::{FieldType, MessageShape};
use super::{Schema, import_of, package_of};

/// Words that begin something else where a type could stand.
const KEYWORDS: &[&str] = &[
    "bool",
    "bytes",
    "double",
    "enum",
    "extend",
    "extensions",
    "fixed32",
    "fixed64",
    "float",
    "group",
    "int32",
    "int64",
    "map",
    "message",
    "oneof",
    "option",
    "optional",
    "repeated",
    "required",
    "reserved",
    "rpc",
    "sfixed32",
    "sfixed64",
    "sint32",
    "sint64",
    "stream",
    "string",
    "uint32",
    "uint64",
];

/// The full names of everything that contains names: packages with their parents, services, messages and enums.
pub(super) fn scopes(schema: &Schema) -> BTreeSet<String> {
    let mut scopes = BTreeSet::new();
    for (name, package) in &schema.packages {
        scopes.extend(packages(name).map(str::to_owned));
        scopes.extend(package.services.iter().map(|service| service.name.to_owned()));
        scopes.extend(package.messages().map(|message| message.name.clone()));
        scopes.extend(package.enums.iter().map(|item| item.name.clone()));
    }
    scopes
}

/// `a.b.c`, `a.b` and `a` of `a.b.c`.
pub(super) fn packages(name: &str) -> impl Iterator<Item = &str> {
    std::iter::successors((!name.is_empty()).then_some(name), |name| name.rsplit_once('.').map(|(outer, _)| outer))
}

/// The name of the message that protobuf declares for the entries of a map: `ByNameEntry` for `by_name`.
pub(super) fn entry(field: &str) -> String {
    let (mut name, mut capital) = (String::with_capacity(field.len() + "Entry".len()), true);
    for letter in field.chars() {
        if letter == '_' {
            capital = true;
        } else {
            name.push(if capital { letter.to_ascii_uppercase() } else { letter });
            capital = false;
        }
    }
    name.push_str("Entry");
    name
}

/// Where a type is mentioned.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    package: &'a str,
    scopes: &'a BTreeSet<String>,
    message: Option<&'a MessageShape>,
}

impl<'a> Place<'a> {
    /// In a package of a schema with these [`scopes`].
    pub(super) fn package(package: &'a str, scopes: &'a BTreeSet<String>) -> Self {
        Self { package, scopes, message: None }
    }

    /// In no package, where names are written in full.
    pub(super) fn nowhere() -> Self {
        static NONE: BTreeSet<String> = BTreeSet::new();
        Self { package: "", scopes: &NONE, message: None }
    }

    /// In a message of the package.
    pub(super) fn within(self, message: &'a MessageShape) -> Self {
        Self { message: Some(message), ..self }
    }

    /// The shortest form of a full name that means the same here. A dot at its beginning says that it is a full one.
    pub(super) fn refer<'n>(&self, name: &'n str) -> Cow<'n, str> {
        let local = package_of(name) == self.package;
        let short = if local { name.rsplit_once('.').map_or(name, |(_, local)| local) } else { name };
        let first = short.split('.').next().unwrap_or(short);
        let hidden = !local && packages(self.package).any(|outer| self.scopes.contains(&format!("{outer}.{first}")));
        if hidden || KEYWORDS.contains(&first) || self.is_entry(first) {
            Cow::Owned(format!(".{name}"))
        } else {
            Cow::Borrowed(short)
        }
    }

    fn is_entry(&self, name: &str) -> bool {
        let fields = self.message.into_iter().flat_map(MessageShape::fields);
        fields.filter(|field| matches!(field.ty, FieldType::Map(..))).any(|field| entry(field.name) == name)
    }
}

/// The packages that the file of `package` imports, protobuf's own left out.
pub(super) fn imported<'a>(name: &'a str, package: &'a super::Package) -> BTreeSet<&'a str> {
    let foreign = package.mentioned().filter(|mentioned| import_of(mentioned).is_none()).map(package_of);
    foreign.filter(|other| *other != name).collect()
}
