use std::fmt::Debug;
use std::io::Write;
use std::sync::{Arc, Mutex, MutexGuard};

use proptest::prelude::*;
use serde_json::json;
use tracing::Subscriber;
use tracing::field::Visit;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::prelude::*;

use super::super::hclog::{Parser, Stream};
use super::super::lines::Piece;
use super::*;

/// What a subscriber is told of an event.
#[derive(Clone, Debug, PartialEq)]
struct Seen {
    level: Level,
    target: String,
    /// Each with the type it came with.
    fields: Vec<String>,
}

#[derive(Clone, Default)]
struct Keep(Arc<Mutex<Vec<Seen>>>);

impl<S: Subscriber> Layer<S> for Keep {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = Vec::new();
        event.record(&mut Typed(&mut fields));
        let metadata = event.metadata();
        let seen = Seen { level: *metadata.level(), target: metadata.target().to_owned(), fields };
        self.lock().push(seen);
    }
}

impl Keep {
    fn lock(&self) -> MutexGuard<'_, Vec<Seen>> {
        self.0.lock().unwrap()
    }
}

struct Typed<'a>(&'a mut Vec<String>);

macro_rules! typed {
    ($($method:ident $type:ty)*) => {
        impl Visit for Typed<'_> {
            fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
                self.0.push(format!("{}: {value:?}", field.name()));
            }
            $(fn $method(&mut self, field: &Field, value: $type) {
                self.0.push(format!("{}: {} {value:?}", field.name(), stringify!($type)));
            })*
        }
    };
}

typed!(record_i64 i64 record_u64 u64 record_f64 f64 record_bool bool record_str &str);

fn read(line: &str) -> Record {
    let (mut parser, mut records) = (Parser::default(), Vec::new());
    parser.feed(Piece::Line(line.as_bytes()), &mut |record| records.push(record));
    parser.settle(&mut |record| records.push(record));
    records.pop().unwrap()
}

/// What `filter` lets pass of what `run` emits.
fn seen(filter: &str, run: impl FnOnce()) -> Vec<Seen> {
    let keep = Keep::default();
    let filter: Targets = filter.parse().unwrap();
    let subscriber = tracing_subscriber::registry().with(keep.clone().with_filter(filter));
    tracing::subscriber::with_default(subscriber, run);
    std::mem::take(&mut *keep.lock())
}

fn seen_of(line: &str) -> Seen {
    let mut seen = seen("trace", || read(line).emit("kv"));
    assert_eq!(seen.len(), 1, "{seen:?}");
    seen.remove(0)
}

#[test]
fn fields_arrive_with_their_types() {
    let line = json!({"@level": "warn", "@message": "low {} disk", "@module": "kv_plugin::db", "@caller": "db.rs:3",
        "@timestamp": "2026-11-22T07:33:02.454675Z", "free": -12, "huge": u64::MAX, "part": 0.5, "full": false,
        "disk": "a b", "none": null, "list": [1, "x"], "spans": "put{key=a}:write"});
    let seen = seen_of(&line.to_string());
    assert_eq!((seen.level, seen.target.as_str()), (Level::WARN, "plugin::kv::kv_plugin::db"));
    let expected = [
        "message: low {} disk",
        "plugin: &str \"kv\"",
        "caller: &str \"db.rs:3\"",
        "timestamp: &str \"2026-11-22T07:33:02.454675Z\"",
        "disk: &str \"a b\"",
        "free: i64 -12",
        "full: bool false",
        "huge: u64 18446744073709551615",
        "list: [1,\"x\"]",
        "none: null",
        "part: f64 0.5",
        "spans: &str \"put{key=a}:write\"",
    ];
    assert_eq!(seen.fields, expected);
}

#[test]
fn fields_that_are_called_as_ours_keep_their_values() {
    let line = json!({"@level": "info", "@message": "m", "message": 1, "plugin": "evil", "caller": 2, "timestamp": 3,
        "pairs": 4, "log.target": "host", "field.caller": 5, "\u{1b}[31m": 6, "two words": "a\nb"});
    let expected = [
        "message: m",
        "plugin: &str \"kv\"",
        "pairs: \"\\u{1b}[31m\"=6 caller=2 \"two words\"=\"a\\nb\"",
        "field.caller: i64 5",
        "field.log.target: &str \"host\"",
        "field.message: i64 1",
        "field.pairs: i64 4",
        "field.plugin: &str \"evil\"",
        "field.timestamp: i64 3",
    ];
    assert_eq!(seen_of(&line.to_string()).fields, expected);
}

#[test]
fn more_fields_than_there_is_room_for_come_as_pairs() {
    let mut line = json!({"@level": "info", "@message": "m"});
    for n in 10..50 {
        line[format!("key{n}")] = n.into();
    }
    let fields = seen_of(&line.to_string()).fields;
    assert_eq!(fields.len(), 3 + FIELDS - OURS.len());
    assert!(fields.contains(&"key36: i64 36".to_owned()), "{fields:?}");
    let rest: Vec<String> = (37..50).map(|n| format!("key{n}={n}")).collect();
    assert_eq!(fields[2], format!("pairs: {}", rest.join(" ")));
}

#[test]
fn a_target_says_whose_it_is() {
    let target =
        |module: &str| seen_of(&json!({"@level": "info", "@message": "m", "@module": module}).to_string()).target;
    assert_eq!(target(""), "plugin::kv");
    assert_eq!(target("kv.db"), "plugin::kv::kv::db");
    assert_eq!(target("a=b,\u{1b}[0m\ne é"), "plugin::kv::a_b___0m_e__");
    assert_eq!(target("loop_runtime::host"), "plugin::kv::loop_runtime::host");
    assert_eq!(target(&"x".repeat(1000)).len(), "plugin::kv::".len() + TARGET);
    assert_eq!(seen_of(r#"{"@level":"info","@message":"m"}"#).target, "plugin::kv");
    let named = seen("trace", || read("x").emit("loop_runtime::host, 1.2"));
    assert_eq!(named[0].target, "plugin::loop_runtime__host__1_2::stderr");
}

#[test]
fn what_is_printed_has_a_target_of_its_own() {
    let seen = seen("trace", || {
        Record::printed(Stream::Stdout, "out").emit("kv");
        Record::printed(Stream::Stderr, "err").emit("kv");
        read("[TRACE] plain").emit("kv");
        read("panic: boom").emit("kv");
    });
    let seen: Vec<_> = seen.iter().map(|seen| (seen.level, seen.target.as_str(), seen.fields[0].as_str())).collect();
    let expected = [
        (Level::INFO, "plugin::kv::stdout", "message: out"),
        (Level::INFO, "plugin::kv::stderr", "message: err"),
        (Level::TRACE, "plugin::kv::stderr", "message: [TRACE] plain"),
        (Level::ERROR, "plugin::kv::stderr", "message: panic: boom"),
    ];
    assert_eq!(seen, expected);
}

#[test]
fn filters_choose_by_plugin_target_and_level() {
    let lines = || {
        for (plugin, module, level) in
            [("a", "x", "debug"), ("a", "y", "debug"), ("a", "y", "warn"), ("b", "x", "debug"), ("b", "x", "info")]
        {
            read(&json!({"@level": level, "@message": "m", "@module": module, "n": 1}).to_string()).emit(plugin);
        }
    };
    let through = |filter: &str| -> Vec<String> {
        seen(filter, lines).iter().map(|seen| format!("{} {}", seen.target, seen.level)).collect()
    };
    assert_eq!(through("info"), ["plugin::a::y WARN", "plugin::b::x INFO"]);
    // The same shapes again, whose interest another subscriber had settled.
    assert_eq!(through("off,plugin::a=debug,plugin::a::y=warn"), ["plugin::a::x DEBUG", "plugin::a::y WARN"]);
    assert_eq!(through("plugin=debug").len(), 5);
    assert_eq!(through("x=trace,y=trace"), [""; 0]);
}

#[test]
fn a_plugin_that_invents_fields_is_bounded_and_loses_nothing() {
    static SHAPES: Shapes = Shapes::new(3, 5);
    let emit = |plugin: &str, n: usize| {
        super::emit(&read(&format!(r#"{{"@level":"info","@message":"m","@module":"x","k{n}":{n}}}"#)), plugin, &SHAPES);
    };
    let seen = seen("trace", || {
        for n in 0..100 {
            emit("evil", n);
        }
        for n in 0..3 {
            emit("kv", n);
        }
        emit("other", 0);
    });
    assert_eq!(SHAPES.count(), 5);
    let warnings = |plugin: &str| {
        let said = |seen: &&Seen| seen.level == Level::WARN && seen.fields.iter().any(|field| field.contains(plugin));
        seen.iter().filter(said).count()
    };
    assert_eq!((warnings("evil"), warnings("kv"), warnings("other")), (1, 1, 0));
    let of = |target: &str| seen.iter().filter(|seen| seen.target == target).count();
    assert_eq!((of("plugin::evil::x"), of("plugin::kv::x"), of("plugin")), (3, 2, 97 + 1 + 1));
    let last = seen.iter().rfind(|seen| seen.fields.iter().any(|field| field == "pairs: k99=99")).unwrap();
    assert!(last.fields.contains(&"module: &str \"x\"".to_owned()), "{last:?}");
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
fn formatters_show_it() {
    let buffer = Buffer::default();
    let writer = buffer.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(Level::TRACE)
        .without_time()
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, || {
        read(r#"{"@level":"warn","@message":"low disk","@module":"kv.db","free":12,"on":"/x"}"#).emit("kv");
    });
    let text = String::from_utf8(buffer.0.lock().unwrap().clone()).unwrap();
    assert_eq!(text.trim(), r#"WARN plugin::kv::kv::db: low disk plugin="kv" free=12 on="/x""#);
}

proptest! {
    #[test]
    fn whatever_comes_is_bounded_and_whole(
        entries in prop::collection::btree_map("[a-z]{1,3}|message|plugin|field.plugin|@module|\\PC{0,80}",
            prop_oneof![any::<i64>().prop_map(Value::from), any::<f64>().prop_map(Value::from), ".*".prop_map(Value::from)], 0..50),
        plugin in ".{0,100}",
    ) {
        let mut line: serde_json::Map<String, Value> = entries.into_iter().collect();
        line.insert("@level".to_owned(), "info".into());
        line.insert("@message".to_owned(), "m".into());
        let record = read(&Value::Object(line).to_string());
        let arranged = Arranged::new(&record, &plugin);
        prop_assert!(arranged.is_bounded());
        prop_assert!(arranged.target.starts_with("plugin::"));
        prop_assert_eq!(arranged.fields.len() + arranged.rest.0.len(), record.pairs.iter().count());
        let mut names: Vec<&str> = arranged.fields.iter().map(|(name, _)| &**name).chain(OURS).collect();
        names.sort_unstable();
        names.dedup();
        prop_assert_eq!(names.len(), arranged.fields.len() + OURS.len());
    }
}
