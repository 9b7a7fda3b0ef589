//! The rules: what a change means to peers that know the older schema, whichever side they are on.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use super::SchemaChange;
use super::file::{Enum, Field, File, Message, Method, Often};
use crate::wire::Schema;

/// Types with the same encoding, for values that fit both.
const ALIKE: &[&[&str]] = &[
    &["bool", "int32", "int64", "uint32", "uint64"],
    &["sint32", "sint64"],
    &["fixed32", "sfixed32"],
    &["fixed64", "sfixed64"],
    &["bytes", "string"],
];

/// What the rules must know of the traits' schema, and its text does not say.
#[derive(Default)]
pub(super) struct Known {
    /// The full names of all enums: in another file, a type may be one.
    pub(super) enums: BTreeSet<String>,
    /// The messages, by full name, and numbers of fields whose absence is their default.
    pub(super) defaults: BTreeSet<(String, i64)>,
}

impl Known {
    pub(super) fn of(schema: &Schema) -> Self {
        Self {
            enums: schema.enums().map(str::to_owned).collect(),
            defaults: schema.defaults().map(|(message, number)| (message.to_owned(), number.into())).collect(),
        }
    }
}

/// All differences between two files of one package that differ.
pub(super) fn compare(old: &File, new: &File, known: &Known) -> Vec<SchemaChange> {
    let mut changes = Vec::new();
    services(old, new, &mut changes);
    messages(old, new, known, &mut changes);
    enums(old, new, &mut changes);
    if changes.is_empty() {
        changes.push(SchemaChange::compatible("only the order or the comments differ"));
    }
    changes
}

fn services(old: &File, new: &File, changes: &mut Vec<SchemaChange>) {
    for (service, methods) in &old.services {
        let Some(now) = new.services.get(service) else {
            changes.push(SchemaChange::breaking("PACKAGE_SERVICE_NO_DELETE", format!("service `{service}` is gone")));
            continue;
        };
        for (name, was) in methods {
            match now.get(name) {
                Some(is) => method(&format!("rpc `{service}.{name}`"), was, is, changes),
                None => {
                    changes.push(SchemaChange::breaking("RPC_NO_DELETE", format!("rpc `{service}.{name}` is gone")))
                }
            }
        }
        for name in now.keys().filter(|name| !methods.contains_key(*name)) {
            changes.push(SchemaChange::compatible(format!("rpc `{service}.{name}` is new")));
        }
    }
    for service in new.services.keys().filter(|service| !old.services.contains_key(*service)) {
        changes.push(SchemaChange::compatible(format!("service `{service}` is new")));
    }
}

fn method(rpc: &str, was: &Method, is: &Method, changes: &mut Vec<SchemaChange>) {
    if was.request != is.request {
        let what = format!("{rpc} took `{}`, takes `{}`", was.request, is.request);
        changes.push(SchemaChange::breaking("RPC_SAME_REQUEST_TYPE", what));
    }
    if was.reply != is.reply {
        let what = format!("{rpc} gave `{}`, gives `{}`", was.reply, is.reply);
        changes.push(SchemaChange::breaking("RPC_SAME_RESPONSE_TYPE", what));
    }
    let streams = [
        ("RPC_SAME_CLIENT_STREAMING", "takes", was.streams.0, is.streams.0),
        ("RPC_SAME_SERVER_STREAMING", "gives", was.streams.1, is.streams.1),
    ];
    for (rule, does, was, is) in streams {
        let what = match (was, is) {
            (false, true) => format!("{rpc} {does} a stream now, where it was one message"),
            (true, false) => format!("{rpc} {does} one message now, where it was a stream"),
            _ => continue,
        };
        changes.push(SchemaChange::breaking(rule, what));
    }
    match (was.idempotent, is.idempotent) {
        (true, false) => {
            let what = format!("{rpc} is not idempotent any more, and older callers repeat it after a loss");
            changes.push(SchemaChange::breaking("RPC_SAME_IDEMPOTENCY_LEVEL", what));
        }
        (false, true) => changes.push(SchemaChange::compatible(format!("{rpc} is idempotent now"))),
        _ => {}
    }
}

fn messages(old: &File, new: &File, known: &Known, changes: &mut Vec<SchemaChange>) {
    // The messages of a method come and go with it, and are reported with it.
    let (gone, come) = (bodies_without(old, new), bodies_without(new, old));
    for (name, was) in &old.messages {
        match new.messages.get(name) {
            Some(is) => message(name, (was, is), new, known, changes),
            None if gone.contains(name.as_str()) => {}
            None => changes.push(SchemaChange::breaking("MESSAGE_NO_DELETE", format!("message `{name}` is gone"))),
        }
    }
    let is_new = |name: &&String| !old.messages.contains_key(*name) && !come.contains(name.as_str());
    for name in new.messages.keys().filter(is_new) {
        changes.push(SchemaChange::compatible(format!("message `{name}` is new")));
    }
}

/// The messages of those methods of `these` that `others` lack, or declare differently.
fn bodies_without<'a>(these: &'a File, others: &File) -> BTreeSet<&'a str> {
    let other = |service, name| others.services.get(service).and_then(|methods| methods.get(name));
    let all = these
        .services
        .iter()
        .flat_map(|(service, methods)| methods.iter().map(move |(name, method)| (method, other(service, name))));
    all.flat_map(|(method, other): (&Method, Option<&Method>)| {
        let request = other.is_none_or(|other| other.request != method.request).then_some(method.request.as_str());
        let reply = other.is_none_or(|other| other.reply != method.reply).then_some(method.reply.as_str());
        [request, reply].into_iter().flatten()
    })
    .collect()
}

fn message(name: &str, (was, is): (&Message, &Message), new: &File, known: &Known, changes: &mut Vec<SchemaChange>) {
    for (number, before) in &was.fields {
        let what = format!("field {number} of `{name}`");
        match is.fields.get(number) {
            Some(now) => field(&what, before, now, changes),
            None if covers(&is.reserved, *number) => {
                let what = format!("{what}, `{}`, is gone and its number reserved", before.name);
                changes.push(SchemaChange::compatible(what));
            }
            None => {
                let what = format!("{what}, `{}`, is gone and its number not reserved", before.name);
                changes.push(SchemaChange::breaking("FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED", what));
            }
        }
    }
    for (number, now) in is.fields.iter().filter(|(number, _)| !was.fields.contains_key(*number)) {
        let what = format!("field {number} of `{name}`, `{}`, is new", now.name);
        let by_default = known.defaults.contains(&(new.full(name), *number));
        if must_come(now, new, known) && !by_default {
            let what =
                format!("{what}, and older peers do not send it: take an `Option`, or `#[wire({number}, default)]`");
            changes.push(SchemaChange::breaking(None, what));
        } else {
            changes.push(SchemaChange::compatible(what));
        }
    }
    reserved(name, "RESERVED_MESSAGE_NO_DELETE", &was.reserved, &is.reserved, changes);
}

/// Whether a message without the field is refused: messages by value.
fn must_come(field: &Field, file: &File, known: &Known) -> bool {
    let is_enum = file.enums.contains_key(&field.ty) || known.enums.contains(&field.ty);
    field.named && field.often == Often::Once && field.oneof.is_none() && !is_enum
}

fn field(what: &str, was: &Field, is: &Field, changes: &mut Vec<SchemaChange>) {
    if was.name != is.name {
        let what = format!("{what} was `{}`, is `{}`", was.name, is.name);
        changes.push(SchemaChange::breaking("FIELD_SAME_NAME", what));
    }
    if was.oneof != is.oneof {
        let place = |field: &Field| field.oneof.as_ref().map_or("in no oneof".to_owned(), |it| format!("in `{it}`"));
        let what = format!("{what} was {}, is {}", place(was), place(is));
        changes.push(SchemaChange::breaking("FIELD_SAME_ONEOF", what));
    }
    if was.ty != is.ty {
        let what = format!("{what} was `{}`, is `{}`", was.ty, is.ty);
        let alike = ALIKE.iter().any(|types| [was, is].iter().all(|it| types.contains(&it.ty.as_str())));
        changes.push(match alike {
            true => SchemaChange::compatible(format!("{what}: alike on the wire, as far as values fit both")),
            false => SchemaChange::breaking("FIELD_WIRE_COMPATIBLE_TYPE", what),
        });
    }
    match (was.often, is.often) {
        (before, now) if before == now || was.oneof != is.oneof => {}
        (Often::Maybe, Often::Once) | (Often::Once, Often::Maybe) if !is.named => {
            let how = if is.often == Often::Once { "not optional any more" } else { "optional now" };
            changes.push(SchemaChange::compatible(format!("{what} is {how}: what does not come was its default")));
        }
        (Often::Maybe, Often::Once) => {
            let what = format!("{what} is not optional any more: without it, older peers are refused");
            changes.push(SchemaChange::breaking(None, what));
        }
        (Often::Once, Often::Maybe) => {
            let what = format!("{what} is optional now: where it is left out, older peers refuse");
            changes.push(SchemaChange::breaking(None, what));
        }
        (_, now) => {
            let how = if now == Often::Repeated { "a list now" } else { "not a list any more" };
            changes.push(SchemaChange::breaking("FIELD_WIRE_COMPATIBLE_CARDINALITY", format!("{what} is {how}")));
        }
    }
}

fn enums(old: &File, new: &File, changes: &mut Vec<SchemaChange>) {
    for (name, was) in &old.enums {
        match new.enums.get(name) {
            Some(is) => values(name, was, is, changes),
            None => changes.push(SchemaChange::breaking("ENUM_NO_DELETE", format!("enum `{name}` is gone"))),
        }
    }
    for name in new.enums.keys().filter(|name| !old.enums.contains_key(*name)) {
        changes.push(SchemaChange::compatible(format!("enum `{name}` is new")));
    }
}

fn values(name: &str, was: &Enum, is: &Enum, changes: &mut Vec<SchemaChange>) {
    for (number, before) in &was.values {
        let what = format!("value {number} of `{name}`");
        match is.values.get(number) {
            Some(now) if now == before => {}
            Some(now) => {
                let what = format!("{what} was `{before}`, is `{now}`");
                changes.push(SchemaChange::breaking("ENUM_VALUE_SAME_NAME", what));
            }
            None if covers(&is.reserved, *number) => {
                let what = format!("{what}, `{before}`, is gone and its number reserved");
                changes.push(SchemaChange::compatible(what));
            }
            None => {
                let what = format!("{what}, `{before}`, is gone and its number not reserved");
                changes.push(SchemaChange::breaking("ENUM_VALUE_NO_DELETE_UNLESS_NUMBER_RESERVED", what));
            }
        }
    }
    for (number, now) in is.values.iter().filter(|(number, _)| !was.values.contains_key(*number)) {
        changes.push(SchemaChange::compatible(format!("value {number} of `{name}`, `{now}`, is new")));
    }
    reserved(name, "RESERVED_ENUM_NO_DELETE", &was.reserved, &is.reserved, changes);
}

fn reserved(
    name: &str,
    rule: &'static str,
    was: &[RangeInclusive<i64>],
    is: &[RangeInclusive<i64>],
    changes: &mut Vec<SchemaChange>,
) {
    for range in was.iter().filter(|range| !is.iter().any(|it| it.contains(range.start()) && it.contains(range.end())))
    {
        let numbers = match (range.start(), range.end()) {
            (first, last) if first == last => first.to_string(),
            (first, last) => format!("{first} to {last}"),
        };
        changes.push(SchemaChange::breaking(rule, format!("{numbers} of `{name}` is not reserved any more")));
    }
}

fn covers(ranges: &[RangeInclusive<i64>], number: i64) -> bool {
    ranges.iter().any(|range| range.contains(&number))
}
