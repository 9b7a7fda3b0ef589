use std::path::Path;

use super::compare::Known;
use super::file::File;
use super::{SchemaError, compare, lock};
use crate::wire::Schema;
use crate::{LoopMessage, Result, loop_service};

/// What is said of the difference, without the file.
fn said(old: &str, new: &str) -> Vec<String> {
    let read = |text: &str| File::read(Path::new("a.proto"), &format!("syntax = \"proto3\";\n{text}")).unwrap();
    let changes = compare(&read(old), &read(new), &Known::default());
    changes.iter().map(|change| change.to_string().split_off(": ".len())).collect()
}

/// One message's fields, before and after, and what is said.
#[track_caller]
fn fields(old: &str, new: &str, expected: &[&str]) {
    let message = |fields: &str| format!("message Other {{}}\nenum Kind {{ A = 0; }}\nmessage M {{ {fields} }}");
    assert_eq!(said(&message(old), &message(new)), expected, "{old} -> {new}");
}

#[test]
fn fields_that_change() {
    let order = "compatible: only the order or the comments differ";
    fields("uint32 a = 1; string b = 2;", "string b = 2; uint32 a = 1;", &[order]);
    fields("uint32 a = 1;", "/* a */ uint32 a = 1;", &[order]);
    fields("uint32 a = 1;", "uint32 b = 1;", &["breaking: field 1 of `M` was `a`, is `b` (FIELD_SAME_NAME)"]);
    fields(
        "uint32 a = 1;",
        "string a = 1;",
        &["breaking: field 1 of `M` was `uint32`, is `string` (FIELD_WIRE_COMPATIBLE_TYPE)"],
    );
    fields(
        "uint32 a = 1;",
        "uint64 a = 1;",
        &["compatible: field 1 of `M` was `uint32`, is `uint64`: alike on the wire, as far as values fit both"],
    );
    fields(
        "map<string, uint32> a = 1;",
        "map<string, Other> a = 1;",
        &["breaking: field 1 of `M` was `map<string, uint32>`, is `map<string, Other>` (FIELD_WIRE_COMPATIBLE_TYPE)"],
    );
    fields(
        "uint32 a = 1;",
        "repeated uint32 a = 1;",
        &["breaking: field 1 of `M` is a list now (FIELD_WIRE_COMPATIBLE_CARDINALITY)"],
    );
    fields(
        "repeated uint32 a = 1;",
        "optional uint32 a = 1;",
        &["breaking: field 1 of `M` is not a list any more (FIELD_WIRE_COMPATIBLE_CARDINALITY)"],
    );
    fields(
        "uint32 a = 1;",
        "optional uint32 a = 1;",
        &["compatible: field 1 of `M` is optional now: what does not come was its default"],
    );
    fields(
        "optional Other a = 1;",
        "Other a = 1;",
        &["breaking: field 1 of `M` is not optional any more: without it, older peers are refused"],
    );
    fields(
        "Other a = 1;",
        "optional Other a = 1;",
        &["breaking: field 1 of `M` is optional now: where it is left out, older peers refuse"],
    );
    fields(
        "uint32 a = 1; uint32 b = 2;",
        "oneof kind { uint32 a = 1; uint32 b = 2; }",
        &[
            "breaking: field 1 of `M` was in no oneof, is in `kind` (FIELD_SAME_ONEOF)",
            "breaking: field 2 of `M` was in no oneof, is in `kind` (FIELD_SAME_ONEOF)",
        ],
    );
}

#[test]
fn fields_that_come_and_go() {
    for new in ["uint32 a = 1;", "optional Other a = 1;", "repeated Other a = 1;", "Kind a = 1;"] {
        fields("", new, &["compatible: field 1 of `M`, `a`, is new"]);
    }
    fields(
        "oneof kind { uint32 a = 1; }",
        "oneof kind { uint32 a = 1; Other b = 2; }",
        &["compatible: field 2 of `M`, `b`, is new"],
    );
    fields(
        "",
        "Other a = 3;",
        &["breaking: field 3 of `M`, `a`, is new, and older peers do not send it: take an `Option`, or \
           `#[wire(3, default)]`"],
    );
    fields(
        "uint32 a = 1;",
        "",
        &[
            "breaking: field 1 of `M`, `a`, is gone and its number not reserved (FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED)",
        ],
    );
    fields("uint32 a = 3;", "reserved 2 to 4;", &["compatible: field 3 of `M`, `a`, is gone and its number reserved"]);
    fields(
        "reserved 2 to 4, 9;",
        "reserved 2 to 3;",
        &[
            "breaking: 2 to 4 of `M` is not reserved any more (RESERVED_MESSAGE_NO_DELETE)",
            "breaking: 9 of `M` is not reserved any more (RESERVED_MESSAGE_NO_DELETE)",
        ],
    );
    // The last of a range is one of it, the number after it is not.
    fields(
        "uint32 a = 4; uint32 b = 5;",
        "reserved 2 to 4;",
        &[
            "compatible: field 4 of `M`, `a`, is gone and its number reserved",
            "breaking: field 5 of `M`, `b`, is gone and its number not reserved \
             (FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED)",
        ],
    );
}

#[test]
fn services_and_methods() {
    let idempotent = "{ option idempotency_level = IDEMPOTENT; }";
    let service = |methods: &str| format!("message A {{}}\nmessage B {{}}\nservice S {{ {methods} }}");
    for (old, new, expected) in [
        (
            "rpc F(A) returns (B);",
            "rpc F(B) returns (B);",
            "breaking: rpc `S.F` took `A`, takes `B` (RPC_SAME_REQUEST_TYPE)",
        ),
        (
            "rpc F(A) returns (B);",
            "rpc F(A) returns (A);",
            "breaking: rpc `S.F` gave `B`, gives `A` (RPC_SAME_RESPONSE_TYPE)",
        ),
        ("rpc F(A) returns (B);", "", "breaking: rpc `S.F` is gone (RPC_NO_DELETE)"),
        ("", "rpc F(A) returns (B);", "compatible: rpc `S.F` is new"),
    ] {
        assert_eq!(said(&service(old), &service(new)), [expected]);
    }
    let (with, without) = (format!("rpc F(A) returns (B) {idempotent}"), "rpc F(A) returns (B);".to_owned());
    assert_eq!(said(&service(&without), &service(&with)), ["compatible: rpc `S.F` is idempotent now"]);
    let lost = "breaking: rpc `S.F` is not idempotent any more, and older callers repeat it after a loss \
                (RPC_SAME_IDEMPOTENCY_LEVEL)";
    assert_eq!(said(&service(&with), &service(&without)), [lost]);
    let gone = "breaking: service `S` is gone (PACKAGE_SERVICE_NO_DELETE)";
    assert_eq!(said("service S {}", ""), [gone]);
    assert_eq!(said("", "service S {}"), ["compatible: service `S` is new"]);
}

#[test]
fn a_stream_in_place_of_a_message_breaks() {
    let service = |rpc: &str| format!("service S {{ {rpc}; }} message A {{}} message B {{}}");
    let unary = service("rpc F(A) returns (B)");
    assert_eq!(
        said(&unary, &service("rpc F(A) returns (stream B)")),
        ["breaking: rpc `S.F` gives a stream now, where it was one message (RPC_SAME_SERVER_STREAMING)"]
    );
    assert_eq!(
        said(&service("rpc F(stream A) returns (B)"), &unary),
        ["breaking: rpc `S.F` takes one message now, where it was a stream (RPC_SAME_CLIENT_STREAMING)"]
    );
}

#[test]
fn messages_and_enums() {
    // What goes and comes with a method is told with it.
    let method = "service S { rpc F(A) returns (B); }\nmessage A {}\nmessage B {}";
    assert_eq!(said(method, "service S {}"), ["breaking: rpc `S.F` is gone (RPC_NO_DELETE)"]);
    assert_eq!(said("service S {}", method), ["compatible: rpc `S.F` is new"]);
    assert_eq!(said("message M {}", ""), ["breaking: message `M` is gone (MESSAGE_NO_DELETE)"]);
    assert_eq!(said("", "message M {}"), ["compatible: message `M` is new"]);
    assert_eq!(said("enum E { A = 0; }", ""), ["breaking: enum `E` is gone (ENUM_NO_DELETE)"]);
    assert_eq!(said("", "enum E { A = 0; }"), ["compatible: enum `E` is new"]);
    // A further name of a number changes nothing on the wire.
    let aliased = "enum E { option allow_alias = true; A = 0; B = 0; }";
    assert_eq!(said("enum E { A = 0; }", aliased), ["compatible: only the order or the comments differ"]);
    let said =
        said("enum E { A = 0; B = 1; C = 2; D = 3; reserved 7; }", "enum E { A = 0; BB = 1; E = 4; reserved 3; }");
    assert_eq!(
        said,
        [
            "breaking: value 1 of `E` was `B`, is `BB` (ENUM_VALUE_SAME_NAME)",
            "breaking: value 2 of `E`, `C`, is gone and its number not reserved \
             (ENUM_VALUE_NO_DELETE_UNLESS_NUMBER_RESERVED)",
            "compatible: value 3 of `E`, `D`, is gone and its number reserved",
            "compatible: value 4 of `E`, `E`, is new",
            "breaking: 7 of `E` is not reserved any more (RESERVED_ENUM_NO_DELETE)",
        ]
    );
}

/// Stored.
#[derive(LoopMessage)]
#[message(package = "schema.test.v1")]
struct Entry {
    #[wire(1)]
    key: String,
}

/// Stores.
#[loop_service(package = "schema.test.v1")]
trait Store {
    /// Stores one.
    async fn put(&self, entry: &Entry) -> Result<()>;
}

#[loop_service(package = "schema.test.v1", name = "Store")]
trait NewStore {
    async fn put(&self, entry: &Entry, twice: bool) -> Result<()>;
    async fn get(&self, key: &str) -> Result<Option<Entry>>;
}

#[test]
fn files_are_written_when_that_is_asked_for_and_held_otherwise() {
    let dir = tempfile::tempdir().unwrap();
    let (old, new) = (Schema::of::<dyn Store>(), Schema::of::<dyn NewStore>());
    let text = |error: Result<(), SchemaError>| format!("{:?}", error.unwrap_err());

    let missing = text(lock(&old, dir.path(), false));
    assert!(
        missing.contains("  schema/test/v1.proto: compatible: the package is new\nLOOP_SCHEMA=overwrite "),
        "{missing}"
    );
    lock(&old, dir.path(), true).unwrap();
    lock(&old, dir.path(), false).unwrap();

    let Err(SchemaError::Changed(changes)) = lock(&new, dir.path(), false) else { panic!("nothing changed") };
    let said: Vec<String> = changes.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "schema/test/v1.proto: compatible: rpc `Store.Get` is new",
            "schema/test/v1.proto: compatible: field 2 of `PutRequest`, `twice`, is new",
        ]
    );
    assert!(changes.iter().all(|change| !change.is_breaking() && change.file() == Path::new("schema/test/v1.proto")));
    lock(&new, dir.path(), true).unwrap();
    let back = text(lock(&old, dir.path(), false));
    assert!(back.contains("breaking: rpc `Store.Get` is gone (RPC_NO_DELETE)"), "{back}");

    std::fs::write(dir.path().join("stale.proto"), "").unwrap();
    let stale = text(lock(&new, dir.path(), true));
    assert!(stale.contains("  stale.proto: breaking: nothing exports the package any more"), "{stale}");
    std::fs::remove_file(dir.path().join("stale.proto")).unwrap();

    std::fs::write(dir.path().join("schema/test/v1.proto"), "syntax = \"proto3\";\nmessage {").unwrap();
    let malformed = text(lock(&new, dir.path(), false));
    assert!(malformed.contains("schema/test/v1.proto is not protobuf: expected an identifier"), "{malformed}");
    lock(&new, dir.path(), true).unwrap();

    std::fs::remove_dir_all(dir.path().join("schema")).unwrap();
    std::fs::write(dir.path().join("schema"), "").unwrap();
    assert!(matches!(lock(&new, dir.path(), false), Err(SchemaError::Io { .. })));
}

mod grown {
    use crate::{LoopMessage, Result, loop_service};

    #[derive(LoopMessage, Default)]
    #[message(package = "grown.test.v1")]
    pub(crate) struct Limits {
        #[wire(1)]
        most: u32,
    }

    #[derive(LoopMessage)]
    #[message(package = "grown.other.v1")]
    pub(crate) enum Kind {
        #[wire(0)]
        Plain,
    }

    pub(super) mod before {
        #[derive(crate::LoopMessage)]
        #[message(package = "grown.test.v1")]
        pub(crate) struct Order {
            #[wire(1)]
            id: u64,
        }
    }

    pub(super) mod after {
        #[derive(crate::LoopMessage)]
        #[message(package = "grown.test.v1")]
        pub(crate) struct Order {
            #[wire(1)]
            id: u64,
            #[wire(2, default)]
            limits: super::Limits,
            #[wire(3)]
            kind: super::Kind,
            #[wire(4)]
            strict: super::Limits,
        }
    }

    #[loop_service(package = "grown.test.v1", name = "Shop")]
    pub(super) trait Shop {
        async fn put(&self, order: &before::Order, limits: &Limits) -> Result<()>;
    }

    #[loop_service(package = "grown.test.v1", name = "Shop")]
    pub(super) trait NewShop {
        async fn put(&self, order: &after::Order, limits: &Limits) -> Result<()>;
    }
}

/// Neither a default nor an enum of another file is in the text.
#[test]
fn what_older_peers_do_not_send_may_have_a_default() {
    let dir = tempfile::tempdir().unwrap();
    lock(&Schema::of::<dyn grown::Shop>(), dir.path(), true).unwrap();
    let new = Schema::of::<dyn grown::NewShop>();
    let Err(SchemaError::Changed(changes)) = lock(&new, dir.path(), false) else { panic!("nothing changed") };
    let said: Vec<String> = changes.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "grown/other/v1.proto: compatible: the package is new",
            "grown/test/v1.proto: compatible: field 2 of `Order`, `limits`, is new",
            "grown/test/v1.proto: compatible: field 3 of `Order`, `kind`, is new",
            "grown/test/v1.proto: breaking: field 4 of `Order`, `strict`, is new, and older peers do not send it: take an \
             `Option`, or `#[wire(4, default)]`",
        ]
    );
}

/// A name that has to be written in full now is the same name.
#[test]
fn a_dot_before_a_name_changes_nothing() {
    let text = |duration: &str, own: &str| {
        format!("package a.v1;\nmessage Own {{}}\nmessage M {{ {duration} wait = 1; map<string, {own}> own = 2; }}")
    };
    assert_eq!(
        said(&text("google.protobuf.Duration", "Own"), &text(".google.protobuf.Duration", ".a.v1.Own")),
        ["compatible: only the order or the comments differ"]
    );
}

/// Every file that this project exports is read as it is printed.
#[test]
fn what_is_printed_is_read() {
    let proto = Path::new(env!("CARGO_MANIFEST_DIR")).join("../proto");
    let mut found = Vec::new();
    super::files_below(&proto, Path::new(""), &mut found).unwrap();
    assert!(found.len() > 3, "{found:?}");
    for name in found {
        let text = std::fs::read_to_string(proto.join(&name)).unwrap();
        let file = File::read(&name, &text).unwrap();
        let rpcs = text.lines().filter(|line| line.trim_start().starts_with("rpc ")).count();
        let idempotent = text.matches("idempotency_level = IDEMPOTENT").count();
        let methods = || file.services.values().flat_map(|methods| methods.values());
        assert_eq!((methods().count(), methods().filter(|it| it.idempotent).count()), (rpcs, idempotent), "{name:?}");
        let fields: usize = file.messages.values().map(|message| message.fields.len()).sum();
        let values: usize = file.enums.values().map(|item| item.values.len()).sum();
        let numbered = text.lines().filter(|line| line.contains(" = ") && line.ends_with(';'));
        let options = |line: &&str| line.contains("idempotency_level") || line.starts_with("syntax");
        assert_eq!(fields + values, numbered.filter(|line| !options(line)).count(), "{name:?}");
    }
}
