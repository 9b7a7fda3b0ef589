//! Fields in another form than that of their type, against prost: the same bytes, the same values, the same refusals.
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests are tests

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use loop_runtime::LoopMessage;
use loop_runtime::wire::{Schema, decode, encode};
use proptest::collection::{btree_map, hash_map, vec};
use proptest::option;
use proptest::prelude::*;
use prost::Message as _;

/// Every form that an option gives.
#[derive(Clone, Debug, Default, PartialEq, LoopMessage)]
#[message(package = "forms.test")]
struct Forms {
    #[wire(1, sint)]
    s32: i32,
    #[wire(2, sint)]
    s64: i64,
    #[wire(3, fixed)]
    u32: u32,
    #[wire(4, fixed)]
    u64: u64,
    #[wire(5, fixed)]
    i32: i32,
    #[wire(6, fixed)]
    i64: i64,
    #[wire(7, sint, text = "expected int8 narrow but got {n}")]
    narrow: i8,
    #[wire(8, fixed, default)]
    byte: u8,
    #[wire(9, sint)]
    maybe_s64: Option<i64>,
    #[wire(10, fixed)]
    maybe_u32: Option<u32>,
    #[wire(11, sint)]
    many_s32: Vec<i32>,
    #[wire(12, fixed)]
    many_u64: Vec<u64>,
    #[wire(13, fixed)]
    many_bytes: Vec<u8>,
    #[wire(14, unpacked)]
    loose: Vec<u32>,
    #[wire(15, sint, unpacked)]
    loose_s64: Vec<i64>,
    #[wire(16, fixed, unpacked)]
    loose_i32: Vec<i32>,
    #[wire(17, key = sint)]
    by_s32: BTreeMap<i32, String>,
    #[wire(18, fixed)]
    to_i64: HashMap<String, i64>,
    #[wire(19, key = fixed, sint)]
    both: HashMap<u64, i32>,
    #[wire(20, sint)]
    narrow_values: BTreeMap<bool, i16>,
    #[wire(oneof)]
    choice: Option<Choice>,
}

/// One of several.
#[derive(Clone, Debug, PartialEq, LoopMessage)]
enum Choice {
    #[wire(21, sint)]
    Count(i64),
    #[wire(22, fixed)]
    Id(u8),
    #[wire(23)]
    Range {
        #[wire(1, sint)]
        from: i32,
        #[wire(2, fixed)]
        to: Vec<i64>,
    },
}

mod peer {
    use std::collections::{BTreeMap, HashMap};

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Forms {
        #[prost(sint32, tag = "1")]
        pub(super) s32: i32,
        #[prost(sint64, tag = "2")]
        pub(super) s64: i64,
        #[prost(fixed32, tag = "3")]
        pub(super) u32: u32,
        #[prost(fixed64, tag = "4")]
        pub(super) u64: u64,
        #[prost(sfixed32, tag = "5")]
        pub(super) i32: i32,
        #[prost(sfixed64, tag = "6")]
        pub(super) i64: i64,
        #[prost(sint32, tag = "7")]
        pub(super) narrow: i32,
        #[prost(fixed32, tag = "8")]
        pub(super) byte: u32,
        #[prost(sint64, optional, tag = "9")]
        pub(super) maybe_s64: Option<i64>,
        #[prost(fixed32, optional, tag = "10")]
        pub(super) maybe_u32: Option<u32>,
        #[prost(sint32, repeated, tag = "11")]
        pub(super) many_s32: Vec<i32>,
        #[prost(fixed64, repeated, tag = "12")]
        pub(super) many_u64: Vec<u64>,
        #[prost(fixed32, repeated, tag = "13")]
        pub(super) many_bytes: Vec<u32>,
        #[prost(uint32, repeated, packed = "false", tag = "14")]
        pub(super) loose: Vec<u32>,
        #[prost(sint64, repeated, packed = "false", tag = "15")]
        pub(super) loose_s64: Vec<i64>,
        #[prost(sfixed32, repeated, packed = "false", tag = "16")]
        pub(super) loose_i32: Vec<i32>,
        #[prost(btree_map = "sint32, string", tag = "17")]
        pub(super) by_s32: BTreeMap<i32, String>,
        #[prost(map = "string, sfixed64", tag = "18")]
        pub(super) to_i64: HashMap<String, i64>,
        #[prost(map = "fixed64, sint32", tag = "19")]
        pub(super) both: HashMap<u64, i32>,
        #[prost(btree_map = "bool, sint32", tag = "20")]
        pub(super) narrow_values: BTreeMap<bool, i32>,
        #[prost(oneof = "Choice", tags = "21, 22, 23")]
        pub(super) choice: Option<Choice>,
    }

    #[derive(Clone, PartialEq, prost::Oneof)]
    pub(super) enum Choice {
        #[prost(sint64, tag = "21")]
        Count(i64),
        #[prost(fixed32, tag = "22")]
        Id(u32),
        #[prost(message, tag = "23")]
        Range(Range),
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Range {
        #[prost(sint32, tag = "1")]
        pub(super) from: i32,
        #[prost(sfixed64, repeated, tag = "2")]
        pub(super) to: Vec<i64>,
    }
}

/// What prost's value is in ours; `None` if ours must refuse it.
fn ours(peer: peer::Forms) -> Option<Forms> {
    Some(Forms {
        s32: peer.s32,
        s64: peer.s64,
        u32: peer.u32,
        u64: peer.u64,
        i32: peer.i32,
        i64: peer.i64,
        narrow: peer.narrow.try_into().ok()?,
        byte: peer.byte.try_into().ok()?,
        maybe_s64: peer.maybe_s64,
        maybe_u32: peer.maybe_u32,
        many_s32: peer.many_s32,
        many_u64: peer.many_u64,
        many_bytes: peer.many_bytes.into_iter().map(|byte| byte.try_into().ok()).collect::<Option<_>>()?,
        loose: peer.loose,
        loose_s64: peer.loose_s64,
        loose_i32: peer.loose_i32,
        by_s32: peer.by_s32,
        to_i64: peer.to_i64,
        both: peer.both,
        narrow_values: peer
            .narrow_values
            .into_iter()
            .map(|(k, v)| Some((k, v.try_into().ok()?)))
            .collect::<Option<_>>()?,
        choice: match peer.choice {
            None => None,
            Some(peer::Choice::Count(count)) => Some(Choice::Count(count)),
            Some(peer::Choice::Id(id)) => Some(Choice::Id(id.try_into().ok()?)),
            Some(peer::Choice::Range(peer::Range { from, to })) => Some(Choice::Range { from, to }),
        },
    })
}

/// Random values of the peer's type, all of which ours can hold.
fn forms() -> impl Strategy<Value = peer::Forms> {
    let s64 = || prop_oneof![any::<i64>(), -70..70_i64, Just(i64::MIN), Just(i64::MAX)];
    let s32 = || prop_oneof![any::<i32>(), -70..70_i32, Just(i32::MIN), Just(i32::MAX)];
    let choice = prop_oneof![
        s64().prop_map(peer::Choice::Count),
        (0..256_u32).prop_map(peer::Choice::Id),
        (s32(), vec(s64(), 0..4)).prop_map(|(from, to)| peer::Choice::Range(peer::Range { from, to })),
    ];
    let scalars = (s32(), s64(), any::<u32>(), any::<u64>(), s32(), s64(), -128..128_i32, 0..256_u32);
    let options = (option::of(s64()), option::of(any::<u32>()), option::of(choice));
    let lists = (
        vec(s32(), 0..20),
        vec(any::<u64>(), 0..5),
        vec(0..256_u32, 0..5),
        vec(any::<u32>(), 0..5),
        vec(s64(), 0..5),
        vec(s32(), 0..5),
    );
    let maps = (
        btree_map(s32(), "[a-c]{0,3}", 0..4),
        hash_map("[a-c]{0,3}", s64(), 0..4),
        hash_map(any::<u64>(), s32(), 0..4),
        btree_map(any::<bool>(), -32_768..32_768_i32, 0..3),
    );
    (scalars, options, lists, maps).prop_map(|(scalars, options, lists, maps)| {
        let (s32, s64, u32, u64, i32, i64, narrow, byte) = scalars;
        let (maybe_s64, maybe_u32, choice) = options;
        let (many_s32, many_u64, many_bytes, loose, loose_s64, loose_i32) = lists;
        let (by_s32, to_i64, both, narrow_values) = maps;
        peer::Forms {
            s32,
            s64,
            u32,
            u64,
            i32,
            i64,
            narrow,
            byte,
            maybe_s64,
            maybe_u32,
            many_s32,
            many_u64,
            many_bytes,
            loose,
            loose_s64,
            loose_i32,
            by_s32,
            to_i64,
            both,
            narrow_values,
            choice,
        }
    })
}

/// Both readers on the same bytes: they agree on what is protobuf, and on the value if it fits our type.
fn agree(body: Vec<u8>) -> Result<(), TestCaseError> {
    let body = Bytes::from(body);
    match (peer::Forms::decode(body.clone()), decode::<Forms>(&body)) {
        (Err(_), Err(error)) => prop_assert!(error.is_malformed() || !error.path().is_empty(), "{error}"),
        (Ok(theirs), Ok(read)) => prop_assert_eq!(ours(theirs), Some(read)),
        (Ok(theirs), Err(error)) => {
            prop_assert!(!error.is_malformed(), "ours: {}", error);
            prop_assert!(ours(theirs).is_none(), "ours: {}", error);
        }
        (Err(error), Ok(_)) => prop_assert!(false, "theirs: {error}"),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn both_read_what_the_other_writes(theirs in forms()) {
        let read: Forms = decode(&theirs.encode_to_vec().into()).unwrap();
        prop_assert_eq!(Some(read.clone()), ours(theirs.clone()));
        prop_assert_eq!(peer::Forms::decode(encode(&read).unwrap()).unwrap(), theirs);
    }

    /// Byte for byte, but for the entries of maps, from which prost leaves out the defaults.
    #[test]
    fn the_bytes_are_prosts(theirs in forms()) {
        let mut theirs = theirs;
        theirs.by_s32.clear();
        theirs.to_i64.clear();
        theirs.both.clear();
        theirs.narrow_values.clear();
        prop_assert_eq!(encode(&ours(theirs.clone()).unwrap()).unwrap(), theirs.encode_to_vec());
    }

    #[test]
    fn messages_in_a_row_merge(first in forms(), second in forms()) {
        agree([first.encode_to_vec(), second.encode_to_vec()].concat())?;
    }

    #[test]
    fn changed_bytes_are_judged_alike(
        theirs in forms(),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut body = theirs.encode_to_vec();
        for (index, byte) in changes {
            if !body.is_empty() {
                let index = index.index(body.len());
                body[index] = byte;
            }
        }
        agree(body)?;
    }

    /// Bytes that look like fields: lists of numbers come packed and not, in every wire type.
    #[test]
    fn plausible_garbage_is_judged_alike(
        fields in vec((1_u32..24, 0_u8..6, vec(0_u8..12, 0..12)), 0..8),
    ) {
        let mut body = Vec::new();
        for (number, wire_type, content) in fields {
            prost::encoding::encode_varint(u64::from(number << 3 | u32::from(wire_type)), &mut body);
            if wire_type == 2 {
                body.push(content.len() as u8);
            }
            body.extend(content);
        }
        agree(body)?;
    }
}

#[test]
fn the_schema_says_the_form() {
    let mut schema = Schema::new();
    schema.message::<Forms>();
    let text = schema.proto("forms.test");
    for line in [
        "  sint32 s32 = 1;",
        "  sint64 s64 = 2;",
        "  fixed32 u32 = 3;",
        "  fixed64 u64 = 4;",
        "  sfixed32 i32 = 5;",
        "  sfixed64 i64 = 6;",
        "  sint32 narrow = 7;",
        "  fixed32 byte = 8;",
        "  optional sint64 maybe_s64 = 9;",
        "  repeated sint32 many_s32 = 11;",
        "  repeated fixed32 many_bytes = 13;",
        "  repeated uint32 loose = 14 [packed = false];",
        "  repeated sint64 loose_s64 = 15 [packed = false];",
        "  map<sint32, string> by_s32 = 17;",
        "  map<string, sfixed64> to_i64 = 18;",
        "  map<fixed64, sint32> both = 19;",
        "    sint64 count = 21;",
        "    fixed32 id = 22;",
        "  sint32 from = 1;",
        "  repeated sfixed64 to = 2;",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    protox::file::File::from_source("forms/test.proto", &text).unwrap();
}

#[test]
fn what_does_not_fit_is_refused_by_name() {
    for (theirs, text) in [
        (peer::Forms { narrow: -129, ..Default::default() }, "expected int8 narrow but got -129"),
        (peer::Forms { byte: 256, ..Default::default() }, "byte: 256 does not fit `u8`"),
        (peer::Forms { many_bytes: vec![1, 300], ..Default::default() }, "many_bytes[1]: 300 does not fit `u8`"),
        (
            peer::Forms { narrow_values: [(true, 40_000)].into(), ..Default::default() },
            "narrow_values[true]: 40000 does not fit `i16`",
        ),
        (peer::Forms { choice: Some(peer::Choice::Id(256)), ..Default::default() }, "choice.id: 256 does not fit `u8`"),
    ] {
        assert_eq!(decode::<Forms>(&theirs.encode_to_vec().into()).unwrap_err().to_string(), text);
    }
}

#[test]
fn maps_are_in_the_order_of_the_keys() {
    let map = Forms { both: (0..50).map(|key| (key, 1)).collect(), ..Forms::default() };
    let sorted: Vec<u8> = encode(&map).unwrap().chunks(14).filter_map(|entry| entry.get(4).copied()).collect();
    assert_eq!(sorted, (0..50).collect::<Vec<u8>>());
}
