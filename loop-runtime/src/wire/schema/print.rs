//! The `.proto` text.

use std::collections::BTreeSet;
use std::fmt::{self, Write};
use std::ops::RangeInclusive;

use super::names::Place;
use super::shape::{Docs, EnumShape, Field, FieldType, Member, MessageShape, OneofShape, ServiceShape};
use super::{Package, Schema, import_of, package_of};

pub(super) fn file(name: &str, package: &Package, scopes: &BTreeSet<String>) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write_file(name, package, Place::package(name, scopes), &mut out);
    out
}

fn write_file(name: &str, package: &Package, place: Place<'_>, out: &mut String) -> fmt::Result {
    out.write_str("syntax = \"proto3\";\n")?;
    if !name.is_empty() {
        write!(out, "\npackage {name};\n")?;
    }
    let imports = imports(name, package);
    for (index, import) in imports.iter().enumerate() {
        let space = if index == 0 { "\n" } else { "" };
        writeln!(out, "{space}import \"{import}\";")?;
    }
    for item in &package.services {
        out.write_char('\n')?;
        service(item, place, out)?;
    }
    for item in package.messages() {
        out.write_char('\n')?;
        message(item, place, out)?;
    }
    for item in &package.enums {
        out.write_char('\n')?;
        enumeration(item, out)?;
    }
    Ok(())
}

fn imports(name: &str, package: &Package) -> BTreeSet<String> {
    package
        .mentioned()
        .filter(|mentioned| package_of(mentioned) != name)
        .map(|mentioned| import_of(mentioned).map_or_else(|| Schema::file_name(package_of(mentioned)), str::to_owned))
        .collect()
}

fn service(service: &ServiceShape, place: Place<'_>, out: &mut impl Write) -> fmt::Result {
    docs(&service.docs, "", out)?;
    writeln!(out, "service {} {{", local(service.name))?;
    for method in &service.methods {
        docs(&method.docs, "  ", out)?;
        let (request, reply) = (place.refer(&method.request), place.refer(&method.reply));
        let stream = |streams: bool| if streams { "stream " } else { "" };
        let (asks, answers) = (stream(method.streams.0), stream(method.streams.1));
        write!(out, "  rpc {}({asks}{request}) returns ({answers}{reply})", method.name)?;
        out.write_str(if method.idempotent { " {\n    option idempotency_level = IDEMPOTENT;\n  }\n" } else { ";\n" })?;
    }
    out.write_str("}\n")
}

pub(super) fn message(message: &MessageShape, place: Place<'_>, out: &mut impl Write) -> fmt::Result {
    docs(&message.docs, "", out)?;
    if message.members.is_empty() && message.reserved.is_empty() {
        return writeln!(out, "message {} {{}}", local(&message.name));
    }
    writeln!(out, "message {} {{", local(&message.name))?;
    reserved(&message.reserved, out)?;
    for member in &message.members {
        match member {
            Member::Field(one) => field(one, "  ", place.within(message), out)?,
            Member::Oneof(of) => oneof(of, place.within(message), out)?,
        }
    }
    out.write_str("}\n")
}

fn oneof(oneof: &OneofShape, place: Place<'_>, out: &mut impl Write) -> fmt::Result {
    docs(&oneof.docs, "  ", out)?;
    writeln!(out, "  oneof {} {{", oneof.name)?;
    for case in &oneof.cases {
        field(case, "    ", place, out)?;
    }
    out.write_str("  }\n")
}

fn field(field: &Field, indent: &str, place: Place<'_>, out: &mut impl Write) -> fmt::Result {
    docs(&field.docs, indent, out)?;
    out.write_str(indent)?;
    ty(&field.ty, place, out)?;
    let options = if matches!(field.ty, FieldType::Unpacked(_)) { " [packed = false]" } else { "" };
    writeln!(out, " {} = {}{options};", field.name, field.number)
}

pub(super) fn ty(ty: &FieldType, place: Place<'_>, out: &mut impl Write) -> fmt::Result {
    match ty {
        FieldType::Scalar(keyword) => out.write_str(keyword),
        FieldType::Message(name) | FieldType::Enum(name) => out.write_str(&place.refer(name)),
        FieldType::Optional(inner) => {
            out.write_str("optional ")?;
            self::ty(inner, place, out)
        }
        FieldType::Repeated(inner) | FieldType::Unpacked(inner) => {
            out.write_str("repeated ")?;
            self::ty(inner, place, out)
        }
        FieldType::Map(key, value) => {
            out.write_str("map<")?;
            self::ty(key, place, out)?;
            out.write_str(", ")?;
            self::ty(value, place, out)?;
            out.write_char('>')
        }
    }
}

pub(super) fn enumeration(item: &EnumShape, out: &mut impl Write) -> fmt::Result {
    docs(&item.docs, "", out)?;
    writeln!(out, "enum {} {{", local(&item.name))?;
    if item
        .values
        .iter()
        .enumerate()
        .any(|(index, (number, ..))| item.values[..index].iter().any(|(n, ..)| n == number))
    {
        out.write_str("  option allow_alias = true;\n")?;
    }
    reserved(&item.reserved, out)?;
    // proto3 requires the value zero first.
    let (zero, rest): (Vec<_>, Vec<_>) = item.values.iter().partition(|(number, ..)| *number == 0);
    for (number, name, comment) in zero.into_iter().chain(rest) {
        docs(comment, "  ", out)?;
        writeln!(out, "  {name} = {number};")?;
    }
    out.write_str("}\n")
}

fn reserved(ranges: &[RangeInclusive<u32>], out: &mut impl Write) -> fmt::Result {
    for (index, range) in ranges.iter().enumerate() {
        out.write_str(if index == 0 { "  reserved " } else { ", " })?;
        match (range.start(), range.end()) {
            (start, end) if start == end => write!(out, "{start}")?,
            (start, end) => write!(out, "{start} to {end}")?,
        }
    }
    if ranges.is_empty() { Ok(()) } else { out.write_str(";\n") }
}

fn docs(docs: &Docs, indent: &str, out: &mut impl Write) -> fmt::Result {
    for line in docs.0.trim_end().lines() {
        let line = line.strip_prefix(' ').unwrap_or(line).trim_end();
        if line.is_empty() {
            writeln!(out, "{indent}//")?;
        } else {
            writeln!(out, "{indent}// {line}")?;
        }
    }
    Ok(())
}

fn local(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(_, local)| local)
}
