//! What is refused, with which texts, and how protobuf's rules treat odd bytes.
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests are tests

mod wire;

use std::time::{Duration, SystemTime};

use bytes::{BufMut, Bytes, BytesMut};
use loop_runtime::wire::{
    self as rt, FieldSpec, Nanos, SignedDuration, Struct, StructValue, Writer, decode, encode, take,
};
use loop_runtime::{Code, Error, LoopMessage};

use wire::{Color, Digest, Expression, Inner, OracleId, Tree};

/// A configuration as in LOOP: every check with Go's text.
#[derive(Debug, PartialEq, LoopMessage)]
#[message(package = "loop")]
struct ContractConfig {
    #[wire(1, name = "configDigest")]
    config_digest: ConfigDigest,
    #[wire(3)]
    signers: Vec<Vec<u8>>,
    #[wire(5, name = "F", text = "expected uint8 F (max 255) but got {n}")]
    f: u8,
    #[wire(6)]
    decimals: u8,
    #[wire(7)]
    parent: Option<Box<ContractConfig>>,
    #[wire(8, text = "expected uint8 Observer (max 255) but got {n}")]
    observers: Vec<OracleId>,
}

#[derive(Debug, PartialEq, LoopMessage)]
#[message(text = "invalid ConfigDigest len {n}: must be 32")]
struct ConfigDigest([u8; 32]);

fn config() -> ContractConfig {
    ContractConfig {
        config_digest: ConfigDigest([7; 32]),
        signers: vec![vec![1], vec![]],
        f: 1,
        decimals: 2,
        parent: None,
        observers: vec![OracleId(0), OracleId(255)],
    }
}

/// The body that `write` writes.
fn written(write: impl FnOnce(&mut Writer)) -> Bytes {
    let mut out = Writer::default();
    write(&mut out);
    out.finish().unwrap()
}

/// The fields of a body, written without types.
#[derive(Default)]
struct Raw(BytesMut);

impl Raw {
    fn number(mut self, n: u32, value: u64) -> Self {
        self.0.extend_from_slice(&written(|out| value.put_always(n, out)));
        self
    }

    fn bytes(mut self, n: u32, value: &[u8]) -> Self {
        self.0.extend_from_slice(&written(|out| value.put_always(n, out)));
        self
    }

    fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.put_slice(bytes);
        self
    }

    fn done(self) -> Bytes {
        self.0.freeze()
    }
}

fn refusal<M: rt::Message>(body: &Bytes) -> (Code, String) {
    match decode::<M>(body) {
        Ok(_) => panic!("accepted"),
        Err(error) => {
            let error = Error::from(error);
            (error.code(), error.message().to_owned())
        }
    }
}

#[test]
fn a_field_with_a_text_answers_with_exactly_that_text() {
    let sound = encode(&config()).unwrap();
    assert_eq!(decode::<ContractConfig>(&sound).unwrap(), config());

    let with = |raw: Raw| Raw(BytesMut::from(&sound[..])).raw(&raw.done()).done();
    for (body, text) in [
        (with(Raw::default().number(5, 300)), "expected uint8 F (max 255) but got 300"),
        (with(Raw::default().bytes(1, &[0; 31])), "invalid ConfigDigest len 31: must be 32"),
        (with(Raw::default().bytes(1, &[0; 33])), "invalid ConfigDigest len 33: must be 32"),
        (with(Raw::default().number(8, 266)), "expected uint8 Observer (max 255) but got 266"),
        (Raw::default().done(), "invalid ConfigDigest len 0: must be 32"),
        // The text applies wherever the field is.
        (
            with(Raw::default().bytes(7, &Raw::default().bytes(1, b"12").done())),
            "invalid ConfigDigest len 2: must be 32",
        ),
    ] {
        assert_eq!(refusal::<ContractConfig>(&body), (Code::Unknown, text.to_owned()));
    }
}

#[test]
fn a_field_without_one_is_answered_with_its_path() {
    let body = Raw(BytesMut::from(&encode(&config()).unwrap()[..])).number(6, 300).done();
    let nested = Raw(BytesMut::from(&encode(&config()).unwrap()[..])).bytes(7, &body).done();
    assert_eq!(refusal::<ContractConfig>(&body), (Code::InvalidArgument, "decimals: 300 does not fit `u8`".to_owned()));
    assert_eq!(
        refusal::<ContractConfig>(&nested),
        (Code::InvalidArgument, "parent.decimals: 300 does not fit `u8`".to_owned())
    );
    let spec = FieldSpec::new(7, "config");
    let error = take::<ContractConfig>(&nested, &spec).unwrap_err();
    assert_eq!((error.path(), error.came()), ("config.decimals", "300"));
}

#[test]
fn only_what_counts_in_the_end_is_refused() {
    // 300 is overwritten, and so is the short digest.
    let body = Raw::default().number(5, 300).bytes(1, b"short").raw(&encode(&config()).unwrap()).done();
    assert_eq!(decode::<ContractConfig>(&body).unwrap(), config());
}

#[test]
fn a_missing_message_is_refused_by_name() {
    let error = decode::<wire::Everything>(&Bytes::new()).unwrap_err();
    assert_eq!(error.to_string(), "inner: required, and missing");
    assert_eq!(Error::from(error).code(), Code::InvalidArgument);
    assert_eq!(take::<Option<Inner>>(&Bytes::new(), &FieldSpec::new(1, "x")).unwrap(), None);
}

#[test]
fn ranges_of_the_narrow_types() {
    fn read<T: rt::Value>(value: u64) -> Result<T, String> {
        let spec = FieldSpec::new(1, "n");
        take::<T>(&Raw::default().number(1, value).done(), &spec).map_err(|error| error.to_string())
    }
    assert_eq!(read::<u8>(255), Ok(255));
    assert_eq!(read::<u8>(256), Err("n: 256 does not fit `u8`".into()));
    assert_eq!(read::<u16>(65_535), Ok(65_535));
    assert_eq!(read::<u16>(65_536), Err("n: 65536 does not fit `u16`".into()));
    assert_eq!(read::<i8>(-128_i64 as u64), Ok(-128));
    assert_eq!(read::<i8>(-129_i64 as u64), Err("n: -129 does not fit `i8`".into()));
    assert_eq!(read::<i16>(32_768), Err("n: 32768 does not fit `i16`".into()));
    assert_eq!(read::<char>(0x1F980), Ok('🦀'));
    assert_eq!(read::<char>(0xD800), Err("n: 55296 does not fit `char`".into()));
    // As every implementation of protobuf: a varint that is too wide is truncated to the type.
    assert_eq!(read::<u32>(u64::from(u32::MAX) + 6), Ok(5));
}

#[test]
fn enums_keep_or_refuse_what_they_do_not_know() {
    #[derive(Debug, PartialEq, LoopMessage)]
    enum Closed {
        #[wire(0)]
        Zero,
        #[wire(5)]
        Five,
    }
    let spec = FieldSpec::new(1, "state");
    let body = |n| Raw::default().number(1, n).done();
    assert_eq!(take::<Closed>(&body(5), &spec).unwrap(), Closed::Five);
    assert_eq!(take::<Closed>(&Bytes::new(), &spec).unwrap(), Closed::Zero);
    assert_eq!(take::<Closed>(&body(6), &spec).unwrap_err().to_string(), "state: 6 is no `Closed`");
    let listed = take::<Vec<Closed>>(&Raw::default().bytes(1, &[5, 0, 7]).done(), &spec).unwrap_err();
    assert_eq!(listed.to_string(), "state[2]: 7 is no `Closed`");
    assert_eq!(take::<Color>(&body(6), &spec).unwrap(), Color::Other(6));
    assert_eq!(written(|out| Color::Other(6).put(1, out)), body(6));
}

#[test]
fn enums_with_negative_numbers_and_several_names() {
    #[derive(Debug, PartialEq, LoopMessage)]
    #[message(package = "acme.v1")]
    enum Level {
        #[wire(-2147483648)]
        Least,
        #[wire(-1, alias("LEVEL_BELOW", "LEVEL_UNDER"))]
        Low,
        #[wire(0)]
        Normal,
        #[wire(2147483647)]
        Most,
    }
    let spec = FieldSpec::new(1, "level");
    for (level, number) in [(Level::Least, i32::MIN), (Level::Low, -1), (Level::Normal, 0), (Level::Most, i32::MAX)] {
        // Ten bytes for what is negative, as everywhere in protobuf.
        let body = Raw::default().number(1, i64::from(number) as u64).done();
        assert_eq!(written(|out| level.put_always(1, out)), body);
        assert_eq!(take::<Level>(&body, &spec).unwrap(), level);
    }
    let refused = take::<Level>(&Raw::default().number(1, -2_i64 as u64).done(), &spec).unwrap_err();
    assert_eq!(refused.to_string(), "level: -2 is no `Level`");
    let mut schema = rt::Schema::new();
    Level::field_type(&mut schema);
    let text = "enum Level {\n  option allow_alias = true;\n  LEVEL_NORMAL = 0;\n  LEVEL_LEAST = -2147483648;\n  \
                LEVEL_LOW = -1;\n  LEVEL_BELOW = -1;\n  LEVEL_UNDER = -1;\n  LEVEL_MOST = 2147483647;\n}\n";
    assert!(schema.proto("acme.v1").ends_with(text), "{schema}");
}

#[test]
fn wrong_wire_types_are_malformed() {
    let spec = FieldSpec::new(1, "it");
    let as_number = Raw::default().number(1, 3).done();
    let as_bytes = Raw::default().bytes(1, b"abc").done();
    let as_fixed = Raw::default().raw(&[1 << 3 | 5, 1, 2, 3, 4]).done();
    let as_group = Raw::default().raw(&[1 << 3 | 3, 1 << 3 | 4]).done();
    macro_rules! malformed {
        ($($ty:ty: $($body:ident)*;)*) => {$($(
            let error = take::<$ty>(&$body, &spec).unwrap_err();
            assert!(error.is_malformed(), "{} as {}", stringify!($ty), stringify!($body));
            assert!(error.path().starts_with("it"));
            assert!(error.to_string().ends_with(": malformed protobuf: the wire type is not that of the field"));
            assert_eq!(Error::from(error).code(), Code::Internal);
        )*)*};
    }
    malformed! {
        u32: as_bytes as_fixed as_group;
        bool: as_bytes;
        f64: as_number as_bytes as_fixed;
        String: as_number as_fixed as_group;
        Vec<u8>: as_number;
        Bytes: as_number;
        [u8; 3]: as_number;
        Inner: as_number as_fixed as_group;
        Duration: as_number;
        Color: as_bytes;
        Vec<String>: as_number;
        Vec<u32>: as_fixed;
        Option<u32>: as_bytes;
    }
}

#[test]
fn lists_of_numbers_come_packed_and_not_and_mixed() {
    let spec = FieldSpec::new(1, "it");
    let body = Raw::default().number(1, 1).bytes(1, &[2, 3]).number(1, 4).bytes(1, &[]).done();
    assert_eq!(take::<Vec<u32>>(&body, &spec).unwrap(), [1, 2, 3, 4]);
    assert_eq!(take::<Vec<OracleId>>(&body, &spec).unwrap(), [1, 2, 3, 4].map(OracleId));
    assert_eq!(take::<Vec<Color>>(&body, &spec).unwrap(), [1, 2, 3, 4].map(Color::from));
    let nanos = take::<Vec<Nanos>>(&body, &spec).unwrap();
    assert_eq!(nanos, [1, 2, 3, 4].map(|n| Nanos(Duration::from_nanos(n))));
    assert!(take::<Vec<u32>>(&Raw::default().bytes(1, &[0x80]).done(), &spec).unwrap_err().is_malformed());
    // A list of bytes is one value: the last one.
    let twice = Raw::default().bytes(1, b"first").bytes(1, b"2nd").done();
    assert_eq!(take::<Vec<u8>>(&twice, &spec).unwrap(), b"2nd");
    assert_eq!(take::<Vec<Vec<u8>>>(&twice, &spec).unwrap(), [b"first".to_vec(), b"2nd".to_vec()]);
}

#[test]
fn copies_of_a_message_merge_also_where_one_alone_is_refused() {
    let spec = FieldSpec::new(1, "config");
    // Neither copy has everything that is required.
    let digest = Raw::default().bytes(1, &[7; 32]).number(5, 9).done();
    let rest = Raw::default().bytes(3, b"signer").number(5, 1).done();
    let merged: ContractConfig = take(&Raw::default().bytes(1, &digest).bytes(1, &rest).done(), &spec).unwrap();
    assert_eq!((merged.config_digest, merged.f), (ConfigDigest([7; 32]), 1));
    assert_eq!(merged.signers, [b"signer"]);
    // A copy that ends in the middle of a field does not continue in the next.
    let torn = Raw::default().bytes(1, &[5 << 3]).bytes(1, &[1]).done();
    assert!(take::<ContractConfig>(&torn, &spec).unwrap_err().is_malformed());
}

#[test]
fn nesting_ends_at_a_hundred_levels() {
    fn nested(levels: usize) -> Bytes {
        let mut body = Bytes::new();
        for _ in 0..levels {
            body = Raw::default().bytes(2, &body).done();
        }
        body
    }
    assert!(decode::<Tree>(&nested(100)).is_ok());
    let error = decode::<Tree>(&nested(101)).unwrap_err();
    assert!(error.to_string().ends_with("nested deeper than 100 levels"), "{error}");
    assert!(error.is_malformed());
    assert!(decode::<Tree>(&nested(5_000)).is_err());
    // Groups that are skipped count as well.
    let groups = |levels: usize| [vec![9 << 3 | 3; levels], vec![9 << 3 | 4; levels]].concat();
    assert!(decode::<Tree>(&groups(100).into()).is_ok());
    assert!(decode::<Tree>(&groups(101).into()).is_err());
    assert!(decode::<Tree>(&groups(1_000_000).into()).is_err());
    assert!(decode::<Tree>(&vec![9 << 3 | 3, 8 << 3 | 4].into()).is_err(), "the end of another group");
}

#[test]
fn lengths_are_not_believed() {
    let spec = FieldSpec::new(1, "it");
    for length in [5_u64, 1 << 20, 1 << 31, 1 << 40, u64::MAX] {
        let mut body = BytesMut::from(&[1 << 3 | 2][..]);
        prost::encoding::encode_varint(length, &mut body);
        body.put_slice(b"abcd");
        let body = body.freeze();
        assert!(take::<Vec<u8>>(&body, &spec).unwrap_err().is_malformed());
        assert!(take::<Vec<u64>>(&body, &spec).unwrap_err().is_malformed());
        assert!(take::<Inner>(&body, &spec).unwrap_err().is_malformed());
        assert!(rt::check(&body).unwrap_err().is_malformed());
    }
    // A list grows by the elements present, not by a declared length.
    let body = Raw::default().bytes(1, &[0x80; 1_000]).done();
    assert!(take::<Vec<u64>>(&body, &spec).is_err());
    let body = Raw::default().bytes(1, &[1; 1_000]).done();
    assert_eq!(take::<Vec<u64>>(&body, &spec).unwrap().capacity(), 1_000);
}

#[test]
fn bytes_share_the_received_body() {
    let body = Raw::default().bytes(1, b"a large payload").done();
    let shared: Bytes = take(&body, &FieldSpec::new(1, "payload")).unwrap();
    let range = body.as_ptr_range();
    assert!(range.contains(&shared.as_ptr()));
    let nested = Raw::default().bytes(4, &encode(&Everything { payload: shared }).unwrap()).done();
    let inner: Everything = take(&nested, &FieldSpec::new(4, "m")).unwrap();
    assert!(nested.as_ptr_range().contains(&inner.payload.as_ptr()));

    #[derive(LoopMessage)]
    struct Everything {
        #[wire(1)]
        payload: Bytes,
    }
}

#[test]
fn entries_of_maps_may_leave_halves_out() {
    use std::collections::BTreeMap;
    let spec = FieldSpec::new(1, "map");
    let body = |entry: Raw| Raw::default().bytes(1, &entry.done()).done();
    let empty = body(Raw::default());
    assert_eq!(take::<BTreeMap<u32, u64>>(&empty, &spec).unwrap(), BTreeMap::from([(0, 0)]));
    assert_eq!(
        take::<BTreeMap<String, Inner>>(&empty, &spec).unwrap(),
        BTreeMap::from([(String::new(), Inner::default())])
    );
    let refused = take::<BTreeMap<String, Digest>>(&body(Raw::default().bytes(1, b"k")), &spec).unwrap_err();
    assert_eq!(refused.text(), Some("invalid digest len 0: must be 5"));
    assert_eq!(refused.path(), "map[k]");
    let refused = take::<BTreeMap<String, u8>>(&body(Raw::default().bytes(1, b"k").number(2, 256)), &spec).unwrap_err();
    assert_eq!(refused.to_string(), "map[k]: 256 does not fit `u8`");
}

#[test]
fn oneofs_without_a_case() {
    #[derive(Debug, PartialEq, LoopMessage)]
    enum Strict {
        #[wire(1)]
        Name(String),
        #[wire(2, text = "expected uint8 n but got {n}")]
        Number(u8),
    }
    #[derive(Debug, PartialEq, LoopMessage)]
    struct Holder {
        #[wire(oneof)]
        strict: Strict,
        #[wire(oneof, name = "other")]
        expression: Option<Other>,
        #[wire(7)]
        note: String,
    }
    #[derive(Debug, PartialEq, LoopMessage)]
    enum Other {
        #[wire(3)]
        Flag(bool),
        #[wire(4)]
        Empty,
    }
    assert_eq!(decode::<Strict>(&Bytes::new()).unwrap_err().to_string(), "required, and missing");
    assert_eq!(decode::<Holder>(&Bytes::new()).unwrap_err().to_string(), "strict: required, and missing");
    assert_eq!(decode::<Expression>(&Bytes::new()).unwrap(), Expression::Unset);
    let refused = decode::<Holder>(&Raw::default().number(2, 256).done()).unwrap_err();
    assert_eq!(
        (refused.path(), refused.text()),
        ("strict.Number".to_lowercase().as_str(), Some("expected uint8 n but got 256"))
    );
    let holder = Holder { strict: Strict::Number(0), expression: Some(Other::Flag(false)), note: "n".into() };
    assert_eq!(decode::<Holder>(&encode(&holder).unwrap()).unwrap(), holder);
    // The last case counts.
    let body = Raw::default().number(3, 1).bytes(4, &[]).bytes(1, b"name").done();
    let holder = Holder { strict: Strict::Name("name".into()), expression: Some(Other::Empty), note: String::new() };
    assert_eq!(decode::<Holder>(&body).unwrap(), holder);
    // What is overwritten must be protobuf, and need not fit.
    assert!(decode::<Holder>(&Raw::default().number(2, 256).bytes(1, b"name").done()).is_ok());
    assert!(decode::<Holder>(&Raw::default().bytes(2, b"").bytes(1, b"name").done()).is_err());
    assert!(decode::<Holder>(&Raw::default().bytes(2, b"").number(2, 1).done()).is_err());
}

#[test]
fn times_before_1970_and_gos_zero_time() {
    let spec = FieldSpec::new(1, "at");
    let year_one = SystemTime::UNIX_EPOCH - Duration::from_secs(62_135_596_800);
    let out = written(|out| year_one.put(1, out));
    let body = Raw::default().number(1, -62_135_596_800_i64 as u64).done();
    assert_eq!(out, Raw::default().bytes(1, &body).done());
    assert_eq!(take::<SystemTime>(&out, &spec).unwrap(), year_one);

    // Half a second before 1970 is second -1 and half a second forward.
    let out = written(|out| (SystemTime::UNIX_EPOCH - Duration::from_millis(500)).put(1, out));
    let body = Raw::default().number(1, -1_i64 as u64).number(2, 500_000_000).done();
    assert_eq!(out, Raw::default().bytes(1, &body).done());

    let far =
        Raw::default().bytes(1, &Raw::default().number(1, i64::MIN as u64).number(2, -1_i64 as u64).done()).done();
    let _ = take::<SystemTime>(&far, &spec);
    assert_eq!(take::<SystemTime>(&Bytes::new(), &spec).unwrap_err().to_string(), "at: required, and missing");
    assert_eq!(take::<Option<SystemTime>>(&Bytes::new(), &spec).unwrap(), None);
}

#[test]
fn durations_are_not_negative() {
    let spec = FieldSpec::new(1, "lookback");
    let message = |seconds: i64, nanos: i64| {
        Raw::default().bytes(1, &Raw::default().number(1, seconds as u64).number(2, nanos as u64).done()).done()
    };
    assert_eq!(take::<Duration>(&message(1, 500_000_000), &spec).unwrap(), Duration::from_millis(1_500));
    // As Go adds them up.
    assert_eq!(take::<Duration>(&message(2, -500_000_000), &spec).unwrap(), Duration::from_millis(1_500));
    let error = take::<Duration>(&message(-1, 0), &spec).unwrap_err();
    assert_eq!(error.to_string(), "lookback: -1000000000 nanoseconds are negative, and do not fit `Duration`");

    let error = take::<Nanos>(&Raw::default().number(1, -5_i64 as u64).done(), &spec).unwrap_err();
    assert_eq!(error.to_string(), "lookback: -5 nanoseconds are negative, and do not fit `Duration`");
    assert_eq!(take::<Nanos>(&Bytes::new(), &spec).unwrap(), Nanos(Duration::ZERO));
    assert_eq!(take::<Nanos<Option<Duration>>>(&Bytes::new(), &spec).unwrap(), Nanos(None));
    // The maximum of the wire type.
    assert_eq!(written(|out| Nanos(Duration::MAX).put(1, out)), Raw::default().number(1, i64::MAX as u64).done());
    assert!(take::<Duration>(&written(|out| Duration::MAX.put(1, out)), &spec).is_ok());
}

#[test]
fn durations_with_a_sign() {
    let spec = FieldSpec::new(1, "offset");
    let message = |seconds: i64, nanos: i32| {
        Raw::default().bytes(1, &Raw::default().number(1, seconds as u64).number(2, nanos as u64).done()).done()
    };
    let span = SignedDuration::from_nanos(-1_500_000_000);
    // Both parts are negative, as protobuf wants it.
    assert_eq!(written(|out| span.put(1, out)), message(-1, -500_000_000));
    assert_eq!(take::<SignedDuration>(&message(-1, -500_000_000), &spec).unwrap(), span);
    assert_eq!(take::<SignedDuration>(&message(-2, 500_000_000), &spec).unwrap(), span);
    assert!(span.is_negative() && span < SignedDuration::ZERO);
    assert_eq!(span.unsigned_abs(), Duration::from_millis(1_500));
    assert_eq!(-span, Duration::from_millis(1_500).into());
    for edge in [i128::MIN, i128::MAX].map(SignedDuration::from_nanos) {
        let read = take::<SignedDuration>(&written(|out| edge.put(1, out)), &spec).unwrap();
        assert_eq!((read, read.unsigned_abs().subsec_nanos()), (edge, 999_999_999));
    }
    assert_eq!(SignedDuration::from(Duration::MAX), SignedDuration::from_nanos(i128::MAX));
    let _ = take::<SignedDuration>(&message(i64::MAX, i32::MAX), &spec).unwrap().unsigned_abs();
    let _ = take::<SignedDuration>(&message(i64::MIN, i32::MIN), &spec).unwrap().unsigned_abs();
    assert_eq!(take::<SignedDuration>(&Bytes::new(), &spec).unwrap_err().to_string(), "offset: required, and missing");
}

#[test]
fn maps_are_written_in_the_order_of_their_keys() {
    use std::collections::{BTreeMap, HashMap};
    fn bytes<K: rt::MapKey + Copy>(keys: impl Iterator<Item = K> + Clone) -> [Bytes; 2] {
        let sorted: BTreeMap<K, u64> = keys.clone().map(|key| (key, 7)).collect();
        let hashed: HashMap<K, u64> = keys.map(|key| (key, 7)).collect();
        [written(|out| sorted.put(1, out)), written(|out| hashed.put(1, out))]
    }
    let [sorted, hashed] = bytes((0..100_u32).rev());
    assert_eq!(sorted, hashed);
    let [sorted, hashed] = bytes(-50..50_i64);
    assert_eq!(sorted, hashed);
    // The negative ones come first, as numbers do.
    assert!(hashed.starts_with(&[1 << 3 | 2, 13, 1 << 3, 0xce]));
    let names: HashMap<String, bool> = ["b", "", "ab", "a"].map(|name| (name.to_owned(), true)).into();
    let entry = |raw: Raw, name: &[u8]| raw.bytes(1, &Raw::default().bytes(1, name).number(2, 1).done());
    let expected = [&b""[..], b"a", b"ab", b"b"].into_iter().fold(Raw::default(), entry).done();
    assert_eq!(written(|out| names.put(1, out)), expected);
}

#[test]
fn presence_survives_at_the_default() {
    let spec = FieldSpec::new(7, "deviationFuncDefinition");
    let out = written(|out| Some(Vec::<u8>::new()).put(7, out));
    assert_eq!(out, Raw::default().bytes(7, b"").done());
    assert_eq!(take::<Option<Vec<u8>>>(&out, &spec).unwrap(), Some(Vec::new()));
    let out = written(|out| {
        Some(0_u32).put(1, out);
        None::<u32>.put(1, out);
        0_u32.put(1, out);
        "".put(1, out);
        Vec::<u8>::new().put(1, out);
    });
    assert_eq!(out, Raw::default().number(1, 0).done());
}

#[test]
fn the_sign_of_a_zero_survives() {
    let out = written(|out| {
        0.0_f64.put(1, out);
        0.0_f32.put(1, out);
    });
    assert!(out.is_empty());
    let read: f64 = take(&written(|out| (-0.0_f64).put(1, out)), &FieldSpec::new(1, "x")).unwrap();
    assert_eq!(read.to_bits(), (-0.0_f64).to_bits());
}

#[test]
fn a_struct_is_json_like() {
    let fields = [
        ("null", StructValue::Null),
        ("number", StructValue::Number(1.5)),
        ("text", StructValue::String("x".into())),
        ("list", StructValue::List(vec![StructValue::Bool(true), StructValue::Null])),
        ("nested", StructValue::Struct(Struct::default())),
    ];
    let value = Struct { fields: fields.map(|(name, value)| (name.to_owned(), value)).into() };
    assert_eq!(decode::<Struct>(&encode(&value).unwrap()).unwrap(), value);
    assert_eq!(decode::<StructValue>(&Bytes::new()).unwrap(), StructValue::Null);
}

#[test]
fn recorded_bytes_of_a_go_node() {
    // ContractConfig as LatestConfig of Go's LOOP answered it, cut to the fields declared here.
    #[derive(Debug, PartialEq, LoopMessage)]
    struct Timestamp {
        #[wire(1)]
        config_digest: ConfigDigest,
        #[wire(2)]
        epoch: u32,
        #[wire(3)]
        round: u8,
    }
    let hex = "0a20000700000000000000000000000b00000000000000000000000000000000001710581848";
    let body: Vec<u8> = (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect();
    let read: Timestamp = decode(&body.clone().into()).unwrap();
    assert_eq!((read.epoch, read.round, read.config_digest.0[1]), (88, 72, 7));
    assert_eq!(encode(&read).unwrap(), body);
}
