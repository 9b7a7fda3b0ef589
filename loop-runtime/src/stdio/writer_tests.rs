//! What a Go host would make of the lines.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use proptest::prelude::*;
use tracing_subscriber::prelude::*;

use super::super::fields::EXACT;
use super::*;

/// What `run` logs, as raw lines.
fn lines(run: impl FnOnce()) -> Vec<Vec<u8>> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let into = seen.clone();
    let layer = HclogLayer::writing_to(move |line: &[u8]| into.lock().unwrap().push(line.to_vec()));
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), run);
    // Another thread that meets a new callsite may hold the subscriber, and so the closure, for a moment longer.
    std::mem::take(&mut *seen.lock().unwrap())
}

/// The one line that `run` logs, checked as a Go host would.
fn line(run: impl FnOnce()) -> Map<String, Value> {
    let mut lines = lines(run);
    assert_eq!(lines.len(), 1);
    checked(&lines.remove(0))
}

fn checked(raw: &[u8]) -> Map<String, Value> {
    assert!(raw.len() <= MAX_LINE, "{} bytes", raw.len());
    assert_eq!(raw.iter().filter(|byte| **byte == b'\n').count(), 1);
    assert_eq!(raw.last(), Some(&b'\n'));
    let line: Map<String, Value> = serde_json::from_slice(raw).unwrap();
    for key in ["@level", "@message", "@timestamp", "@module"] {
        assert!(line[key].is_string(), "{key}: {}", line[key]);
    }
    let fraction = line["@timestamp"].as_str().unwrap().split_once('.').unwrap().1;
    assert_eq!(fraction.len(), 7, "{fraction}");
    assert!(fraction.ends_with('Z') && fraction[..6].bytes().all(|digit| digit.is_ascii_digit()));
    line
}

#[test]
fn an_event_becomes_a_line() {
    let line = line(|| tracing::warn!(target: "feed", price = 3, name = "a\nb", ok = true, "low {}", "tide"));
    assert_eq!(line["@level"], "warn");
    assert_eq!(line["@message"], "low tide");
    assert_eq!(line["@module"], "feed");
    assert_eq!((&line["price"], &line["name"], &line["ok"]), (&3.into(), &"a\nb".into(), &true.into()));
}

#[test]
fn spans_give_their_fields_and_the_name_of_the_logger() {
    let line = line(|| {
        let outer = tracing::info_span!("a", logger = "Median", job = 1, late = tracing::field::Empty);
        outer.record("late", "yes");
        let _outer = outer.entered();
        let _inner = tracing::info_span!("b", job = 2).entered();
        tracing::info!(logger = "DataSource", "x");
    });
    assert_eq!(line["logger"], "Median.DataSource");
    assert_eq!((&line["job"], &line["late"]), (&2.into(), &"yes".into()));
    assert_eq!(line["spans"], "a{logger=Median job=1 late=yes}:b{job=2}");
}

#[test]
fn a_host_never_finds_a_number_among_its_own_keys() {
    let line = line(|| tracing::info!("@level" = 5, "@timestamp" = 7, message = 9));
    assert_eq!((&line["@level"], &line["@message"]), (&"info".into(), &"9".into()));
    assert_eq!(line["field.@level"], 5);
}

#[test]
fn the_spans_have_a_key_that_nobody_else_has() {
    let line = line(|| {
        let _span = tracing::info_span!("bare").entered();
        tracing::info!(spans = 3, "x");
    });
    assert_eq!((&line["spans"], &line["field.spans"]), (&"bare".into(), &3.into()));
}

#[test]
fn what_tracing_log_brings_has_the_target_of_its_record() {
    let line = line(|| {
        tracing::event!(
            name: "log event",
            target: "log",
            Level::WARN,
            "log.target" = "dep",
            "log.module_path" = "dep::inner",
            "log.file" = "src/inner.rs",
            "log.line" = 7,
            "low"
        );
    });
    assert_eq!(
        (&line["@module"], &line["module"], &line["@message"]),
        (&"dep".into(), &"dep::inner".into(), &"low".into())
    );
    assert!(!line.keys().any(|key| key.starts_with("log.")), "{line:?}");
}

#[test]
fn numbers_that_a_host_cannot_hold_are_texts() {
    let line = line(|| tracing::info!(a = u64::MAX, b = i64::MIN, c = f64::NAN, d = EXACT, e = 1.5));
    assert_eq!(line["a"], "18446744073709551615");
    assert_eq!(line["b"], "-9223372036854775808");
    assert_eq!(line["c"], "NaN");
    assert_eq!((&line["d"], &line["e"]), (&EXACT.into(), &1.5.into()));
}

#[test]
fn long_lines_are_cut() {
    for text in ["x".repeat(200_000), "\u{1}".repeat(100_000), "é".repeat(70_000)] {
        let line = line(|| tracing::info!(long = text, short = "kept", "{text}"));
        assert_eq!((&line["truncated"], &line["short"]), (&true.into(), &"kept".into()));
        assert!(line["@message"].as_str().unwrap().len() > 1000);
    }
    let many = (0..10_000).map(|n| (format!("key{n}"), Value::from(n)));
    let mut many: Map<String, Value> = many.collect();
    many.insert("@message".to_owned(), "m".into());
    let cut: Map<String, Value> = serde_json::from_slice(&finished(many)).unwrap();
    assert_eq!((&cut["@message"], cut.len()), (&"m".into(), 2));
}

#[test]
fn dates_follow_the_calendar() {
    let (mut year, mut month, mut day) = (1970, 1, 1);
    for days in 0..200_000 {
        assert_eq!(date(days), (year, month, day));
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let length = match month {
            2 => 28 + u64::from(leap),
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        day += 1;
        if day > length {
            (day, month) = (1, month + 1);
        }
        if month > 12 {
            (month, year) = (1, year + 1);
        }
    }
    let at = UNIX_EPOCH + Duration::new(1_795_332_782, 454_675_999);
    assert_eq!(timestamp(at), "2026-11-22T07:33:02.454675Z");
}

proptest! {
    #[test]
    fn every_line_parses_back(message in ".*", text in "(?s).*", n in any::<i64>(), x in any::<f64>(), times in 1usize..3000) {
        let line = line(|| {
            let _span = tracing::info_span!("s", logger = text.repeat(times), n).entered();
            tracing::error!(x, text, "{message}");
        });
        if !line.contains_key("truncated") {
            prop_assert_eq!(&line["@message"], &Value::from(message));
            prop_assert_eq!(&line["text"], &Value::from(text));
        }
    }
}
