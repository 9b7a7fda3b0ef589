//! A schema without conflicts is one that protobuf's compiler accepts, and the reverse.
#![allow(clippy::unwrap_used)] // helpers of tests are tests

use loop_runtime::wire::{EnumShape, FieldSpec, FieldType, MessageShape, OneofShape, RequestShape, Schema};
use protox::file::{ChainFileResolver, File, FileResolver, GoogleFileResolver};

struct Exported(Vec<(String, String)>);

impl FileResolver for Exported {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        match self.0.iter().find(|(path, _)| path == name) {
            Some((_, text)) => File::from_source(name, text),
            None => Err(protox::Error::file_not_found(name)),
        }
    }
}

/// What a compiler says of the exported files.
fn compile(schema: &Schema) -> Result<(), String> {
    let files: Vec<_> = schema.files().map(|(package, text)| (Schema::file_name(package), text)).collect();
    let names: Vec<String> = files.iter().map(|(name, _)| name.clone()).collect();
    let mut resolver = ChainFileResolver::new();
    resolver.add(Exported(files));
    resolver.add(GoogleFileResolver::new());
    let mut compiler = protox::Compiler::with_file_resolver(resolver);
    compiler.open_files(names).map(drop).map_err(|why| format!("{why:?}\n{schema}"))
}

const TEXT: FieldType = FieldType::Scalar("string");

fn of(name: &str) -> FieldType {
    FieldType::Message(name.to_owned())
}

fn map() -> FieldType {
    FieldType::Map(Box::new(TEXT), Box::new(TEXT))
}

fn message(schema: &mut Schema, name: &str, fields: &[(&'static str, FieldType)]) {
    let mut shape = MessageShape::new(name, "");
    for ((field, ty), number) in fields.iter().zip(1..) {
        shape.field(number, field, ty.clone(), "");
    }
    schema.add(shape);
}

fn values(schema: &mut Schema, name: &str, values: &[(i32, &'static str)]) {
    let shape = EnumShape::new(name, "");
    schema.enumeration(values.iter().fold(shape, |shape, (number, value)| shape.value(*number, value, "")));
}

fn service(schema: &mut Schema, name: &'static str, methods: &[&'static str]) {
    let body = |name| RequestShape::Fields { name, fields: vec![(FieldSpec::new(1, "id"), TEXT)] };
    let mut service = schema.service(name, "").unwrap();
    for method in methods {
        service.method(method, "", false, (false, true), body("Asked"), body("Told"));
    }
}

fn schema(fill: impl FnOnce(&mut Schema)) -> Schema {
    let mut schema = Schema::new();
    fill(&mut schema);
    schema
}

/// The compiler refuses it, and the one conflict has this text.
#[track_caller]
fn refused(expected: &str, fill: impl FnOnce(&mut Schema)) {
    let schema = schema(fill);
    assert!(compile(&schema).is_err(), "the compiler takes it:\n{schema}");
    said(expected, &schema);
}

/// As [`refused`], where only protobuf's own compiler refuses.
#[track_caller]
fn refused_by_protoc(expected: &str, fill: impl FnOnce(&mut Schema)) {
    said(expected, &schema(fill));
}

#[track_caller]
fn said(expected: &str, schema: &Schema) {
    let conflicts: Vec<String> = schema.conflicts().iter().map(ToString::to_string).collect();
    assert_eq!(conflicts, [expected], "{schema}");
}

#[track_caller]
fn accepted(expected: &[&str], fill: impl FnOnce(&mut Schema)) {
    let schema = schema(fill);
    assert_eq!(schema.conflicts(), []);
    compile(&schema).unwrap_or_else(|why| panic!("{why}"));
    let text = schema.to_string();
    for line in expected {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
}

#[test]
fn a_name_that_something_nearer_hides_is_written_with_a_dot() {
    accepted(&["  .google.protobuf.Duration wait = 1;"], |schema| {
        message(schema, "acme.google.v1.Duration", &[]);
        message(
            schema,
            "acme.google.v1.Call",
            &[("wait", of("google.protobuf.Duration")), ("own", of("acme.google.v1.Duration"))],
        );
    });
    accepted(&["  .acme.v1.Head head = 1;"], |schema| {
        message(schema, "acme.v1.Head", &[]);
        message(schema, "other.acme.Call", &[("head", of("acme.v1.Head"))]);
    });
    accepted(&["  .acme.v1.Head head = 1;"], |schema| {
        message(schema, "acme.v1.Head", &[]);
        message(schema, "other.acme", &[("head", of("acme.v1.Head"))]);
    });
    accepted(&["  .a.NotesEntry entry = 2;", "  NotesEntry entry = 1;"], |schema| {
        message(schema, "a.NotesEntry", &[]);
        message(schema, "a.Page", &[("notes", map()), ("entry", of("a.NotesEntry"))]);
        message(schema, "a.Other", &[("entry", of("a.NotesEntry"))]);
    });
    // Nothing is nearer: the name stays short.
    accepted(&["  google.protobuf.Duration wait = 1;"], |schema| {
        message(schema, "google.api.Call", &[("wait", of("google.protobuf.Duration"))]);
    });
}

#[test]
fn a_type_may_be_called_as_a_keyword() {
    for name in ["string", "message", "optional", "repeated", "map", "stream", "group", "reserved", "oneof", "enum"] {
        let full = format!("a.{name}");
        accepted(&[&format!("  .a.{name} value = 1;")], |schema| {
            message(schema, &full, &[]);
            message(schema, "a.Page", &[("value", of(&full))]);
        });
    }
    accepted(&["  string message = 1;"], |schema| message(schema, "a.Page", &[("message", TEXT), ("option", TEXT)]));
}

#[test]
fn packages_that_import_each_other() {
    refused("`a`: the packages `a`, `b` import each other: put what they share into a package of its own", |schema| {
        message(schema, "a.A", &[("c", of("b.C"))]);
        message(schema, "b.B", &[("a", of("a.A"))]);
        message(schema, "b.C", &[]);
        message(schema, "c.In", &[("a", of("a.A"))]);
    });
    accepted(&[], |schema| {
        message(schema, "a.A", &[("c", of("b.C")), ("d", of("c.D"))]);
        message(schema, "b.C", &[("d", of("c.D")), ("own", of("b.C"))]);
        message(schema, "c.D", &[]);
    });
}

#[test]
fn things_of_different_kinds_share_names() {
    refused("`a.Head` is declared twice, and differently:\nservice a.Head\nmessage a.Head", |schema| {
        service(schema, "a.Head", &["Get"]);
        message(schema, "a.Head", &[]);
    });
    refused("`a.Head` is declared twice, and differently:\nmessage a.Head\nenum a.Head", |schema| {
        message(schema, "a.Head", &[]);
        values(schema, "a.Head", &[(0, "NONE")]);
    });
    refused("`a.b` is declared twice, and differently:\npackage a.b\nmessage a.b", |schema| {
        message(schema, "a.b", &[("c", of("a.b.C"))]);
        message(schema, "a.b.C", &[]);
    });
    refused("`a.S.Get` is declared twice, and differently:\nrpc Get\nrpc Get", |schema| {
        service(schema, "a.S", &["Get", "Get"]);
    });
    refused("`a.Filter.kind` is declared twice, and differently:\noneof kind\nstring kind = 1;", |schema| {
        let (mut shape, mut oneof) = (MessageShape::new("a.Filter", ""), OneofShape::new("kind", ""));
        oneof.case(1, "kind", TEXT, "");
        shape.oneof(oneof);
        schema.add(shape);
    });
    refused(
        "`a.M.ByIdEntry` is declared twice, and differently:\nmessage ByIdEntry of map by_id\nstring ByIdEntry = 2;",
        |schema| message(schema, "a.M", &[("by_id", map()), ("ByIdEntry", TEXT)]),
    );
}

#[test]
fn values_are_declared_beside_their_enum() {
    let expected = "`a.NONE` is declared twice, and differently:\nNONE = 0 of enum a.First\nNONE = 0 of enum a.Second";
    refused(expected, |schema| {
        values(schema, "a.First", &[(0, "NONE")]);
        values(schema, "a.Second", &[(0, "NONE")]);
    });
    refused("`a.Head` is declared twice, and differently:\nmessage a.Head\nHead = 0 of enum a.Kind", |schema| {
        message(schema, "a.Head", &[]);
        values(schema, "a.Kind", &[(0, "Head")]);
    });
    refused(
        "`a.CODE_X` is declared twice, and differently:\nCODE_X = 0 of enum a.Code\nCODE_X = 1 of enum a.Code",
        |schema| {
            values(schema, "a.Code", &[(0, "CODE_X"), (1, "CODE_X")]);
        },
    );
    // Packages are apart, and two names of one number are aliases.
    accepted(&["option allow_alias = true;"], |schema| {
        values(schema, "a.First", &[(0, "NONE"), (0, "FIRST_NONE")]);
        values(schema, "b.First", &[(0, "NONE")]);
    });
}

#[test]
fn values_differ_without_the_name_of_their_enum() {
    refused_by_protoc(
        "`a.UNKNOWN`: `CODE_UNKNOWN` and `UNKNOWN` are both `Unknown` without the name of the enum",
        |schema| {
            values(schema, "a.Code", &[(0, "CODE_UNKNOWN"), (1, "UNKNOWN")]);
        },
    );
    refused_by_protoc(
        "`a.FOO__BAR`: `FOO_BAR` and `FOO__BAR` are both `FooBar` without the name of the enum",
        |schema| {
            values(schema, "a.Code", &[(0, "FOO_BAR"), (1, "FOO__BAR")]);
        },
    );
    accepted(&[], |schema| values(schema, "a.Code", &[(0, "CODE"), (1, "CODE_ONE"), (2, "FOO_BAR"), (3, "FOOBAR")]));
}

#[test]
fn values_that_begin_something_else() {
    for name in ["option", "reserved"] {
        let expected = format!("`a.{name}`: `{name}` cannot be the name of a value: it begins something else there");
        refused(&expected, |schema| values(schema, "a.Kind", &[(0, name)]));
    }
}

#[test]
fn names_in_json() {
    for second in ["fooBar", "foobar", "Foo_Bar", "_foo_bar"] {
        let why = "differ in case and underscores alone, and JSON has one name for both";
        refused(&format!("`a.M.{second}`: `foo_bar` and `{second}` {why}"), |schema| {
            message(schema, "a.M", &[("foo_bar", TEXT), (second, TEXT)]);
        });
    }
    accepted(&[], |schema| message(schema, "a.M", &[("foo_bar", TEXT), ("foo_baz", TEXT)]));
}

#[test]
fn names_are_ascii() {
    let not = "is not a name in protobuf: ASCII letters, digits and `_` are";
    refused(&format!("`a.M.größe`: `größe` {not}"), |schema| message(schema, "a.M", &[("größe", TEXT)]));
    refused(&format!("`a.S.取得`: `取得` {not}"), |schema| service(schema, "a.S", &["取得"]));
    refused(&format!("`a.Straße`: `Straße` {not}"), |schema| message(schema, "a.Straße", &[]));
    refused(&format!("`a.Ä`: `Ä` {not}"), |schema| values(schema, "a.Kind", &[(0, "Ä")]));
    refused(&format!("`a.1b`: `1b` {not}"), |schema| message(schema, "a.1b.M", &[]));
}
