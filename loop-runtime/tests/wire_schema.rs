//! The exported schema: its text, that protobuf's compiler accepts it, and that it describes the bytes.
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests are tests

mod wire;

use loop_runtime::LoopMessage;
use loop_runtime::wire::{FieldSpec, RequestShape, Schema, Struct, decode, encode};
use proptest::prelude::*;
use protox::file::{ChainFileResolver, File, FileResolver, GoogleFileResolver};
use protox::prost_reflect::{Cardinality, DescriptorPool, DynamicMessage, Kind};

use wire::{Everything, Ours, strategy};

struct Exported(Vec<(String, String)>);

impl FileResolver for Exported {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        match self.0.iter().find(|(path, _)| path == name) {
            Some((_, text)) => File::from_source(name, text),
            None => Err(protox::Error::file_not_found(name)),
        }
    }
}

fn compile(schema: &Schema) -> DescriptorPool {
    assert!(schema.conflicts().is_empty(), "{:?}", schema.conflicts());
    let files: Vec<_> = schema.files().map(|(package, text)| (Schema::file_name(package), text)).collect();
    let names: Vec<String> = files.iter().map(|(name, _)| name.clone()).collect();
    let text = files.iter().map(|(_, text)| text.as_str()).collect::<String>();
    let mut resolver = ChainFileResolver::new();
    resolver.add(Exported(files));
    resolver.add(GoogleFileResolver::new());
    let mut compiler = protox::Compiler::with_file_resolver(resolver);
    compiler.include_imports(true);
    compiler.open_files(names).unwrap_or_else(|error| panic!("{error:?}\n{text}"));
    compiler.descriptor_pool()
}

/// The newest block.
///
/// What it is, and not what it was.
#[derive(LoopMessage)]
#[message(package = "acme.v1", reserved(4, 7..=9))]
#[allow(dead_code)]
struct Head {
    /// Blocks since genesis.
    #[wire(1)]
    height: u64,
    #[wire(2, name = "parentHash")]
    parent_hash: [u8; 32],
    #[wire(3)]
    state: State,
    #[wire(5)]
    meta: Option<Meta>,
    #[wire(6)]
    notes: std::collections::BTreeMap<String, Meta>,
    #[wire(10)]
    lookback: Option<u64>,
    /// Which way.
    #[wire(oneof)]
    cursor: Option<Cursor>,
    #[wire(13)]
    since: std::time::SystemTime,
    #[wire(14)]
    ancestors: Vec<Head>,
}

/// Without a package: in that of what names it.
#[derive(LoopMessage)]
#[allow(dead_code)]
struct Meta {
    #[wire(1)]
    args: Struct,
}

#[derive(LoopMessage)]
#[message(package = "acme.v1")]
#[allow(dead_code)]
enum State {
    #[wire(1)]
    Safe,
    /// Nobody knows.
    #[wire(0)]
    NotKnown,
}

#[derive(LoopMessage)]
#[allow(dead_code)]
enum Cursor {
    #[wire(11)]
    Text(String),
    #[wire(12)]
    Span {
        #[wire(1)]
        from: u64,
    },
}

fn head() -> Schema {
    let mut schema = Schema::new();
    let mut service = schema.service("acme.v1.Relayer", "Access to a chain.").unwrap();
    let head = Head::field_type(service.schema());
    let id = str::field_type(service.schema());
    let request = |fields| RequestShape::Fields { name: "LatestHeadRequest", fields };
    let reply =
        RequestShape::Fields { name: "LatestHeadReply", fields: vec![(FieldSpec::new(1, "value"), head.clone())] };
    service.method(
        "LatestHead",
        " The newest one.",
        true,
        (false, true),
        request(vec![(FieldSpec::new(1, "id"), id)]),
        reply,
    );
    let empty = || RequestShape::Fields { name: "google.protobuf.Empty", fields: Vec::new() };
    service.method("Whole", "", false, (false, false), empty(), RequestShape::Whole(head));
    drop(service);
    assert!(schema.service("acme.v1.Relayer", "").is_none());
    schema
}

#[test]
fn the_text() {
    let schema = head();
    compile(&schema);
    assert_eq!(
        schema.proto("acme.v1"),
        r#"syntax = "proto3";

package acme.v1;

import "google/protobuf/empty.proto";
import "google/protobuf/struct.proto";
import "google/protobuf/timestamp.proto";

// Access to a chain.
service Relayer {
  // The newest one.
  rpc LatestHead(LatestHeadRequest) returns (stream LatestHeadReply) {
    option idempotency_level = IDEMPOTENT;
  }
  rpc Whole(google.protobuf.Empty) returns (Head);
}

message LatestHeadRequest {
  string id = 1;
}

message LatestHeadReply {
  Head value = 1;
}

// The newest block.
//
// What it is, and not what it was.
message Head {
  reserved 4, 7 to 9;
  // Blocks since genesis.
  uint64 height = 1;
  bytes parentHash = 2;
  State state = 3;
  Meta meta = 5;
  map<string, Meta> notes = 6;
  optional uint64 lookback = 10;
  // Which way.
  oneof cursor {
    string text = 11;
    CursorSpan span = 12;
  }
  google.protobuf.Timestamp since = 13;
  repeated Head ancestors = 14;
}

// Without a package: in that of what names it.
message Meta {
  google.protobuf.Struct args = 1;
}

message CursorSpan {
  uint64 from = 1;
}

enum State {
  // Nobody knows.
  STATE_NOT_KNOWN = 0;
  STATE_SAFE = 1;
}
"#
    );
}

#[test]
fn packages_import_each_other() {
    let mut schema = head();
    let mut service = schema.service("acme.extra.v2.Other", "").unwrap();
    let fields = vec![(FieldSpec::new(1, "head"), Head::field_type(service.schema()))];
    let meta = Meta::field_type(service.schema());
    let reply = RequestShape::Fields { name: "acme.v1.Shared", fields: vec![] };
    service.method("Get", "", false, (false, false), RequestShape::Fields { name: "GetRequest", fields }, reply);
    drop(service);
    assert_eq!(meta.to_string(), "acme.extra.v2.Meta");
    let pool = compile(&schema);
    assert!(pool.get_message_by_name("acme.v1.Shared").is_some());
    assert!(pool.get_message_by_name("acme.extra.v2.Meta").is_some());
    assert!(schema.proto("acme.extra.v2").contains("import \"acme/v1.proto\";\n"));
    assert!(schema.proto("acme.extra.v2").contains("  acme.v1.Head head = 1;\n"));
}

#[test]
fn one_name_has_one_meaning() {
    mod other {
        #[derive(loop_runtime::LoopMessage)]
        #[message(package = "acme.v1")]
        #[allow(dead_code)]
        pub(super) struct Head {
            #[wire(1)]
            height: i64,
        }
    }
    let mut schema = head();
    assert!(schema.conflicts().is_empty());
    other::Head::field_type(&mut schema);
    let mut service = schema.service("acme.v1.Second", "").unwrap();
    let same = |ty| RequestShape::Fields { name: "LatestHeadRequest", fields: vec![(FieldSpec::new(1, "id"), ty)] };
    let (id, number) = (str::field_type(service.schema()), u32::field_type(service.schema()));
    service.method(
        "Same",
        "",
        false,
        (false, false),
        same(id),
        RequestShape::Fields { name: "SameReply", fields: vec![] },
    );
    service.method(
        "Different",
        "",
        false,
        (false, false),
        same(number),
        RequestShape::Fields { name: "DifferentReply", fields: vec![] },
    );
    drop(service);
    let conflicts = schema.conflicts();
    let names: Vec<_> = conflicts.iter().map(|conflict| conflict.name()).collect();
    assert_eq!(names, ["acme.v1.Head", "acme.v1.LatestHeadRequest"]);
}

#[test]
fn a_name_is_used_once_in_a_message() {
    #[derive(LoopMessage)]
    #[allow(dead_code)]
    struct Page {
        #[wire(1)]
        text: String,
        #[wire(oneof)]
        cursor: Option<Cursor>,
    }
    let mut schema = Schema::new();
    schema.message::<Page>();
    assert_eq!(
        schema.conflicts()[0].to_string(),
        "`Page.text` is declared twice, and differently:\nstring text = 1;\nstring text = 11;"
    );
}

fn everything() -> DescriptorPool {
    let mut schema = Schema::new();
    schema.message::<Everything>();
    compile(&schema)
}

#[test]
fn every_kind_of_field_has_its_type() {
    let pool = everything();
    let message = pool.get_message_by_name("wire.test.Everything").unwrap();
    for (number, name, kind) in [
        (1, "flag", Kind::Bool),
        (10, "shared", Kind::Bytes),
        (33, "interval", Kind::Int64),
        (50, "u8", Kind::Uint32),
        (52, "i8", Kind::Int32),
        (54, "char", Kind::Uint32),
        (55, "four", Kind::Bytes),
        (56, "digest", Kind::Bytes),
        (40, "count", Kind::Uint32),
        (536_870_911, "renamed", Kind::Bool),
    ] {
        let field = message.get_field(number).unwrap();
        assert_eq!((field.name(), field.kind()), (name, kind));
    }
    for number in [11, 17, 29, 57, 58] {
        assert_eq!(message.get_field(number).unwrap().cardinality(), Cardinality::Repeated);
    }
    assert!(message.get_field(24).unwrap().is_map());
    assert!(message.get_field(19).unwrap().supports_presence() && !message.get_field(2).unwrap().supports_presence());
    assert_eq!(message.get_field(43).unwrap().containing_oneof().unwrap().name(), "choice");
    assert!(message.get_field_by_name("local").is_none());
    let color = pool.get_enum_by_name("wire.test.Color").unwrap();
    let values: Vec<_> = color.values().map(|value| value.name().to_owned()).collect();
    assert_eq!(values, ["COLOR_UNSPECIFIED", "COLOR_RED", "GRUEN"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    /// Through a decoder that knows only the exported text.
    #[test]
    fn the_schema_says_what_the_bytes_are(theirs in strategy::everything()) {
        use prost::Message as _;
        thread_local!(static POOL: DescriptorPool = everything());
        let message = POOL.with(|pool| pool.get_message_by_name("wire.test.Everything").unwrap());
        let ours = theirs.ours().unwrap();
        let dynamic = DynamicMessage::decode(message, encode(&ours).unwrap()).unwrap();
        prop_assert_eq!(dynamic.unknown_fields().count(), 0);
        let again: Everything = decode(&dynamic.encode_to_vec().into()).unwrap();
        prop_assert_eq!(again, ours);
    }
}
