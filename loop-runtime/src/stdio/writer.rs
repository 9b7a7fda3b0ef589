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
use tracing::{Event, Level, Subscriber, span};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::fields::{Around, Fields};

/// The longest line that a Go host still parses, its line feed included.
const MAX_LINE: usize = 64 * 1024;

/// A [`tracing_subscriber`] layer that writes every event as one line of hclog's JSON.
///
/// [`Plugin`](crate::plugin::Plugin) installs it if the program has no subscriber of its own yet; a program that builds its
/// own adds this layer, or its logs reach the host as plain text at info level.
///
/// The target becomes `@module`, the fields of the event and of the spans around it become keys of their own (the
/// innermost wins), and `spans` says which spans these are, with the fields of each, outermost first:
/// `request{id=7}:query{table=prices}`. A field named `logger` is special, as LOOP hosts want it: those of the spans, outermost first,
/// and of the event are joined with dots, so that a host shows `Median.DataSource` as a sub-logger.
///
/// Records of the crate `log` that `tracing-log` brings have the target and the level with which they were made.
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
        if let Some(span) = context.span(id) {
            // A value may log while it is shown, which looks at the span: it must not be locked then.
            let mut fields = Fields::default();
            values.record(&mut fields);
            if let Some(known) = span.extensions_mut().get_mut::<Fields>() {
                known.extend(fields);
            }
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let around = context.event_scope(event).map(|scope| Around::new(scope.from_root()));
        self.write_event(event, around.unwrap_or_default());
    }
}

impl HclogLayer {
    /// Writes an event that these spans are around.
    pub(crate) fn write_event(&self, event: &Event<'_>, around: Around) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let metadata = event.metadata();
        // The bridge from the crate `log` says in fields what a record's target was.
        let bridged = metadata.name() == "log event" && metadata.target() == "log";
        let target = if bridged { fields.take_bridged() } else { None };
        self.write(*metadata.level(), target.as_deref().unwrap_or(metadata.target()), fields, around);
    }

    /// Writes a record of the crate `log`.
    pub(crate) fn write_record(&self, record: &log::Record<'_>, around: Around) {
        let module = record.module_path().filter(|module| *module != record.target());
        let level = level_of(record.level());
        self.write(level, record.target(), Fields::of_text(record.args().to_string(), module), around);
    }

    fn write(&self, level: Level, target: &str, fields: Fields, around: Around) {
        let (mut line, message) = around.with(fields);
        put_head(&mut line, level, message, target);
        (self.out)(&finished(line));
    }
}

/// The same level in the words of `tracing`.
pub(crate) fn level_of(level: log::Level) -> Level {
    match level {
        log::Level::Error => Level::ERROR,
        log::Level::Warn => Level::WARN,
        log::Level::Info => Level::INFO,
        log::Level::Debug => Level::DEBUG,
        log::Level::Trace => Level::TRACE,
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
