//! Types of the standard library that have no name in protobuf, against prost: the same bytes, the same values, the same
//! refusals.
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests are tests

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::{NonZeroI32, NonZeroI64, NonZeroU32, NonZeroU64};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use loop_runtime::wire::{FieldSpec, UnknownFields, Writer, decode, encode, take};
use loop_runtime::{Code, Error, LoopMessage};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use prost::Message as _;

/// Every type that is written like one of protobuf's.
#[derive(Clone, Debug, PartialEq, LoopMessage)]
#[message(package = "types.test")]
struct Types {
    #[wire(1)]
    boxed: Box<str>,
    #[wire(2)]
    shared: Arc<str>,
    #[wire(3)]
    cow: Cow<'static, str>,
    #[wire(4)]
    path: PathBuf,
    #[wire(5)]
    boxed_bytes: Box<[u8]>,
    #[wire(6)]
    boxed_list: Box<[u32]>,
    #[wire(7)]
    queue: VecDeque<i64>,
    #[wire(8)]
    sorted: BTreeSet<String>,
    #[wire(9)]
    hashed: HashSet<u32>,
    #[wire(10)]
    three: [i32; 3],
    #[wire(11, default)]
    two: [Inner; 2],
    #[wire(12)]
    nonzero: NonZeroU32,
    #[wire(13)]
    many_nonzero: Vec<NonZeroI64>,
    #[wire(14)]
    wide: u128,
    #[wire(15)]
    many_wide: Vec<i128>,
    #[wire(16)]
    address: IpAddr,
    #[wire(17)]
    socket: Option<SocketAddr>,
    #[wire(18)]
    by_shared: BTreeMap<Arc<str>, Box<str>>,
    #[wire(19, sint)]
    signed_queue: VecDeque<i32>,
    #[wire(20, unpacked)]
    loose: BTreeSet<u64>,
    #[wire(21)]
    maybe_path: Option<PathBuf>,
    #[wire(22)]
    maybe_bytes: Option<Box<[u8]>>,
    rest: UnknownFields,
}

#[derive(Clone, Debug, Default, PartialEq, LoopMessage)]
#[message(package = "types.test")]
struct Inner {
    #[wire(1)]
    name: Box<str>,
    rest: UnknownFields,
}

mod peer {
    use std::collections::BTreeMap;

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Types {
        #[prost(string, tag = "1")]
        pub(super) boxed: String,
        #[prost(string, tag = "2")]
        pub(super) shared: String,
        #[prost(string, tag = "3")]
        pub(super) cow: String,
        #[prost(string, tag = "4")]
        pub(super) path: String,
        #[prost(bytes = "vec", tag = "5")]
        pub(super) boxed_bytes: Vec<u8>,
        #[prost(uint32, repeated, tag = "6")]
        pub(super) boxed_list: Vec<u32>,
        #[prost(int64, repeated, tag = "7")]
        pub(super) queue: Vec<i64>,
        #[prost(string, repeated, tag = "8")]
        pub(super) sorted: Vec<String>,
        #[prost(uint32, repeated, tag = "9")]
        pub(super) hashed: Vec<u32>,
        #[prost(int32, repeated, tag = "10")]
        pub(super) three: Vec<i32>,
        #[prost(message, repeated, tag = "11")]
        pub(super) two: Vec<Inner>,
        #[prost(uint32, tag = "12")]
        pub(super) nonzero: u32,
        #[prost(int64, repeated, tag = "13")]
        pub(super) many_nonzero: Vec<i64>,
        #[prost(bytes = "vec", tag = "14")]
        pub(super) wide: Vec<u8>,
        #[prost(bytes = "vec", repeated, tag = "15")]
        pub(super) many_wide: Vec<Vec<u8>>,
        #[prost(string, tag = "16")]
        pub(super) address: String,
        #[prost(string, optional, tag = "17")]
        pub(super) socket: Option<String>,
        #[prost(btree_map = "string, string", tag = "18")]
        pub(super) by_shared: BTreeMap<String, String>,
        #[prost(sint32, repeated, tag = "19")]
        pub(super) signed_queue: Vec<i32>,
        #[prost(uint64, repeated, packed = "false", tag = "20")]
        pub(super) loose: Vec<u64>,
        #[prost(string, optional, tag = "21")]
        pub(super) maybe_path: Option<String>,
        #[prost(bytes = "vec", optional, tag = "22")]
        pub(super) maybe_bytes: Option<Vec<u8>>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Inner {
        #[prost(string, tag = "1")]
        pub(super) name: String,
    }
}

/// What prost's value is in ours; `None` if ours must refuse it.
fn ours(peer: peer::Types) -> Option<Types> {
    let wide = |bytes: Vec<u8>| if bytes.is_empty() { Some([0; 16]) } else { bytes.try_into().ok() };
    let inner = |inner: peer::Inner| Inner { name: inner.name.into(), rest: UnknownFields::default() };
    let two: Vec<Inner> = peer.two.into_iter().map(inner).collect();
    Some(Types {
        boxed: peer.boxed.into(),
        shared: peer.shared.into(),
        cow: peer.cow.into(),
        path: peer.path.into(),
        boxed_bytes: peer.boxed_bytes.into(),
        boxed_list: peer.boxed_list.into(),
        queue: peer.queue.into(),
        sorted: peer.sorted.into_iter().collect(),
        hashed: peer.hashed.into_iter().collect(),
        three: peer.three.try_into().ok()?,
        two: if two.is_empty() { Default::default() } else { two.try_into().ok()? },
        nonzero: peer.nonzero.try_into().ok()?,
        many_nonzero: peer.many_nonzero.into_iter().map(|n| n.try_into().ok()).collect::<Option<_>>()?,
        wide: wide(peer.wide).map(u128::from_be_bytes)?,
        many_wide: peer
            .many_wide
            .into_iter()
            .map(|bytes| wide(bytes).map(i128::from_be_bytes))
            .collect::<Option<_>>()?,
        address: peer.address.parse().ok()?,
        socket: match peer.socket {
            Some(socket) => Some(socket.parse().ok()?),
            None => None,
        },
        by_shared: peer.by_shared.into_iter().map(|(key, value)| (key.into(), value.into())).collect(),
        signed_queue: peer.signed_queue.into(),
        loose: peer.loose.into_iter().collect(),
        maybe_path: peer.maybe_path.map(PathBuf::from),
        maybe_bytes: peer.maybe_bytes.map(Vec::into_boxed_slice),
        rest: UnknownFields::default(),
    })
}

/// Random values of the peer's type, all of which ours can hold and writes in the same order.
fn types() -> impl Strategy<Value = peer::Types> {
    let text = || "[a-zé]{0,4}";
    let strings = (text(), text(), text(), text(), vec(any::<u8>(), 0..20));
    let lists = (vec(any::<u32>(), 0..4), vec(any::<i64>(), 0..4), vec(text(), 0..5), vec(any::<u32>(), 0..9));
    let arrays = (any::<[i32; 3]>(), any::<[u8; 2]>());
    let numbers = (1..=u32::MAX, vec(1..i64::MAX, 0..4), any::<u128>(), vec(any::<i128>(), 0..3));
    let addresses = (
        prop_oneof![any::<Ipv4Addr>().prop_map(IpAddr::from), any::<Ipv6Addr>().prop_map(IpAddr::from)],
        option::of(any::<(Ipv4Addr, u16)>().prop_map(SocketAddr::from)),
    );
    let rest = (
        btree_map(text(), text(), 0..4),
        vec(any::<i32>(), 0..4),
        vec(any::<u64>(), 0..4),
        option::of(text()),
        option::of(vec(any::<u8>(), 0..4)),
    );
    (strings, lists, arrays, numbers, addresses, rest).prop_map(|(strings, lists, arrays, numbers, addresses, rest)| {
        let (boxed, shared, cow, path, boxed_bytes) = strings;
        let (boxed_list, queue, sorted, hashed) = lists;
        let (nonzero, many_nonzero, wide, many_wide) = numbers;
        let (by_shared, signed_queue, loose, maybe_path, maybe_bytes) = rest;
        peer::Types {
            boxed,
            shared,
            cow,
            path,
            boxed_bytes,
            boxed_list,
            queue,
            sorted: BTreeSet::from_iter(sorted).into_iter().collect(),
            hashed: BTreeSet::from_iter(hashed).into_iter().collect(),
            three: arrays.0.into(),
            two: arrays.1.iter().map(|name| peer::Inner { name: name.to_string() }).collect(),
            nonzero,
            many_nonzero,
            wide: if wide == 0 { Vec::new() } else { wide.to_be_bytes().into() },
            many_wide: many_wide.into_iter().map(|number| number.to_be_bytes().into()).collect(),
            address: addresses.0.to_string(),
            socket: addresses.1.map(|socket| socket.to_string()),
            by_shared,
            signed_queue,
            loose: BTreeSet::from_iter(loose).into_iter().collect(),
            maybe_path,
            maybe_bytes,
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn both_read_what_the_other_writes(theirs in types()) {
        let read: Types = decode(&theirs.encode_to_vec().into()).unwrap();
        prop_assert_eq!(Some(read.clone()), ours(theirs.clone()));
        let body = encode(&read).unwrap();
        prop_assert_eq!(peer::Types::decode(body.clone()).unwrap(), theirs.clone());
        // Prost leaves out the defaults within the entries of maps.
        if theirs.by_shared.iter().all(|(key, value)| !key.is_empty() && !value.is_empty()) {
            prop_assert_eq!(body, theirs.encode_to_vec());
        }
    }

    #[test]
    fn changed_bytes_are_judged_alike(
        theirs in types(),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut body = theirs.encode_to_vec();
        for (index, byte) in changes {
            let index = index.index(body.len());
            body[index] = byte;
        }
        let body = Bytes::from(body);
        match (peer::Types::decode(body.clone()), decode::<Types>(&body)) {
            (Err(_), Err(error)) => prop_assert!(error.is_malformed() || !error.path().is_empty(), "{error}"),
            (Ok(theirs), Ok(mut read)) => {
                read.rest = UnknownFields::default();
                read.two.iter_mut().for_each(|inner| inner.rest = UnknownFields::default());
                prop_assert_eq!(ours(theirs), Some(read));
            }
            (Ok(theirs), Err(error)) => {
                prop_assert!(!error.is_malformed(), "ours: {}", error);
                prop_assert!(ours(theirs).is_none(), "ours: {}", error);
            }
            (Err(error), Ok(_)) => prop_assert!(false, "theirs: {error}"),
        }
    }

    /// Whatever comes with a message that it does not know is there again when it is written: the same fields in the same order.
    #[test]
    fn unknown_fields_are_passed_on(theirs in types(), more in types()) {
        #[derive(LoopMessage)]
        struct Relayed {
            #[wire(1)]
            boxed: String,
            rest: UnknownFields,
            #[wire(12)]
            nonzero: u32,
        }
        // A second copy of the same message counts as one with the first.
        let body = [theirs.encode_to_vec(), more.encode_to_vec()].concat();
        let relayed: Relayed = decode(&body.clone().into()).unwrap();
        let again = encode(&relayed).unwrap();
        prop_assert_eq!(peer::Types::decode(again.clone()).unwrap(), peer::Types::decode(body.as_slice()).unwrap());
        let rest = encode(&Relayed { boxed: String::new(), nonzero: 0, ..relayed }).unwrap();
        prop_assert!(again.ends_with(&rest), "written after the known ones");
    }
}

fn refused<M: loop_runtime::wire::Message>(body: &[u8]) -> String {
    match decode::<M>(&body.to_vec().into()) {
        Ok(_) => panic!("accepted"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn what_does_not_fit_is_refused_by_name() {
    let sound = peer::Types { three: vec![1, 2, 3], nonzero: 1, address: "::1".into(), ..peer::Types::default() };
    assert!(decode::<Types>(&sound.encode_to_vec().into()).is_ok());
    let long = "x".repeat(1_000);
    for (theirs, text) in [
        (peer::Types { three: vec![1, 2], ..sound.clone() }, "three: expected 3 elements but got 2".to_owned()),
        (peer::Types { three: vec![], ..sound.clone() }, "three: expected 3 elements but got 0".to_owned()),
        (
            peer::Types { two: vec![peer::Inner::default(); 3], ..sound.clone() },
            "two: expected 2 elements but got 3".to_owned(),
        ),
        (peer::Types { nonzero: 0, ..sound.clone() }, "nonzero: 0 does not fit `NonZeroU32`".to_owned()),
        (
            peer::Types { many_nonzero: vec![1, 0], ..sound.clone() },
            "many_nonzero[1]: 0 does not fit `NonZeroI64`".to_owned(),
        ),
        (peer::Types { wide: vec![1; 15], ..sound.clone() }, "wide: expected 16 bytes but got 15".to_owned()),
        (
            peer::Types { many_wide: vec![vec![1; 17]], ..sound.clone() },
            "many_wide[0]: expected 16 bytes but got 17".to_owned(),
        ),
        (peer::Types { address: "".into(), ..sound.clone() }, "address: required, and missing".to_owned()),
        (peer::Types { address: "here".into(), ..sound.clone() }, "address: `here` is no `IpAddr`".to_owned()),
        (peer::Types { socket: Some("::1".into()), ..sound.clone() }, "socket: `::1` is no `SocketAddr`".to_owned()),
        (peer::Types { address: long.clone(), ..sound.clone() }, format!("address: `{}` is no `IpAddr`", &long[..64])),
    ] {
        assert_eq!(refused::<Types>(&theirs.encode_to_vec()), text);
    }
}

#[test]
fn the_numbers_that_are_not_zero() {
    fn read<T: loop_runtime::wire::Value>(value: i64) -> Result<T, String> {
        let mut out = Writer::default();
        value.put_always(1, &mut out);
        take::<T>(&out.finish().unwrap(), &FieldSpec::new(1, "n")).map_err(|error| error.to_string())
    }
    assert_eq!(read(7), Ok(NonZeroU32::new(7).unwrap()));
    assert_eq!(read(7), Ok(NonZeroU64::new(7).unwrap()));
    assert_eq!(read(-7), Ok(NonZeroI32::new(-7).unwrap()));
    assert_eq!(read(-7), Ok(NonZeroI64::new(-7).unwrap()));
    assert_eq!(read::<NonZeroI32>(0), Err("n: 0 does not fit `NonZeroI32`".into()));
}

#[cfg(unix)]
#[test]
fn a_path_that_is_no_string_is_refused_where_it_is_written() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    #[derive(LoopMessage)]
    struct Config {
        #[wire(1)]
        stores: Vec<Store>,
        #[wire(2)]
        name: String,
    }
    #[derive(LoopMessage)]
    struct Store {
        #[wire(3)]
        dir: PathBuf,
    }
    let store = |dir: &[u8]| Store { dir: Path::new(OsStr::from_bytes(dir)).to_owned() };
    let config = |dir| Config { stores: vec![store(b"/var"), store(dir), store(b"\xfe")], name: "n".into() };
    assert!(encode(&Config { stores: vec![store(b"/var")], name: "n".into() }).is_ok());
    let why = encode(&config(b"/\xff")).unwrap_err();
    assert_eq!(why.to_string(), "stores.dir: a path that is not UTF-8, which a string must be");
    assert!(!why.is_malformed());
    let error = Error::from(why);
    assert_eq!((error.code(), error.may_have_run()), (Code::InvalidArgument, false));
}
