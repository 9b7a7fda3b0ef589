//! `#[wire(N, with = module)]`: types of other crates in messages, each by a module of three items.
#![allow(clippy::unwrap_used)] // helpers of tests are tests

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, TimeDelta, Utc};
use loop_runtime::wire::{Schema, decode, encode};
use loop_runtime::{Error, LoopMessage};
use serde_json::json;
use url::Url;
use uuid::Uuid;

/// The sixteen bytes of a UUID.
mod as_bytes {
    use std::convert::Infallible;

    use uuid::Uuid;

    pub(crate) type Wire = [u8; 16];

    pub(crate) fn to_wire(id: &Uuid) -> Wire {
        id.into_bytes()
    }

    pub(crate) fn from_wire(wire: Wire) -> Result<Uuid, Infallible> {
        Ok(Uuid::from_bytes(wire))
    }
}

/// The text of a URL.
mod as_text {
    use url::{ParseError, Url};

    pub(crate) type Wire = String;

    pub(crate) fn to_wire(url: &Url) -> Wire {
        url.to_string()
    }

    pub(crate) fn from_wire(wire: Wire) -> Result<Url, ParseError> {
        wire.parse()
    }
}

/// `google.protobuf.Timestamp`.
mod as_timestamp {
    use std::convert::Infallible;
    use std::time::SystemTime;

    use chrono::{DateTime, Utc};

    pub(crate) type Wire = SystemTime;

    pub(crate) fn to_wire(at: &DateTime<Utc>) -> Wire {
        (*at).into()
    }

    pub(crate) fn from_wire(wire: Wire) -> Result<DateTime<Utc>, Infallible> {
        Ok(wire.into())
    }
}

/// `google.protobuf.Duration`, also below zero.
mod as_duration {
    use chrono::TimeDelta;
    use loop_runtime::wire::SignedDuration;

    pub(crate) type Wire = SignedDuration;

    pub(crate) fn to_wire(span: &TimeDelta) -> Wire {
        let nanos = i128::from(span.num_seconds()) * 1_000_000_000 + i128::from(span.subsec_nanos());
        SignedDuration::from_nanos(nanos)
    }

    pub(crate) fn from_wire(wire: Wire) -> Result<TimeDelta, String> {
        let nanos = wire.as_nanos();
        let seconds = i64::try_from(nanos.div_euclid(1_000_000_000)).map_err(|why| why.to_string())?;
        TimeDelta::new(seconds, nanos.rem_euclid(1_000_000_000) as u32)
            .ok_or_else(|| format!("{seconds} seconds do not fit `TimeDelta`"))
    }
}

/// JSON as its text: `google.protobuf.Value` has no integers.
mod as_json {
    use serde_json::Value;

    pub(crate) type Wire = String;

    pub(crate) fn to_wire(value: &Value) -> Wire {
        value.to_string()
    }

    pub(crate) fn from_wire(wire: Wire) -> Result<Value, serde_json::Error> {
        serde_json::from_str(&wire)
    }
}

/// A whole list as one string: behind an alias it is no list to the eye.
mod in_one_line {
    use std::convert::Infallible;

    pub(crate) type Wire = String;

    #[allow(clippy::ptr_arg)] // the value that is converted
    pub(crate) fn to_wire(tags: &super::Tags) -> Wire {
        tags.join(" ")
    }

    pub(crate) fn from_wire(wire: Wire) -> Result<super::Tags, Infallible> {
        Ok(wire.split_whitespace().map(str::to_owned).collect())
    }
}

type Tags = Vec<String>;

/// What does not happen to be a message, in every place that a field has for it.
#[derive(Clone, Debug, PartialEq, LoopMessage)]
#[message(package = "with.test")]
struct Entry {
    #[wire(1, with = as_bytes)]
    id: Uuid,
    #[wire(2, with = as_text, text = "no home: {n}")]
    home: Option<Url>,
    #[wire(3, with = crate::as_bytes)]
    parents: Vec<Uuid>,
    #[wire(4, with = self::as_text)]
    links: BTreeMap<String, Url>,
    #[wire(5, with = as_timestamp)]
    at: DateTime<Utc>,
    #[wire(6, with = as_duration)]
    offset: TimeDelta,
    #[wire(7, with = as_json)]
    details: HashMap<u32, serde_json::Value>,
    #[wire(8, with = in_one_line)]
    tags: Tags,
    #[wire(9, with = as_json, default)]
    extra: serde_json::Value,
    #[wire(10, key = sint, with = as_bytes)]
    by_level: HashMap<i32, Uuid>,
    #[wire(oneof)]
    origin: Option<Origin>,
}

#[derive(Clone, Debug, PartialEq, LoopMessage)]
enum Origin {
    #[wire(11, with = as_text)]
    Page(Url),
    #[wire(12)]
    Import {
        #[wire(1, with = as_bytes)]
        of: Uuid,
    },
    #[wire(13)]
    Manual,
}

fn entry() -> Entry {
    let url = |text: &str| text.parse::<Url>().unwrap();
    Entry {
        id: Uuid::from_u128(7),
        home: Some(url("https://example.org/a?b=c")),
        parents: vec![Uuid::from_u128(1), Uuid::nil()],
        links: [("docs".to_owned(), url("file:///tmp"))].into(),
        at: DateTime::from_timestamp(-1, 500_000_000).unwrap(),
        offset: TimeDelta::milliseconds(-1_500),
        details: [(1, json!({ "n": 18_446_744_073_709_551_615_u64 })), (2, json!(null))].into(),
        tags: vec!["a".to_owned(), "b".to_owned()],
        extra: json!([1, "two"]),
        by_level: [(-3, Uuid::max())].into(),
        origin: Some(Origin::Page(url("mailto:a@example.org"))),
    }
}

#[test]
fn what_is_sent_arrives() {
    for origin in [entry().origin, Some(Origin::Import { of: Uuid::from_u128(9) }), Some(Origin::Manual), None] {
        let entry = Entry { origin, home: None, ..entry() };
        assert_eq!(decode::<Entry>(&encode(&entry).unwrap()).unwrap(), entry);
    }
    assert_eq!(decode::<Entry>(&encode(&entry()).unwrap()).unwrap(), entry());
}

/// The same message with the types of the wire: the bytes are those.
#[test]
fn on_the_wire_it_is_what_the_module_says() {
    #[derive(Debug, Default, PartialEq, LoopMessage)]
    struct Plain {
        #[wire(1)]
        id: Vec<u8>,
        #[wire(2)]
        home: Option<String>,
        #[wire(3)]
        parents: Vec<Vec<u8>>,
        #[wire(4)]
        links: BTreeMap<String, String>,
        #[wire(7)]
        details: BTreeMap<u32, String>,
        #[wire(8)]
        tags: String,
        #[wire(9)]
        extra: String,
        #[wire(11)]
        page: String,
    }
    let plain: Plain = decode(&encode(&entry()).unwrap()).unwrap();
    assert_eq!(plain.id, Uuid::from_u128(7).as_bytes());
    assert_eq!(plain.home.as_deref(), Some("https://example.org/a?b=c"));
    assert_eq!(plain.parents, [vec![0; 15].into_iter().chain([1]).collect(), vec![0; 16]]);
    assert_eq!(plain.links["docs"], "file:///tmp");
    assert_eq!((plain.details[&1].as_str(), plain.details[&2].as_str()), ("{\"n\":18446744073709551615}", "null"));
    assert_eq!((plain.tags.as_str(), plain.extra.as_str()), ("a b", "[1,\"two\"]"));
    assert_eq!(plain.page, "mailto:a@example.org");

    let mut schema = Schema::new();
    schema.message::<Entry>();
    let text = schema.proto("with.test");
    for line in [
        "  bytes id = 1;",
        "  optional string home = 2;",
        "  repeated bytes parents = 3;",
        "  map<string, string> links = 4;",
        "  google.protobuf.Timestamp at = 5;",
        "  google.protobuf.Duration offset = 6;",
        "  map<uint32, string> details = 7;",
        "  string tags = 8;",
        "  map<sint32, bytes> by_level = 10;",
        "    string page = 11;",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
}

#[test]
fn the_way_back_may_refuse() {
    let sound = encode(&entry()).unwrap();
    let with = |more: &[u8]| [&sound[..], more].concat().into();
    let refused = |body| decode::<Entry>(&body).unwrap_err();
    // The last of several counts: a string where the URL was.
    assert_eq!(refused(with(b"\x12\x01x")).to_string(), "no home: relative URL without a base");
    assert_eq!(refused(with(b"\x22\x07\x0a\x02up\x12\x01x")).to_string(), "links[up]: relative URL without a base");
    assert_eq!(refused(with(b"\x5a\x01x")).to_string(), "origin.page: relative URL without a base");
    assert_eq!(refused(with(b"\x1a\x02ab")).to_string(), "parents[2]: expected 16 bytes but got 2");
    let json = refused(with(b"\x4a\x01{"));
    assert!(json.to_string().starts_with("extra: EOF while parsing an object"), "{json}");
    assert!(!json.is_malformed() && json.path() == "extra");
    // More seconds than the type can hold.
    let far = refused(with(b"\x32\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\x7f\x10"));
    assert!(far.is_malformed());
    let far = refused(with(b"\x32\x0a\x08\xff\xff\xff\xff\xff\xff\xff\xff\x7f"));
    assert_eq!(far.to_string(), "offset: 9223372036854775806 seconds do not fit `TimeDelta`");

    // What did not come is what the type of the wire makes of that: refused, or none, or the default.
    let missing = decode::<Entry>(&Vec::new().into()).unwrap_err();
    assert_eq!(missing.to_string(), "id: expected 16 bytes but got 0");
    assert_eq!(Error::from(missing).code(), loop_runtime::Code::InvalidArgument);
}

#[test]
fn a_long_reason_is_cut() {
    mod never {
        pub(crate) type Wire = u32;

        pub(crate) fn to_wire(_: &super::Uuid) -> Wire {
            1
        }

        pub(crate) fn from_wire(_: Wire) -> Result<super::Uuid, String> {
            Err("é".repeat(1_000))
        }
    }
    #[derive(Debug, LoopMessage)]
    struct Never {
        #[wire(1, with = never)]
        _id: Uuid,
    }
    let why = decode::<Never>(&encode(&Never { _id: Uuid::nil() }).unwrap()).unwrap_err();
    assert_eq!(why.to_string(), format!("_id: {}…", "é".repeat(128)));
}
