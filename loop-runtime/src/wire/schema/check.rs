//! What protobuf refuses, although every part of it is well formed.

use std::collections::{BTreeMap, BTreeSet};

use super::names::{entry, imported, packages};
use super::shape::{EnumShape, FieldType, Member, MessageShape};
use super::{Conflict, Schema};

/// Words that begin something else where the value of an enum could stand.
const NO_VALUES: &[&str] = &["option", "reserved"];

/// Every reason for which a compiler would refuse the files of the schema together.
pub(super) fn check(schema: &Schema) -> Vec<Conflict> {
    let mut names = Names::default();
    for package in schema.packages.keys() {
        packages(package).for_each(|name| names.package(name));
    }
    for package in schema.packages.values() {
        for service in &package.services {
            names.declare(service.name.to_owned(), || format!("service {}", service.name));
            for method in &service.methods {
                names.declare(format!("{}.{}", service.name, method.name), || format!("rpc {}", method.name));
            }
        }
        package.messages().for_each(|shape| message(shape, &mut names));
        package.enums.iter().for_each(|shape| enumeration(shape, &mut names));
    }
    cycles(schema, &mut names.conflicts);
    names.conflicts
}

/// The names that are taken, each with what took it.
#[derive(Default)]
struct Names {
    taken: BTreeMap<String, String>,
    conflicts: Vec<Conflict>,
}

impl Names {
    fn package(&mut self, name: &str) {
        // All parts of a package are one name each, and were seen if this was.
        if self.taken.insert(name.to_owned(), format!("package {name}")).is_none() {
            self.spelled(name);
        }
    }

    fn declare(&mut self, name: String, what: impl FnOnce() -> String) {
        self.spelled(&name);
        let what = what();
        match self.taken.get(&name) {
            Some(first) => self.conflicts.push(Conflict::twice(name, first.clone(), what)),
            None => {
                self.taken.insert(name, what);
            }
        }
    }

    fn spelled(&mut self, name: &str) {
        let last = name.rsplit('.').next().unwrap_or(name);
        let starts = last.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
        if !starts || !last.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            self.refuse(name, format!("`{last}` is not a name in protobuf: ASCII letters, digits and `_` are"));
        }
    }

    fn refuse(&mut self, name: &str, why: String) {
        self.conflicts.push(Conflict::refused(name.to_owned(), why));
    }
}

fn message(shape: &MessageShape, names: &mut Names) {
    names.declare(shape.name.clone(), || format!("message {}", shape.name));
    for member in &shape.members {
        if let Member::Oneof(oneof) = member {
            names.declare(format!("{}.{}", shape.name, oneof.name), || format!("oneof {}", oneof.name));
        }
    }
    let mut json: BTreeMap<String, &str> = BTreeMap::new();
    for field in shape.fields() {
        names.declare(format!("{}.{}", shape.name, field.name), || field.to_string());
        if matches!(field.ty, FieldType::Map(..)) {
            let entry = entry(field.name);
            names.declare(format!("{}.{entry}", shape.name), || format!("message {entry} of map {}", field.name));
        }
        // What newer compilers compare is the name in camel case; older ones do not look at its case.
        let name = field.name.replace('_', "").to_ascii_lowercase();
        match json.get(&name) {
            // Two fields of one name are reported as such.
            Some(first) if *first == field.name => {}
            Some(first) => {
                let why = format!(
                    "`{first}` and `{}` differ in case and underscores alone, and JSON has one name for both",
                    field.name
                );
                names.refuse(&format!("{}.{}", shape.name, field.name), why);
            }
            None => {
                json.insert(name, field.name);
            }
        }
    }
}

fn enumeration(shape: &EnumShape, names: &mut Names) {
    names.declare(shape.name.clone(), || format!("enum {}", shape.name));
    let (outer, local) = shape.name.rsplit_once('.').map_or(("", &*shape.name), |(outer, local)| (outer, local));
    let mut short: BTreeMap<String, (i32, &str)> = BTreeMap::new();
    for (number, value, _) in &shape.values {
        // A value is declared beside its enum, not within it.
        let full = if outer.is_empty() { (*value).to_owned() } else { format!("{outer}.{value}") };
        if NO_VALUES.contains(value) {
            names.refuse(&full, format!("`{value}` cannot be the name of a value: it begins something else there"));
        }
        let plain = without_prefix(local, value);
        match short.get(&plain) {
            // Aliases may be alike, and two values of one name are reported as such.
            Some((first, name)) if first == number || name == value => {}
            Some((_, first)) => {
                let why = format!("`{first}` and `{value}` are both `{plain}` without the name of the enum");
                names.refuse(&full, why);
            }
            None => {
                short.insert(plain, (*number, value));
            }
        }
        names.declare(full, || format!("{value} = {number} of enum {}", shape.name));
    }
}

/// A value as generated code and JSON of some languages name it: without the name of its enum, in camel case.
fn without_prefix(name: &str, value: &str) -> String {
    let mut rest = value.trim_start_matches('_');
    for letter in name.bytes().filter(|letter| *letter != b'_') {
        rest = rest.trim_start_matches('_');
        match rest.as_bytes().first() {
            Some(first) if first.eq_ignore_ascii_case(&letter) => rest = rest.get(1..).unwrap_or_default(),
            _ => return pascal(value),
        }
    }
    let rest = rest.trim_start_matches('_');
    // A value that is nothing but the name keeps it.
    if rest.is_empty() { pascal(value) } else { pascal(rest) }
}

fn pascal(value: &str) -> String {
    value
        .split('_')
        .flat_map(|word| {
            let mut letters = word.chars();
            let first = letters.next().map(|letter| letter.to_ascii_uppercase());
            first.into_iter().chain(letters.map(|letter| letter.to_ascii_lowercase()))
        })
        .collect()
}

/// Packages that import each other: protobuf's imports have no cycles, and a package is one file here.
fn cycles(schema: &Schema, conflicts: &mut Vec<Conflict>) {
    let mut imports: BTreeMap<&str, BTreeSet<&str>> =
        schema.packages.iter().map(|(name, package)| (name.as_str(), imported(name, package))).collect();
    // What imports nothing that is left is in no cycle, nor is what nothing imports.
    loop {
        let left: BTreeSet<&str> = imports.keys().copied().collect();
        let wanted: BTreeSet<&str> = imports.values().flatten().copied().collect();
        imports.retain(|name, needs| {
            needs.retain(|other| left.contains(other));
            !needs.is_empty() && wanted.contains(name)
        });
        if imports.len() == left.len() {
            break;
        }
    }
    if let Some(first) = imports.keys().next() {
        let all: Vec<String> = imports.keys().map(|name| format!("`{name}`")).collect();
        let why =
            format!("the packages {} import each other: put what they share into a package of its own", all.join(", "));
        conflicts.push(Conflict::refused((*first).to_owned(), why));
    }
}
