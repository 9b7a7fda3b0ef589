//! A plugin's log lines: hclog's JSON on the real stderr, from `tracing`.
//!
//! A Go host splits stderr into lines of at most 64 KiB and parses each that is a JSON object. It does not forgive:
//! `@level`, `@message` and `@timestamp` that are no strings crash it, and a timestamp without exactly six digits of
//! fraction turns the line into plain text. All other keys become key/value pairs, of which a LOOP host takes
//! `logger` as the name of a sub-logger.

use std::fmt;
use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber, span};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

/// The longest line that a Go host still parses, its line feed included.
const MAX_LINE: usize = 64 * 1024;

/// Integers beyond this lose digits in a Go host, which reads numbers as float64; they are written as strings.
const EXACT: u64 = 1 << 53;

/// A [`tracing_subscriber`] layer that writes every event as one line of hclog's JSON.
///
/// [`Plugin`](crate::plugin::Plugin) installs it if the program has no subscriber of its own yet; a program that builds its
/// own adds this layer, or its logs reach the host as plain text at debug level.
///
/// The target becomes `@module`, the fields of the event and of the spans around it become keys of their own (the
/// innermost wins). A field named `logger` is special, as LOOP hosts want it: those of the spans, outermost first,
/// and of the event are joined with dots, so that a host shows `Median.DataSource` as a sub-logger.
///
/// A line that would be longer than 64 KiB is cut in its longest texts and says so with `truncated: true`. Errors of
/// writing are ignored: a host that is gone must not make a plugin panic.
pub struct HclogLayer {
    out: Box<Out>,
}

impl fmt::Debug for HclogLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HclogLayer").finish_non_exhaustive()
    }
}

impl Default for HclogLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl HclogLayer {
    /// A layer that writes to stderr.
    pub fn new() -> Self {
        Self::writing_to(write_stderr)
    }

    /// A layer that hands every line, its line feed included, to `out`.
    pub fn writing_to(out: impl Fn(&[u8]) + Send + Sync + 'static) -> Self {
        Self { out: Box::new(out) }
    }
}

/// Writes to stderr under the lock that `eprintln!` takes too, so that lines stay whole.
pub(crate) fn write_stderr(bytes: &[u8]) {
    // Nobody is left to tell.
    let _ = std::io::stderr().lock().write_all(bytes);
}

/// A line of the log at error level that needs no subscriber, for code that must not call one. With its line feed.
pub(crate) fn error_line(message: &str, module: &str, pairs: &[(&str, &str)]) -> Vec<u8> {
    let mut line: Map<String, Value> = pairs.iter().map(|(key, text)| ((*key).to_owned(), (*text).into())).collect();
    put_head(&mut line, Level::ERROR, message.to_owned(), module);
    finished(line)
}

fn put_head(line: &mut Map<String, Value>, of: Level, message: String, module: &str) {
    line.insert("@level".to_owned(), level(of).into());
    line.insert("@message".to_owned(), message.into());
    line.insert("@module".to_owned(), module.into());
    line.insert("@timestamp".to_owned(), timestamp(SystemTime::now()).into());
}

type Out = dyn Fn(&[u8]) + Send + Sync;

/// The fields of a span or an event.
#[derive(Default)]
struct Fields {
    values: Map<String, Value>,
    logger: Option<String>,
    message: Option<String>,
}

impl Fields {
    fn put(&mut self, field: &Field, value: Value) {
        let text = |value: Value| match value {
            Value::String(text) => text,
            other => other.to_string(),
        };
        match field.name() {
            "message" => self.message = Some(text(value)),
            "logger" => self.logger = Some(text(value)),
            // hclog's own keys: a host would take them for its own.
            name if name.starts_with('@') => {
                self.values.insert(format!("field.{name}"), value);
            }
            // What a raw identifier's field is called.
            name => {
                self.values.insert(name.strip_prefix("r#").unwrap_or(name).to_owned(), value);
            }
        }
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, Value::String(format!("{value:?}")));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, Value::String(value.to_owned()));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, Value::Bool(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        let exact = value.unsigned_abs() <= EXACT;
        self.put(field, if exact { value.into() } else { Value::String(value.to_string()) });
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, if value <= EXACT { value.into() } else { Value::String(value.to_string()) });
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.put(field, Value::String(value.to_string()));
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.put(field, Value::String(value.to_string()));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        let number = serde_json::Number::from_f64(value).map(Value::Number);
        self.put(field, number.unwrap_or_else(|| Value::String(value.to_string())));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        let mut text = value.to_string();
        let mut source = value.source();
        while let Some(cause) = source {
            text = format!("{text}: {cause}");
            source = cause.source();
        }
        self.put(field, Value::String(text));
    }
}

impl<S> Layer<S> for HclogLayer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &span::Attributes<'_>, id: &span::Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            let mut fields = Fields::default();
            attributes.record(&mut fields);
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &span::Id, values: &span::Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let (mut line, mut loggers) = (Map::new(), Vec::new());
        for span in context.event_scope(event).into_iter().flat_map(|scope| scope.from_root()) {
            if let Some(fields) = span.extensions().get::<Fields>() {
                line.extend(fields.values.clone());
                loggers.extend(fields.logger.clone());
            }
        }
        self.write(event, line, loggers);
    }
}

impl HclogLayer {
    /// Writes an event that no span is around.
    pub(crate) fn write_alone(&self, event: &Event<'_>) {
        self.write(event, Map::new(), Vec::new());
    }

    /// Writes an event; the others are what the spans around it say.
    fn write(&self, event: &Event<'_>, mut line: Map<String, Value>, mut loggers: Vec<String>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        line.extend(fields.values);
        loggers.extend(fields.logger);
        if !loggers.is_empty() {
            line.insert("logger".to_owned(), loggers.join(".").into());
        }
        let metadata = event.metadata();
        put_head(&mut line, *metadata.level(), fields.message.unwrap_or_default(), metadata.target());
        (self.out)(&finished(line));
    }
}

fn level(level: Level) -> &'static str {
    match level {
        Level::TRACE => "trace",
        Level::DEBUG => "debug",
        Level::INFO => "info",
        Level::WARN => "warn",
        Level::ERROR => "error",
    }
}

/// One line with its line feed, cut to what a host parses.
fn finished(mut line: Map<String, Value>) -> Vec<u8> {
    let mut out = serialized(&line);
    // Escapes make a text longer by up to six times, so the cut is tried and measured, not computed.
    let mut longest = MAX_LINE / 2;
    while out.len() > MAX_LINE && longest > 16 {
        line.insert("truncated".to_owned(), true.into());
        for value in line.values_mut() {
            if let Value::String(text) = value {
                cut(text, longest);
            }
        }
        out = serialized(&line);
        longest /= 2;
    }
    if out.len() > MAX_LINE {
        // Thousands of keys: the message alone is left.
        line.retain(|key, _| key.starts_with('@') || key == "truncated");
        out = serialized(&line);
    }
    out
}

fn serialized(line: &Map<String, Value>) -> Vec<u8> {
    // A map of strings, numbers and booleans always serializes.
    let mut out = serde_json::to_vec(line).unwrap_or_default();
    out.push(b'\n');
    out
}

fn cut(text: &mut String, longest: usize) {
    if text.len() > longest {
        let end = (0..=longest).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
}

/// `2006-01-02T15:04:05.000000Z`, in UTC. Times before 1970 are shown as its beginning.
fn timestamp(at: SystemTime) -> String {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (days, second) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
    let (year, month, day) = date(days);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:06}Z", since.subsec_micros())
}

/// The Gregorian date that lies `days` after 1970-01-01.
fn date(days: u64) -> (u64, u64, u64) {
    // Counted in eras of 400 years that begin on 1 March, so that the leap day is the last of its year.
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
#[path = "writer_tests.rs"]
mod tests;
