use std::io::Write;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;

use super::*;

fn read(line: &str) -> Record {
    Parser::default().line(line.as_bytes())
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
    assert!(!record.panic);
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
        (r#"{"@message":"no level"}"#.to_owned(), Level::DEBUG),
        (r#"{"@level":"off","@message":"m"}"#.into(), Level::DEBUG),
        (r#"{"@level":3,"@message":"m"}"#.into(), Level::DEBUG),
        (r#"{"@level":"error","@message":7}"#.into(), Level::DEBUG),
        (r#"{"@level":"error","@message":null}"#.into(), Level::DEBUG),
        (r#"{"@level":"error","@message":"m","@timestamp":1}"#.into(), Level::DEBUG),
        (time("2026-11-22T07:33:02Z"), Level::DEBUG),
        (time("2026-11-22T07:33:02.454Z"), Level::DEBUG),
        (time("2026-11-22T07:33:02.454675123Z"), Level::DEBUG),
        (time("2026-11-22 07:33:02.454675Z"), Level::DEBUG),
        (time("é"), Level::DEBUG),
        (r#"{"a":1}"#.into(), Level::DEBUG),
        (r#"["HELLO"]"#.into(), Level::DEBUG),
        ("12345".into(), Level::DEBUG),
        ("null".into(), Level::DEBUG),
        (r#"{"@level":"error","@message":"cut of"#.into(), Level::DEBUG),
        (
            format!(r#"{{"@level":"error","@message":"m","deep":{}1{}}}"#, "[".repeat(5000), "]".repeat(5000)),
            Level::DEBUG,
        ),
        // Text.
        (String::new(), Level::DEBUG),
        ("hello".into(), Level::DEBUG),
        ("[TRACE] x".into(), Level::TRACE),
        ("[DEBUG] x".into(), Level::DEBUG),
        ("[INFO] x".into(), Level::INFO),
        ("[WARN] x".into(), Level::WARN),
        ("[ERROR] x".into(), Level::ERROR),
        ("[error] x".into(), Level::DEBUG),
        ("x [ERROR]".into(), Level::DEBUG),
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
fn a_panic_makes_the_plain_lines_after_it_errors() {
    let mut parser = Parser::default();
    let lines = [
        ("before", Level::DEBUG, false),
        ("panic: boom", Level::ERROR, true),
        ("", Level::ERROR, true),
        ("goroutine 1 [running]:", Level::ERROR, true),
        ("[INFO] still alive", Level::INFO, false),
        (r#"{"@level":"info","@message":"m"}"#, Level::INFO, false),
        (r#"{"not":"hclog"}"#, Level::DEBUG, false),
        ("\tmain.go:3", Level::ERROR, true),
    ];
    for (line, level, panic) in lines {
        let record = parser.line(line.as_bytes());
        assert_eq!((record.level, record.panic), (level, panic), "{line}");
    }
    assert_eq!(parser.part(b"of a very long line").level, Level::DEBUG);
}

#[test]
fn invalid_utf8_is_replaced() {
    let record = Parser::default().line(b"{\"@level\":\"info\",\"@message\":\"a\xffb\"}");
    assert_eq!((record.level, record.message.as_str()), (Level::INFO, "a\u{fffd}b"));
}

#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn becomes_an_event() {
    let buffer = Buffer::default();
    let writer = buffer.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(Level::TRACE)
        .without_time()
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, || {
        read(r#"{"@level":"warn","@message":"low {} disk","@module":"kv.db","free":12}"#).emit("kv");
        read("[TRACE] plain").emit("kv");
        read("panic: boom").emit("kv");
    });
    let text = String::from_utf8(buffer.0.lock().unwrap().clone()).unwrap();
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    assert_eq!(
        lines,
        [
            r#"WARN plugin: low {} disk plugin="kv" module="kv.db" pairs=free=12"#,
            r#"TRACE plugin: [TRACE] plain plugin="kv""#,
            r#"ERROR plugin: panic: boom plugin="kv""#,
        ]
    );
}

proptest! {
    #[test]
    fn any_bytes_are_read(lines in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..5)) {
        let mut parser = Parser::default();
        for line in lines {
            parser.line(&line).emit("p");
            let _ = parser.part(&line).to_string();
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
        prop_assert!(!record.panic);
        let _ = record.to_string();
    }
}
