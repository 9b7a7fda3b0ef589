use proptest::prelude::*;

use super::*;

/// The records of these lines, and of the silence after them.
fn read_all<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Vec<Record> {
    let (mut parser, mut records) = (Parser::default(), Vec::new());
    let mut out = |record| records.push(record);
    for line in lines {
        parser.feed(Piece::Line(line), &mut out);
    }
    parser.settle(&mut out);
    assert!(!parser.is_open());
    records
}

fn read_one(line: &[u8]) -> Record {
    let mut records = read_all([line]);
    assert_eq!(records.len(), 1, "{records:?}");
    records.remove(0)
}

fn read(line: &str) -> Record {
    read_one(line.as_bytes())
}

#[test]
fn reads_a_structured_line() {
    let record = read(
        r#"{"@level":"warn","@message":"low","@module":"kv.db","@timestamp":"2026-11-22T07:33:02.454675Z","n":12,"s":"a b","w":"x"}"#,
    );
    assert_eq!((record.level, record.message.as_str()), (Level::WARN, "low"));
    assert_eq!(record.module.as_deref(), Some("kv.db"));
    assert_eq!(record.timestamp.as_deref(), Some("2026-11-22T07:33:02.454675Z"));
    assert_eq!(record.pairs.to_string(), r#"n=12 s="a b" w=x"#);
    assert_eq!(record.to_string(), r#"warn: low n=12 s="a b" w=x"#);
    assert_eq!(record.fatal, None);
}

#[test]
fn levels_of_single_lines() {
    let time = |time: &str| format!(r#"{{"@level":"error","@message":"m","@timestamp":"{time}"}}"#);
    let structured = [
        (r#"{"@level":"trace","@message":"m"}"#.to_owned(), Level::TRACE),
        (r#"{"@level":"debug","@message":"m"}"#.into(), Level::DEBUG),
        (r#"{"@level":"info","@message":"m"}"#.into(), Level::INFO),
        (r#"{"@level":" Warn ","@message":"m"}"#.into(), Level::WARN),
        (r#"{"@level":"ERROR","@message":"m"}"#.into(), Level::ERROR),
        (time("2026-11-22T07:33:02.454675Z"), Level::ERROR),
        (time("2026-11-22T07:33:02.454675+01:00"), Level::ERROR),
        (time("2026-11-22T07:33:02.454675-11:30"), Level::ERROR),
        (r#"  {"@level":"info","@message":"m"}  "#.into(), Level::INFO),
    ];
    for (line, level) in structured {
        let record = read(&line);
        assert_eq!((record.level, record.message.as_str()), (level, "m"), "{line}");
    }
    let verbatim = [
        // JSON, but not of the kind that is understood: shown as it is.
        (r#"{"@message":"no level"}"#.to_owned(), Level::INFO),
        (r#"{"@level":"off","@message":"m"}"#.into(), Level::INFO),
        (r#"{"@level":3,"@message":"m"}"#.into(), Level::INFO),
        (r#"{"@level":"error","@message":7}"#.into(), Level::INFO),
        (r#"{"@level":"error","@message":null}"#.into(), Level::INFO),
        (r#"{"@level":"error","@message":"m","@timestamp":1}"#.into(), Level::INFO),
        (time("2026-11-22T07:33:02Z"), Level::INFO),
        (time("2026-11-22T07:33:02.454Z"), Level::INFO),
        (time("2026-11-22T07:33:02.454675123Z"), Level::INFO),
        (time("2026-11-22 07:33:02.454675Z"), Level::INFO),
        (time("é"), Level::INFO),
        (r#"{"a":1}"#.into(), Level::INFO),
        (r#"["HELLO"]"#.into(), Level::INFO),
        ("12345".into(), Level::INFO),
        ("null".into(), Level::INFO),
        (r#"{"@level":"error","@message":"cut of"#.into(), Level::INFO),
        (
            format!(r#"{{"@level":"error","@message":"m","deep":{}1{}}}"#, "[".repeat(5000), "]".repeat(5000)),
            Level::INFO,
        ),
        // Text.
        (String::new(), Level::INFO),
        ("hello".into(), Level::INFO),
        ("[TRACE] x".into(), Level::TRACE),
        ("[DEBUG] x".into(), Level::DEBUG),
        ("[INFO] x".into(), Level::INFO),
        ("[WARN] x".into(), Level::WARN),
        ("[ERROR] x".into(), Level::ERROR),
        ("[error] x".into(), Level::INFO),
        ("x [ERROR]".into(), Level::INFO),
        ("panic: x".into(), Level::ERROR),
        ("fatal error: x".into(), Level::ERROR),
        ("thread 'main' (17) panicked at src/main.rs:2:5:".into(), Level::ERROR),
    ];
    for (line, level) in verbatim {
        let record = read(&line);
        assert_eq!((record.level, record.message.as_str()), (level, line.as_str()));
        assert_eq!(record.to_string(), line);
    }
}

#[test]
fn odd_values_of_other_keys_stay_as_pairs() {
    let record = read(r#"{"@level":"info","@message":"m","@module":5,"@caller":["x"],"big":12345678901234567890123}"#);
    assert_eq!((record.level, record.message.as_str()), (Level::INFO, "m"));
    assert_eq!(record.module, None);
    assert_eq!(record.pairs.to_string(), r#"@caller=["x"] @module=5 big=1.2345678901234568e+22"#);
}

#[test]
fn a_panic_is_one_record_and_what_comes_after_it_is_none_of_it() {
    let lines = [
        "before",
        "panic: boom",
        "",
        "goroutine 1 [running]:",
        "main.main()",
        "\tmain.go:3 +0x1d",
        "[INFO] still alive",
        r#"{"@level":"info","@message":"m"}"#,
        r#"{"not":"hclog"}"#,
        "plain",
    ];
    let records = read_all(lines.map(str::as_bytes));
    let seen: Vec<(Level, &str, bool)> =
        records.iter().map(|record| (record.level, record.message.as_str(), record.fatal.is_some())).collect();
    let expected = [
        (Level::INFO, "before", false),
        (Level::ERROR, "panic: boom\n\ngoroutine 1 [running]:\nmain.main()\n\tmain.go:3 +0x1d", true),
        (Level::INFO, "[INFO] still alive", false),
        (Level::INFO, "m", false),
        (Level::INFO, r#"{"not":"hclog"}"#, false),
        (Level::INFO, "plain", false),
    ];
    assert_eq!(seen, expected);
}

#[test]
fn a_part_of_a_long_line_ends_a_panic() {
    let (mut parser, mut seen) = (Parser::default(), Vec::new());
    let mut out = |record: Record| seen.push((record.level, record.message));
    parser.feed(Piece::Line(b"panic: boom"), &mut out);
    assert!(parser.is_open());
    parser.feed(Piece::Part(b"of a very long line"), &mut out);
    assert!(!parser.is_open());
    assert_eq!(seen, [(Level::ERROR, "panic: boom".to_owned()), (Level::INFO, "of a very long line".to_owned())]);
}

#[test]
fn invalid_utf8_is_replaced() {
    let record = read_one(b"{\"@level\":\"info\",\"@message\":\"a\xffb\"}");
    assert_eq!((record.level, record.message.as_str()), (Level::INFO, "a\u{fffd}b"));
}

proptest! {
    #[test]
    fn any_bytes_are_read(lines in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..5)) {
        for record in read_all(lines.iter().map(Vec::as_slice)) {
            let _ = record.to_string();
        }
    }

    /// Objects with the special keys and any kind of value under them.
    #[test]
    fn any_object_is_read(
        entries in prop::collection::vec(("@level|@message|@timestamp|@module|@caller|[a-z]{0,3}",
                                          r#""(info|error|x)"|"2026-11-22T07:33:02.454675Z"|"[ -!#-\[\]-~é]{0,30}"|-?[1-9][0-9]{0,30}|null|true|\[1\]|\{"a":1\}"#), 0..6),
    ) {
        let object: Vec<String> = entries.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
        let line = format!("{{{}}}", object.join(","));
        let record = read(&line);
        prop_assert_eq!(&record.fatal, &None);
        let _ = record.to_string();
    }
}
