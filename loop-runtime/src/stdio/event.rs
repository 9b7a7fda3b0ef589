//! A record of a plugin as an event of this process.
//!
//! The target is `plugin::<name>::<target of the plugin's>`. What the host called the plugin always comes first, so that
//! no plugin can pass for a module of the host, or for another plugin, in a filter or to a reader.

use std::borrow::Cow;
use std::fmt::{self, Display};

use serde_json::Value;
use tracing::field::{DisplayValue, display};
use tracing::level_filters::{LevelFilter, STATIC_MAX_LEVEL};
use tracing::{Event, Level, dispatcher};
use tracing_core::Field;

use super::hclog::Record;
use super::pairs::write_pairs;
use super::shapes::{Found, SHAPES, Shape, Shapes};

/// The fields that every record has, or may have.
const OURS: [&str; 5] = ["message", "plugin", "caller", "timestamp", "pairs"];
/// The most fields of an event, as `tracing` had it for long.
const FIELDS: usize = 32;
/// The longest name of a field, and the longest part of a target, in bytes.
const NAME: usize = 64;
const TARGET: usize = 128;

impl Record {
    /// Passes the record to this process's `tracing` subscriber.
    pub(crate) fn emit(&self, plugin: &str) {
        emit(self, plugin, &SHAPES);
    }
}

fn emit(record: &Record, plugin: &str, shapes: &Shapes) {
    // Without a subscriber only the macros of `tracing` find a logger of the crate `log`.
    if !dispatcher::has_been_set() {
        return emit_as_one(record, plugin);
    }
    // Nothing is made for what nobody will see.
    if record.level > STATIC_MAX_LEVEL || record.level > LevelFilter::current() {
        return;
    }
    let arranged = Arranged::new(record, plugin);
    let names: Vec<&str> = OURS.into_iter().chain(arranged.fields.iter().map(|(name, _)| &**name)).collect();
    match shapes.get(plugin, record.level, &arranged.target, &names) {
        Found::Shape(shape) if shape.is_wanted() => arranged.dispatch(record, plugin, shape),
        Found::Shape(_) => {}
        Found::Full { news } => {
            if news {
                tracing::warn!(
                    plugin,
                    "too many combinations of target and fields in the log: further ones come under the target `plugin`"
                );
            }
            emit_as_one(record, plugin);
        }
    }
}

/// The same with a target and fields that are always the same.
fn emit_as_one(record: &Record, plugin: &str) {
    macro_rules! event {
        ($level:expr) => {
            tracing::event!(
                target: "plugin",
                $level,
                plugin,
                module = record.module,
                caller = record.caller,
                timestamp = record.timestamp,
                pairs = record.pairs.shown().map(display),
                "{}",
                record.message
            )
        };
    }
    match record.level {
        Level::ERROR => event!(Level::ERROR),
        Level::WARN => event!(Level::WARN),
        Level::INFO => event!(Level::INFO),
        Level::DEBUG => event!(Level::DEBUG),
        Level::TRACE => event!(Level::TRACE),
    }
}

/// A record with what its event is called, and where each of its values goes.
pub(crate) struct Arranged<'a> {
    target: String,
    /// Those with a field of their own.
    fields: Vec<(Cow<'a, str>, &'a Value)>,
    /// All others: there is no room for them, or their keys are no names.
    rest: Rest<'a>,
}

impl<'a> Arranged<'a> {
    pub(crate) fn new(record: &'a Record, plugin: &str) -> Self {
        let (mut fields, mut rest) = (Vec::new(), Vec::new());
        for (key, value) in record.pairs.iter() {
            let name = if is_taken(key) { Cow::Owned(format!("field.{key}")) } else { Cow::Borrowed(key) };
            let twice = matches!(name, Cow::Owned(_)) && record.pairs.has(&name);
            if fields.len() < FIELDS - OURS.len() && is_name(&name) && !twice {
                fields.push((name, value));
            } else {
                rest.push((key, value));
            }
        }
        Self { target: target(record, plugin), fields, rest: Rest(rest) }
    }

    fn dispatch(&self, record: &Record, plugin: &str, shape: &'static Shape) {
        let metadata = shape.described();
        let fields: Vec<Field> = metadata.fields().iter().collect();
        let values: Vec<Shown<'_>> = self.fields.iter().map(|(_, value)| Shown::new(value)).collect();
        let (message, pairs) = (display(&record.message), self.rest.shown());
        let ours: [&dyn tracing::Value; OURS.len()] = [&message, &plugin, &record.caller, &record.timestamp, &pairs];
        let mut all = ours.into_iter().chain(values.iter().map(Shown::as_value)).zip(&fields);
        let Some(padding) = fields.first() else { return };
        let all: [_; FIELDS] =
            std::array::from_fn(|_| all.next().map_or((padding, None), |(value, field)| (field, Some(value))));
        Event::dispatch(metadata, &metadata.fields().value_set(&all));
    }

    /// Whether it is within the bounds on which the memory for metadata rests.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn is_bounded(&self) -> bool {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_:.@/".contains(c);
        self.target.len() <= "plugin::".len() + NAME + "::".len() + TARGET
            && self.target.chars().all(plain)
            && self.fields.len() <= FIELDS - OURS.len()
            && self.fields.iter().all(|(name, _)| name.len() <= NAME && name.chars().all(plain))
    }
}

/// The target of all that the plugin of this name says, or what it begins with.
pub(crate) fn target_of(plugin: &str) -> String {
    let kept = plugin.chars().take(NAME).map(|c| kept(c, "-_"));
    "plugin::".chars().chain(kept).collect()
}

fn target(record: &Record, plugin: &str) -> String {
    let within = record.printed.map(|stream| stream.name()).or(record.module.as_deref()).unwrap_or_default();
    // Go's loggers are named with dots.
    let within = within.replace('.', "::");
    let mut target = target_of(plugin);
    if !within.is_empty() {
        target.push_str("::");
        target.extend(within.chars().take(TARGET).map(|c| kept(c, "-_:")));
    }
    target
}

/// What of a name may stand in a target: all else could end a directive of a filter, or the line of a log.
fn kept(c: char, others: &str) -> char {
    if c.is_ascii_alphanumeric() || others.contains(c) { c } else { '_' }
}

/// Whether a field of this name would be taken for one of ours, or be left out by formatters: the bridge from the crate
/// `log` keeps what it has to say of a record in fields of an event that begin so.
fn is_taken(key: &str) -> bool {
    OURS.contains(&key) || key.starts_with("log.")
}

fn is_name(name: &str) -> bool {
    (1..=NAME).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.@/:".contains(c))
}

/// A value with the type that it has in JSON. Lists and objects are texts.
enum Shown<'a> {
    Bool(bool),
    Signed(i64),
    Unsigned(u64),
    Float(f64),
    Text(&'a str),
    Other(DisplayValue<&'a Value>),
}

impl<'a> Shown<'a> {
    fn new(value: &'a Value) -> Self {
        match value {
            Value::Bool(value) => Self::Bool(*value),
            Value::String(text) => Self::Text(text),
            Value::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
                (Some(number), _, _) => Self::Signed(number),
                (_, Some(number), _) => Self::Unsigned(number),
                (_, _, Some(number)) => Self::Float(number),
                _ => Self::Other(display(value)),
            },
            other => Self::Other(display(other)),
        }
    }

    fn as_value(&self) -> &dyn tracing::Value {
        match self {
            Self::Bool(value) => value,
            Self::Signed(value) => value,
            Self::Unsigned(value) => value,
            Self::Float(value) => value,
            Self::Text(text) => text,
            Self::Other(value) => value,
        }
    }
}

struct Rest<'a>(Vec<(&'a str, &'a Value)>);

impl Rest<'_> {
    /// Itself, unless there is nothing to show.
    fn shown(&self) -> Option<DisplayValue<&Self>> {
        (!self.0.is_empty()).then(|| display(self))
    }
}

impl Display for Rest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_pairs(f, self.0.iter().copied())
    }
}

#[cfg(test)]
#[path = "event_tests.rs"]
mod tests;
