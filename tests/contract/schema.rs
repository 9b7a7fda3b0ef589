//! The exported schema: the files in `proto/`, and the contract.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use loop_runtime::testing::{SchemaError, lock_schema};
use loop_runtime::wire::Schema;
use loop_services::prelude::*;
use protox::prost_reflect::{DescriptorPool, FieldDescriptor, Kind, MessageDescriptor};
use serde::Deserialize;

use crate::golden_rows;

const PROTO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../proto");

/// Everything that this crate declares: the two plugins, and all that is lent, made or reached from them. The files are
/// written, if requested, before any test reads them.
static LOCKED: LazyLock<Result<(), SchemaError>> =
    LazyLock::new(|| lock_schema(&Schema::of::<dyn PluginRelayer>().and::<dyn PluginMedian>(), PROTO));

/// The descriptors that protobuf's compiler makes of the files in `proto/`.
pub(crate) fn compiled() -> DescriptorPool {
    LazyLock::force(&LOCKED);
    golden_rows::compiled()
}

#[test]
fn the_files_are_what_the_traits_say() {
    if let Err(why) = &*LOCKED {
        panic!("{why}");
    }
}

#[derive(Deserialize)]
struct Contract {
    /// Methods by service: `request -> reply`.
    services: BTreeMap<String, BTreeMap<String, String>>,
    /// Fields by message: `[oneof: | repeated | optional] type name = number`.
    messages: BTreeMap<String, Vec<String>>,
    /// Numbers by enum and value.
    enums: BTreeMap<String, BTreeMap<String, i32>>,
}

#[test]
fn the_export_is_the_contract() {
    let contract: Contract = serde_json::from_str(&crate::golden("loop-contract.json")).unwrap();
    let pool = compiled();
    let ours = |name: &str| !name.starts_with("google.");

    let services: BTreeMap<_, _> = pool
        .services()
        .map(|service| {
            let methods = service.methods().map(|method| {
                (method.name().to_owned(), format!("{} -> {}", method.input().full_name(), method.output().full_name()))
            });
            (service.full_name().to_owned(), methods.collect::<BTreeMap<_, _>>())
        })
        .collect();
    same("service", &services, &contract.services);

    let messages = pool.all_messages().filter(|message| ours(message.full_name()) && !message.is_map_entry());
    let messages: BTreeMap<_, _> = messages.map(|message| (message.full_name().to_owned(), fields(&message))).collect();
    let sorted = |mut fields: Vec<String>| {
        fields.sort_unstable();
        fields
    };
    let wanted = contract.messages.into_iter().map(|(name, fields)| (name, sorted(fields))).collect();
    same("message", &messages, &wanted);

    let enums: BTreeMap<_, _> = pool
        .all_enums()
        .filter(|item| ours(item.full_name()))
        .map(|item| {
            let values = item.values().map(|value| (value.name().to_owned(), value.number()));
            (item.full_name().to_owned(), values.collect::<BTreeMap<_, _>>())
        })
        .collect();
    same("enum", &enums, &contract.enums);
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, ours: &BTreeMap<String, T>, theirs: &BTreeMap<String, T>) {
    let names: BTreeSet<_> = ours.keys().chain(theirs.keys()).collect();
    assert!(!names.is_empty());
    for name in names {
        assert_eq!(ours.get(name), theirs.get(name), "{what} {name}: ours, and the contract's");
    }
}

fn fields(message: &MessageDescriptor) -> Vec<String> {
    let mut fields: Vec<_> = message.fields().map(|field| field_text(&field)).collect();
    fields.sort_unstable();
    fields
}

fn field_text(field: &FieldDescriptor) -> String {
    let label = match field.containing_oneof() {
        Some(oneof) if oneof.is_synthetic() => "optional ".to_owned(),
        Some(oneof) => format!("{}: ", oneof.name()),
        None if field.is_list() => "repeated ".to_owned(),
        None => String::new(),
    };
    format!("{label}{} {} = {}", type_text(field), field.name(), field.number())
}

fn type_text(field: &FieldDescriptor) -> String {
    match field.kind() {
        Kind::Message(entry) if field.is_map() => {
            format!("map<{},{}>", type_text(&entry.map_entry_key_field()), type_text(&entry.map_entry_value_field()))
        }
        Kind::Message(message) => message.full_name().to_owned(),
        Kind::Enum(item) => item.full_name().to_owned(),
        scalar => format!("{scalar:?}"),
    }
}
