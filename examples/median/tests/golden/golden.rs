//! Reads the recordings.

use crate::numerical::ports::{ConfigDigest, Time};
use num_bigint::BigInt;
use serde_json::Value;
use std::fmt::Display;
use std::sync::LazyLock;

/// Where the clock stood while reports were recorded.
pub(crate) const NOW: Time = Time { seconds: 1_700_000_000, nanos: 0 };

static FILE: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../../../tests/golden/median.json")).expect("golden file"));

/// All cases of a section. At least as many as given, so that a shortened file fails.
pub(crate) fn section(name: &str, at_least: usize) -> &'static [Value] {
    let cases = FILE[name].as_array().unwrap_or_else(|| panic!("section {name}"));
    assert!(cases.len() >= at_least, "{name} has only {} cases", cases.len());
    cases
}

/// The recorded rounds by family.
pub(crate) fn reports() -> impl Iterator<Item = (&'static str, &'static Value)> {
    let families = FILE["report"].as_object().expect("reports");
    families.iter().flat_map(|(family, cases)| cases.as_array().expect("cases").iter().map(move |it| (&**family, it)))
}

/// Checks an outcome against the recorded one: equal values, equal error texts, and an error where Go panicked.
#[track_caller]
pub(crate) fn check<E: Display>(case: &Value, came: Result<Value, E>) {
    match came {
        Ok(value) => assert_eq!(case.get("out"), Some(&value), "{case}"),
        Err(error) if case.get("panic").is_some() => assert!(!error.to_string().is_empty()),
        Err(error) => assert_eq!(case.get("error"), Some(&Value::from(error.to_string())), "{case}"),
    }
}

pub(crate) fn bytes(packed: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = packed.as_str().expect("bytes");
    while !rest.is_empty() {
        let run = match rest.as_bytes()[0] {
            b'[' => Some((0, ']')),
            b'{' => Some((0xff, '}')),
            _ => None,
        };
        if let Some((byte, close)) = run {
            let (count, after) = rest[1..].split_once(close).expect("closed run");
            out.resize(out.len() + count.parse::<usize>().expect("count"), byte);
            rest = after;
        } else {
            out.push(u8::from_str_radix(&rest[..2], 16).expect("hex"));
            rest = &rest[2..];
        }
    }
    out
}

/// Bytes as the file writes them.
pub(crate) fn packed(bytes: &[u8]) -> Value {
    let mut out = String::new();
    for run in bytes.chunk_by(|a, b| a == b) {
        match (run[0], run.len()) {
            (0, n @ 3..) => out += &format!("[{n}]"),
            (0xff, n @ 3..) => out += &format!("{{{n}}}"),
            (byte, n) => out += &format!("{byte:02x}").repeat(n),
        }
    }
    out.into()
}

/// A number that may be null.
pub(crate) fn number(value: &Value) -> Option<BigInt> {
    value.as_str().map(big)
}

pub(crate) fn big(text: &str) -> BigInt {
    text.parse().unwrap_or_else(|_| panic!("number {text}"))
}

pub(crate) fn int<T: TryFrom<i64>>(value: &Value) -> T {
    let number = value.as_i64().unwrap_or_else(|| panic!("{value} is no number"));
    T::try_from(number).unwrap_or_else(|_| panic!("{number} is out of range"))
}

/// A number of 64 bits written as a string.
pub(crate) fn long<T: std::str::FromStr>(value: &Value) -> T {
    value.as_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("{value} is no number"))
}

pub(crate) fn time(value: &Value) -> Time {
    Time { seconds: int(&value[0]), nanos: int(&value[1]) }
}

/// A digest by name; `own` where the case names none.
pub(crate) fn digest(name: &Value) -> ConfigDigest {
    let byte = |i: u8| match name.as_str() {
        None | Some("own") => {
            if i < 2 {
                i
            } else {
                i + 1
            }
        }
        Some("other") => {
            if i < 2 {
                i
            } else {
                0xf0 - i
            }
        }
        Some("zero") => 0,
        Some(name) => panic!("digest {name}"),
    };
    ConfigDigest(std::array::from_fn(|i| byte(i as u8)))
}
