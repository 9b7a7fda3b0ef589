//! What a message keeps that it does not know: every wire type, in every place, and nothing that is malformed.
#![allow(clippy::unwrap_used)] // helpers of tests are tests

use loop_runtime::LoopMessage;
use loop_runtime::wire::{Schema, UnknownFields, decode, encode};

#[test]
fn unknown_groups_and_long_varints() {
    #[derive(Debug, LoopMessage)]
    struct Known {
        #[wire(7)]
        known: u32,
        rest: UnknownFields,
    }
    // Field 1 as a group with a group in it, a number that takes more bytes than it needs, the known one, a fixed one.
    let group = [0x0b, 0x10, 0x01, 0x1b, 0x1c, 0x0c];
    let body = [&group[..], &[0x10, 0x81, 0x00], &[0x38, 0x05], &[0x1d, 1, 2, 3, 4]].concat();
    let known: Known = decode(&body.into()).unwrap();
    assert_eq!((known.known, known.rest.len(), known.rest.is_empty()), (5, 13, false));
    assert_eq!(format!("{:?}", known.rest), "UnknownFields[1, 2, 3]");
    let expected = [&[0x38, 0x05], &group[..], &[0x10, 0x01], &[0x1d, 1, 2, 3, 4]].concat();
    assert_eq!(encode(&known).unwrap(), expected);
    // What is malformed is not kept.
    for bad in [&[0x0b, 0x10][..], &[0x0b, 0x14], &[0x12, 5, 1], &[0x0c]] {
        assert!(decode::<Known>(&bad.to_vec().into()).unwrap_err().is_malformed());
    }
}

#[test]
fn unknown_fields_are_not_in_the_schema() {
    #[derive(LoopMessage)]
    #[message(package = "types.test")]
    #[allow(dead_code)]
    struct Inner {
        rest: UnknownFields,
        #[wire(1)]
        name: String,
    }
    let mut schema = Schema::new();
    schema.message::<Inner>();
    assert_eq!(
        schema.proto("types.test"),
        "syntax = \"proto3\";\n\npackage types.test;\n\nmessage Inner {\n  string name = 1;\n}\n"
    );
}

#[test]
fn a_message_of_many_fields_keeps_what_is_unknown_too() {
    #[derive(Debug, Default, PartialEq, LoopMessage)]
    struct Many {
        rest: UnknownFields,
        #[wire(1)]
        a: u32,
        #[wire(2)]
        b: u32,
        #[wire(3)]
        c: u32,
        #[wire(4)]
        d: u32,
        #[wire(5)]
        e: u32,
        #[wire(6)]
        f: u32,
        #[wire(7)]
        g: u32,
        #[wire(8)]
        h: u32,
        #[wire(9)]
        i: u32,
        #[wire(10)]
        j: u32,
        #[wire(11)]
        k: u32,
        #[wire(oneof)]
        choice: Option<Choice>,
        #[wire(13)]
        m: u32,
    }
    #[derive(Debug, PartialEq, LoopMessage)]
    enum Choice {
        #[wire(14)]
        Text(String),
        #[wire(15)]
        Range {
            #[wire(1)]
            from: u32,
            rest: UnknownFields,
        },
    }
    let body: Vec<u8> = vec![0x78 | 2, 4, 0x08, 1, 0x10, 2, 0x08, 9, 0x68, 3, 0x80, 0x01, 7];
    let many: Many = decode(&body.into()).unwrap();
    assert_eq!((many.a, many.m, many.rest.len()), (9, 3, 3));
    assert!(matches!(&many.choice, Some(Choice::Range { from: 1, rest }) if rest.len() == 2));
    assert_eq!(encode(&many).unwrap()[..], [0x08, 9, 0x7a, 4, 0x08, 1, 0x10, 2, 0x68, 3, 0x80, 0x01, 7]);
    assert_eq!(decode::<Many>(&encode(&many).unwrap()).unwrap(), many);
}
