//! The messages that protobuf brings, against prost: wrappers, `Any`, `FieldMask` and `ListValue`.
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests are tests

use std::collections::BTreeMap;

use bytes::Bytes;
use loop_runtime::LoopMessage;
use loop_runtime::wire::{Any, FieldMask, ListValue, Message, Schema, StructValue, decode, encode};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use prost::Message as _;

#[derive(Clone, Debug, Default, PartialEq, LoopMessage)]
#[message(package = "known.test")]
struct Known {
    #[wire(1, wrapped)]
    f64: Option<f64>,
    #[wire(2, wrapped)]
    f32: Option<f32>,
    #[wire(3, wrapped)]
    i64: Option<i64>,
    #[wire(4, wrapped)]
    u64: Option<u64>,
    #[wire(5, wrapped)]
    i32: Option<i32>,
    #[wire(6, wrapped)]
    u32: Option<u32>,
    #[wire(7, wrapped)]
    flag: Option<bool>,
    #[wire(8, wrapped)]
    text: Option<String>,
    #[wire(9, wrapped)]
    bytes: Option<Vec<u8>>,
    #[wire(10, wrapped)]
    texts: Vec<String>,
    #[wire(11, wrapped)]
    by_name: BTreeMap<String, i64>,
    #[wire(12, wrapped, default)]
    shared: Bytes,
    #[wire(13)]
    any: Option<Any>,
    #[wire(14)]
    mask: Option<FieldMask>,
    #[wire(15)]
    list: Option<ListValue>,
    #[wire(oneof)]
    choice: Option<Choice>,
}

#[derive(Clone, Debug, PartialEq, LoopMessage)]
enum Choice {
    #[wire(16, wrapped)]
    Text(String),
    #[wire(17)]
    Any(Any),
}

mod peer {
    use std::collections::BTreeMap;

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Known {
        #[prost(message, optional, tag = "1")]
        pub(super) f64: Option<f64>,
        #[prost(message, optional, tag = "2")]
        pub(super) f32: Option<f32>,
        #[prost(message, optional, tag = "3")]
        pub(super) i64: Option<i64>,
        #[prost(message, optional, tag = "4")]
        pub(super) u64: Option<u64>,
        #[prost(message, optional, tag = "5")]
        pub(super) i32: Option<i32>,
        #[prost(message, optional, tag = "6")]
        pub(super) u32: Option<u32>,
        #[prost(message, optional, tag = "7")]
        pub(super) flag: Option<bool>,
        #[prost(message, optional, tag = "8")]
        pub(super) text: Option<String>,
        #[prost(message, optional, tag = "9")]
        pub(super) bytes: Option<Vec<u8>>,
        #[prost(message, repeated, tag = "10")]
        pub(super) texts: Vec<String>,
        #[prost(btree_map = "string, message", tag = "11")]
        pub(super) by_name: BTreeMap<String, i64>,
        #[prost(message, optional, tag = "12")]
        pub(super) shared: Option<Vec<u8>>,
        #[prost(message, optional, tag = "13")]
        pub(super) any: Option<Any>,
        #[prost(message, optional, tag = "14")]
        pub(super) mask: Option<FieldMask>,
        #[prost(message, optional, tag = "15")]
        pub(super) list: Option<ListValue>,
        #[prost(oneof = "Choice", tags = "16, 17")]
        pub(super) choice: Option<Choice>,
    }

    #[derive(Clone, PartialEq, prost::Oneof)]
    pub(super) enum Choice {
        #[prost(message, tag = "16")]
        Text(String),
        #[prost(message, tag = "17")]
        Any(Any),
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Any {
        #[prost(string, tag = "1")]
        pub(super) type_url: String,
        #[prost(bytes = "vec", tag = "2")]
        pub(super) value: Vec<u8>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct FieldMask {
        #[prost(string, repeated, tag = "1")]
        pub(super) paths: Vec<String>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct ListValue {
        #[prost(message, repeated, tag = "1")]
        pub(super) values: Vec<Number>,
    }

    /// The one kind of `google.protobuf.Value` that is in these lists.
    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Number {
        #[prost(double, optional, tag = "2")]
        pub(super) number: Option<f64>,
    }
}

fn any_of(peer: peer::Any) -> Any {
    Any { type_url: peer.type_url, value: peer.value.into() }
}

fn ours(peer: peer::Known) -> Known {
    let number = |value: peer::Number| value.number.map_or(StructValue::Null, StructValue::Number);
    Known {
        f64: peer.f64,
        f32: peer.f32,
        i64: peer.i64,
        u64: peer.u64,
        i32: peer.i32,
        u32: peer.u32,
        flag: peer.flag,
        text: peer.text,
        bytes: peer.bytes,
        texts: peer.texts,
        by_name: peer.by_name,
        shared: peer.shared.unwrap_or_default().into(),
        any: peer.any.map(any_of),
        mask: peer.mask.map(|mask| FieldMask { paths: mask.paths }),
        list: peer.list.map(|list| ListValue { values: list.values.into_iter().map(number).collect() }),
        choice: peer.choice.map(|choice| match choice {
            peer::Choice::Text(text) => Choice::Text(text),
            peer::Choice::Any(it) => Choice::Any(any_of(it)),
        }),
    }
}

fn known() -> impl Strategy<Value = peer::Known> {
    let text = || "[a-z]{0,3}";
    let packed = || (text(), vec(any::<u8>(), 0..4)).prop_map(|(type_url, value)| peer::Any { type_url, value });
    let number = option::of(-9.0..9.0_f64).prop_map(|number| peer::Number { number: number.map(f64::round) });
    let numbers = (
        option::of(-9.0..9.0_f64),
        option::of(-9.0..9.0_f32),
        option::of(-9..9_i64),
        option::of(0..9_u64),
        option::of(-9..9_i32),
        option::of(0..9_u32),
        option::of(proptest::bool::ANY),
    );
    let texts = (
        option::of(text()),
        option::of(vec(0..9_u8, 0..4)),
        vec(text(), 0..4),
        btree_map(text(), -9..9_i64, 0..3),
        vec(0..9_u8, 0..4),
    );
    let rest = (
        option::of(packed()),
        option::of(vec(text(), 0..3).prop_map(|paths| peer::FieldMask { paths })),
        option::of(vec(number, 0..3).prop_map(|values| peer::ListValue { values })),
        option::of(prop_oneof![text().prop_map(peer::Choice::Text), packed().prop_map(peer::Choice::Any)]),
    );
    (numbers, texts, rest).prop_map(|(numbers, texts, rest)| {
        let (f64, f32, i64, u64, i32, u32, flag) = numbers;
        let (text, bytes, texts, by_name, shared) = texts;
        let (any, mask, list, choice) = rest;
        let shared = Some(shared);
        peer::Known { f64, f32, i64, u64, i32, u32, flag, text, bytes, texts, by_name, shared, any, mask, list, choice }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn both_read_what_the_other_writes(theirs in known()) {
        let read: Known = decode(&theirs.encode_to_vec().into()).unwrap();
        prop_assert_eq!(&read, &ours(theirs.clone()));
        prop_assert_eq!(ours(peer::Known::decode(encode(&read).unwrap()).unwrap()), read);
    }

    #[test]
    fn changed_bytes_are_judged_alike(theirs in known(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut body = theirs.encode_to_vec();
        let at = at.index(body.len());
        body[at] = byte;
        let body = Bytes::from(body);
        match (peer::Known::decode(body.clone()), decode::<Known>(&body)) {
            (Ok(theirs), Ok(read)) => prop_assert_eq!(format!("{:?}", ours(theirs)), format!("{read:?}")),
            (Err(_), Err(error)) => prop_assert!(error.is_malformed(), "{error}"),
            (Err(error), Ok(read)) => {
                // Of a list's values, only numbers are known to this peer.
                prop_assert!(read.list.is_some(), "theirs: {}", error);
            }
            (Ok(theirs), Err(error)) => prop_assert!(theirs.list.is_some(), "ours: {}", error),
        }
    }
}

#[test]
fn the_schema_names_protobufs_own() {
    let mut schema = Schema::new();
    schema.message::<Known>();
    let text = schema.proto("known.test");
    for line in [
        "import \"google/protobuf/any.proto\";",
        "import \"google/protobuf/field_mask.proto\";",
        "import \"google/protobuf/struct.proto\";",
        "import \"google/protobuf/wrappers.proto\";",
        "  google.protobuf.DoubleValue f64 = 1;",
        "  google.protobuf.BytesValue bytes = 9;",
        "  repeated google.protobuf.StringValue texts = 10;",
        "  map<string, google.protobuf.Int64Value> by_name = 11;",
        "  google.protobuf.Any any = 13;",
        "    google.protobuf.StringValue text = 16;",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
}

#[test]
fn any_holds_what_it_says() {
    #[derive(Debug, PartialEq, LoopMessage)]
    #[message(package = "acme.v1")]
    struct Head {
        #[wire(1, text = "expected uint8 height but got {n}")]
        height: u8,
    }
    let packed = Any::pack(&Head { height: 7 }).unwrap();
    assert_eq!((packed.type_url.as_str(), &packed.value[..]), ("type.googleapis.com/acme.v1.Head", &[8, 7][..]));
    assert_eq!(packed.unpack::<Head>().unwrap(), Some(Head { height: 7 }));
    assert_eq!(packed.unpack::<Known>().unwrap(), None);
    let elsewhere = Any { type_url: "example.com/types/acme.v1.Head".into(), ..packed.clone() };
    assert!(elsewhere.is::<Head>() && !Any { type_url: Head::NAME.into(), ..packed.clone() }.is::<Head>());
    let large = Any { value: vec![8, 0xac, 2].into(), ..packed };
    assert_eq!(large.unpack::<Head>().unwrap_err().to_string(), "expected uint8 height but got 300");
}
