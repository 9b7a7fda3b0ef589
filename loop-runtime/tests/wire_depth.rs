//! Recursive messages to the last level: untrusted bytes decide how deep a reader recurses, on threads that have 2 MiB
//! by default, also in unoptimised builds.
//!
//! A stack overflow aborts the process of these tests, with the name of the thread.
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests are tests

#[path = "wire/deep.rs"]
mod deep;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use bytes::Bytes;
use loop_runtime::testing::Pair;
use loop_runtime::wire::{FieldSpec, Struct, StructValue, check, decode, encode, take};
use loop_runtime::{Code, ErrorKind, LoopMessage, Result, loop_service};
use prost::encoding::{WireType, encode_key, encode_varint};

use deep::{Boxed, Choice, Chosen, Deep, Elements, Expression, Linked, Listed, Mapped, Maps, deep};

/// How deep messages may be, the outermost not counted.
const DEPTH: u32 = 100;

/// Half of what tokio's and std's threads have, since calls begin at some depth already.
const STACK: usize = 1 << 20;

fn on_a_small_stack<R: Send + 'static>(what: &str, run: impl FnOnce() -> R + Send + 'static) -> R {
    let thread = std::thread::Builder::new().name(what.to_owned()).stack_size(STACK);
    thread.spawn(run).unwrap().join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// `content` as field `number` of a message.
fn field(number: u32, content: &[u8]) -> Vec<u8> {
    let mut outer = Vec::new();
    encode_key(number, WireType::LengthDelimited, &mut outer);
    encode_varint(content.len() as u64, &mut outer);
    outer.extend_from_slice(content);
    outer
}

/// Nested messages, from the outside in the fields of `numbers`, cyclically; the innermost is empty.
fn nested(numbers: &[u32], levels: u32) -> Bytes {
    let numbers: Vec<u32> = numbers.iter().cycle().copied().take(levels as usize).collect();
    numbers.into_iter().rev().fold(Vec::new(), |inner, number| field(number, &inner)).into()
}

/// Nested groups that are not closed.
fn groups(levels: usize) -> Bytes {
    vec![9 << 3 | 3; levels].into()
}

/// Writes, reads, compares and drops a value on the last level, and one beyond.
fn to_the_last_level<T: Deep + 'static>() {
    let name = T::NAME;
    let steps = DEPTH / T::LEVELS;
    on_a_small_stack(name, move || {
        let value = deep::<T>(steps);
        let body = encode(&value).unwrap_or_else(|why| panic!("{name}: {why}"));
        let read = decode::<T>(&body).unwrap_or_else(|why| panic!("{name}: {why}"));
        assert!(read == value, "{name}");
        drop((read, value));

        let value = deep::<T>(steps + 1);
        assert!(encode(&value).unwrap_err().to_string().ends_with("which receivers refuse"), "{name}");
    });
}

#[test]
fn the_last_level_needs_little_stack() {
    to_the_last_level::<Boxed>();
    to_the_last_level::<Maps>();
    to_the_last_level::<Listed>();
    to_the_last_level::<Mapped>();
    to_the_last_level::<Linked>();
    to_the_last_level::<Elements>();
    to_the_last_level::<Chosen>();
    to_the_last_level::<Expression>();
    to_the_last_level::<Struct>();
}

/// Reads [`nested`] bytes.
fn read_levels<T: Deep + 'static>(levels: u32, numbers: &'static [u32]) -> std::result::Result<(), String> {
    let read = move || decode::<T>(&nested(numbers, levels));
    on_a_small_stack(T::NAME, read).map(drop).map_err(|why| {
        assert!(why.is_malformed(), "{why}");
        why.to_string()
    })
}

#[test]
fn one_level_more_is_refused_by_the_reader() {
    type Read = fn(u32, &'static [u32]) -> std::result::Result<(), String>;
    let cases: [(Read, &[u32]); 9] = [
        (read_levels::<Boxed>, &[1]),
        (read_levels::<Maps>, &[1]),
        (read_levels::<Listed>, &[1]),
        (read_levels::<Mapped>, &[1, 2]),
        (read_levels::<Linked>, &[1]),
        (read_levels::<Elements>, &[1]),
        (read_levels::<Chosen>, &[1]),
        (read_levels::<Expression>, &[5, 1, 2]),
        (read_levels::<Struct>, &[1, 2, 5]),
    ];
    for (read, numbers) in cases {
        assert_eq!(read(DEPTH, numbers), Ok(()), "{numbers:?}");
        let why = read(DEPTH + 1, numbers).unwrap_err();
        assert!(why.ends_with("malformed protobuf: nested deeper than 100 levels"), "{why}");
        // What is nested deeper does not matter, and costs nothing.
        assert!(read(20_000, numbers).is_err());
    }
}

/// The limit is that of prost.
#[test]
fn the_limit_is_prosts() {
    #[derive(Clone, PartialEq, prost::Message)]
    struct Theirs {
        #[prost(message, optional, boxed, tag = "1")]
        next: Option<Box<Theirs>>,
        #[prost(map = "uint32, message", tag = "2")]
        entries: HashMap<u32, Theirs>,
        #[prost(message, repeated, tag = "3")]
        list: Vec<Theirs>,
    }

    #[derive(Debug, PartialEq, LoopMessage)]
    struct Ours {
        #[wire(1)]
        next: Option<Box<Ours>>,
        #[wire(2)]
        entries: BTreeMap<u32, Ours>,
        #[wire(3)]
        list: Vec<Ours>,
    }

    for numbers in [&[1][..], &[3], &[2, 2], &[1, 2, 2, 3]] {
        for levels in [1, 2, 3, 4, 97, 98, 99, 100, 101, 102, 103, 104, 150] {
            let body = nested(numbers, levels);
            let theirs = <Theirs as prost::Message>::decode(body.clone());
            assert_eq!(decode::<Ours>(&body).is_ok(), theirs.is_ok(), "{levels} levels of {numbers:?}");
            assert_eq!(theirs.is_ok(), levels <= DEPTH);
        }
    }
    for levels in [1, 99, 100, 101, 102] {
        let body = [&groups(levels)[..], &vec![9 << 3 | 4; levels]].concat();
        let theirs = <Theirs as prost::Message>::decode(&body[..]);
        assert_eq!(decode::<Ours>(&body.into()).is_ok(), theirs.is_ok(), "{levels} groups");
    }
}

#[test]
fn groups_that_never_end_take_nothing() {
    on_a_small_stack("groups", || {
        for levels in [100, 101, 1 << 20] {
            assert!(check(&groups(levels)).unwrap_err().is_malformed());
            assert!(decode::<Boxed>(&groups(levels)).unwrap_err().is_malformed());
            let within: Bytes = field(1, &groups(levels)).into();
            assert!(decode::<Boxed>(&within).unwrap_err().is_malformed());
        }
    });
}

#[test]
fn a_value_of_any_depth_is_refused_by_the_writer() {
    fn refused<T: Deep + 'static>() -> String {
        let mut value = deep::<T>(20_000);
        let (value, error) = on_a_small_stack(T::NAME, move || {
            let error = encode(&value).unwrap_err();
            value = std::mem::replace(&mut value, T::leaf());
            (value, error)
        });
        // Its drop glue is rustc's, and recurses once per level.
        std::mem::forget(value);
        assert!(!error.is_malformed());
        error.to_string()
    }

    let too_deep = "nested deeper than 100 levels, which receivers refuse";
    for error in [refused::<Boxed>(), refused::<Linked>()] {
        assert!(error.starts_with("next.next.next.next.") && error.ends_with(&format!("…: {too_deep}")), "{error}");
    }
    assert!(refused::<Listed>().starts_with("children.children."));
    assert!(refused::<Elements>().starts_with("elements.elements."));
    assert!(refused::<Mapped>().starts_with("by_name.by_name."));
    assert!(refused::<Chosen>().starts_with("deeper.deeper."));
    assert!(refused::<Expression>().starts_with("and.all.not.and.all.not."));
    // The well-known type has no field names here.
    assert_eq!(refused::<Struct>(), too_deep);
}

/// Nothing that follows makes the body valid again.
#[test]
fn what_follows_a_message_that_is_too_deep_does_not_save_the_body() {
    let mut outer = Listed::default();
    outer.children.extend([Listed::default(), deep(DEPTH), Listed::default(), deep(2)]);
    outer.ma.insert("x".to_owned(), 1);
    assert!(encode(&outer).unwrap_err().path().starts_with("children.children."));
    outer.children.remove(1);
    let body = encode(&outer).unwrap();
    assert_eq!(decode::<Listed>(&body).unwrap(), outer);

    let choice = Chosen { choice: Some(Choice::Deeper(Box::new(deep(DEPTH)))), ..Chosen::default() };
    assert!(encode(&choice).is_err());
}

/// Keys come from the peer, and errors travel in headers.
#[test]
fn a_path_is_of_bounded_length() {
    #[derive(Debug, LoopMessage)]
    struct Narrow {
        #[wire(1)]
        by_name: BTreeMap<String, u8>,
    }
    let body: Bytes = field(1, &[&field(1, "ä".repeat(1 << 20).as_bytes())[..], &[2 << 3, 0x80, 0x04]].concat()).into();
    let error = decode::<Narrow>(&body).unwrap_err();
    assert!(error.path().starts_with("by_name[ää") && error.path().ends_with("ä…"), "{}", error.path());
    assert!(error.path().len() < 300 && error.to_string().ends_with("…: 512 does not fit `u8`"));
}

/// A field whose tag takes two bytes, and one that is encoded with more than it needs.
#[test]
fn keys_of_any_length_are_read() {
    let number = |key: &[u8], spec: u32| take::<u64>(&[key, &[7]].concat().into(), &FieldSpec::new(spec, "it"));
    for (key, spec) in [
        (&[15 << 3][..], 15),
        (&[0x80, 0x01], 16),
        (&[0xf8, 0x7f], 2047),
        (&[0x80, 0x80, 0x01], 2048),
        (&[0x88, 0x00], 1),
        (&[0x88, 0x80, 0x00], 1),
        (&[0xf8, 0xff, 0xff, 0xff, 0x0f], 536_870_911),
    ] {
        assert_eq!(number(key, spec), Ok(7), "{key:?}");
    }
    for key in [&[0][..], &[0x80, 0x00], &[0x87, 0x00], &[0xf8, 0xff, 0xff, 0xff, 0x1f], &[0x80, 0x80]] {
        assert!(number(key, 1).is_err(), "{key:?}");
    }
}

/// Takes and returns what may be too deep.
#[loop_service(package = "deep.test")]
trait Digger {
    /// How deep it was.
    async fn depth(&self, first: u32, hole: &Listed) -> Result<u32>;
    /// One of that depth, and a word.
    #[rpc(idempotent)]
    async fn dig(&self, depth: u32) -> Result<(String, Listed)>;
    /// The same, as the reply itself.
    #[rpc(whole, idempotent)]
    async fn dig_whole(&self, depth: u32) -> Result<Listed>;
}

struct Mole;

impl Digger for Mole {
    async fn depth(&self, _: u32, hole: &Listed) -> Result<u32> {
        let inner = std::iter::successors(Some(hole), |outer| outer.children.first());
        Ok(inner.count() as u32 - 1)
    }

    async fn dig(&self, depth: u32) -> Result<(String, Listed)> {
        Ok((String::new(), deep(depth)))
    }

    async fn dig_whole(&self, depth: u32) -> Result<Listed> {
        Ok(deep(depth))
    }
}

#[test]
fn a_call_tells_whose_message_was_too_deep() {
    on_a_small_stack("call", || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let pair = Pair::serve::<dyn Digger>(Arc::new(Mole)).await.unwrap();
            let digger: Arc<dyn Digger> = pair.dispense().await.unwrap();

            // An argument is a level itself.
            assert_eq!(digger.depth(1, &deep(DEPTH - 1)).await.unwrap(), DEPTH - 1);
            let error = digger.depth(1, &deep(DEPTH)).await.unwrap_err();
            assert_eq!((error.code(), error.kind()), (Code::InvalidArgument, &ErrorKind::Unsent));
            assert!(!error.may_have_run());
            assert!(error.message().starts_with("hole.children.children."), "{error}");

            assert_eq!(digger.dig(DEPTH - 1).await.unwrap().1, deep(DEPTH - 1));
            let error = digger.dig(DEPTH).await.unwrap_err();
            assert_eq!((error.code(), error.kind()), (Code::Internal, &ErrorKind::Answer));
            assert!(error.message().starts_with("the reply cannot be sent: value2.children.children."), "{error}");

            assert_eq!(digger.dig_whole(DEPTH).await.unwrap(), deep(DEPTH));
            let error = digger.dig_whole(DEPTH + 1).await.unwrap_err();
            assert_eq!(error.code(), Code::Internal);
            assert!(error.message().starts_with("the reply cannot be sent: children.children."), "{error}");

            assert_eq!(digger.depth(1, &deep(0)).await.unwrap(), 0, "both live");
            pair.close().await;
        });
    });
}

/// A host that is older than its plugin: an unreadable reply is not the caller's fault.
#[test]
fn a_reply_that_cannot_be_read_is_not_the_callers_fault() {
    /// The older one.
    #[loop_service(package = "deep.test", name = "Digger")]
    trait Older {
        /// A number, where there is a word and a message.
        #[rpc(name = "Dig", returns(value1 = 1, value2 = 2))]
        async fn dig(&self, depth: u32) -> Result<([u8; 3], StructValue)>;
        /// Bytes that are no such message.
        #[rpc(name = "DigWhole", whole)]
        async fn dig_whole(&self, depth: u32) -> Result<Number>;
    }

    /// Field 1 is a number here.
    #[derive(Debug, LoopMessage)]
    struct Number {
        #[wire(1)]
        number: u32,
    }

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let pair = Pair::serve::<dyn Digger>(Arc::new(Mole)).await.unwrap();
        let older: Arc<dyn Older> = pair.dispense().await.unwrap();
        let error = older.dig(1).await.unwrap_err();
        let expected = "unreadable reply: plugin: /deep.test.Digger/Dig: value1: expected 3 bytes but got 0";
        assert_eq!((error.code(), error.message().lines().next()), (Code::Internal, Some(expected)));
        let error = older.dig_whole(1).await.unwrap_err();
        let expected = "unreadable reply: plugin: /deep.test.Digger/DigWhole: number: malformed protobuf: the wire type is not \
                        that of the field";
        assert_eq!((error.code(), error.message().lines().next()), (Code::Internal, Some(expected)));
        pair.close().await;
    });
}
