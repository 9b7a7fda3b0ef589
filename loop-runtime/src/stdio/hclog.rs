//! Reads what a plugin writes to stderr: JSON lines as HashiCorp's hclog makes them, plain text with or without
//! a level in front, and panics. The rules are go-plugin's, so that a plugin is shown as a Go host would show it, but for
//! two. A Go host makes an error of every plain line that ever comes after a panic, and here a panic is one record. And a
//! line without a level is at `INFO`, where a Go host has `DEBUG`: what a program prints is meant to be read, and most
//! hosts show nothing below `INFO`.

use std::fmt;

use serde_json::{Map, Value};
use tracing::Level;

use super::fatal::{Fatal, Open, begins};
use super::lines::Piece;
use super::pairs::write_pairs;

/// The level of what says none.
const PRINTED: Level = Level::INFO;

/// One line of a plugin's log.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Record {
    pub(crate) level: Level,
    pub(crate) message: String,
    /// Module and source position, where the plugin says so.
    pub(crate) module: Option<String>,
    pub(crate) caller: Option<String>,
    /// As the plugin wrote it.
    pub(crate) timestamp: Option<String>,
    pub(crate) pairs: Pairs,
    /// It is no line of a log, but text.
    pub(crate) printed: Option<Stream>,
    /// It is a panic, or like one, and has all lines that belong to it.
    pub(crate) fatal: Option<Fatal>,
}

/// Where text was printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    Stdout,
    Stderr,
}

/// The further keys and values of a record, in the order of the keys.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Pairs(Map<String, Value>);

/// Remembers, from line to line, a panic that has begun.
#[derive(Debug, Default)]
pub(crate) struct Parser {
    open: Option<Open>,
}

impl Parser {
    /// Reads what comes next. Never fails: what is not understood is text at `INFO`.
    pub(crate) fn feed(&mut self, piece: Piece<'_>, out: &mut impl FnMut(Record)) {
        let line = match piece {
            Piece::Line(line) => line,
            // Of a line that is too long to be read.
            Piece::Part(part) => {
                self.settle(out);
                return out(Record::text(PRINTED, String::from_utf8_lossy(part).into_owned()));
            }
        };
        let text = String::from_utf8_lossy(line);
        // Most lines that are no JSON are told from their first byte.
        if text.trim_start().starts_with('{')
            && let Ok(Value::Object(object)) = serde_json::from_str(&text)
            && let Some(record) = structured(object, &text)
        {
            self.settle(out);
            return out(record);
        }
        self.plain(text.into_owned(), out);
    }

    /// Whether lines are held back because more of a panic may come.
    pub(crate) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Gives what was held back: nothing more has come for a while, or ever will.
    pub(crate) fn settle(&mut self, out: &mut impl FnMut(Record)) {
        let Some(open) = self.open.take() else { return };
        let (fatal, others) = open.close();
        out(Record { fatal: Some(fatal.clone()), ..Record::text(Level::ERROR, fatal.text) });
        for line in others {
            out(Record::text(PRINTED, line));
        }
    }

    fn plain(&mut self, text: String, out: &mut impl FnMut(Record)) {
        const PREFIXES: [(&str, Level); 5] = [
            ("[TRACE]", Level::TRACE),
            ("[DEBUG]", Level::DEBUG),
            ("[INFO]", Level::INFO),
            ("[WARN]", Level::WARN),
            ("[ERROR]", Level::ERROR),
        ];
        if let Some((_, level)) = PREFIXES.iter().find(|(prefix, _)| text.starts_with(prefix)) {
            self.settle(out);
            return out(Record::text(*level, text));
        }
        let rest = match &mut self.open {
            Some(open) => open.take(text),
            None => Some(text),
        };
        let Some(text) = rest else { return };
        self.settle(out);
        match begins(&text) {
            Some(kind) => self.open = Some(Open::new(kind, text)),
            None => out(Record::text(PRINTED, text)),
        }
    }
}

/// A JSON object as hclog writes it. `None`: go-plugin takes it for plain text (its host crashes on some).
fn structured(mut object: Map<String, Value>, line: &str) -> Option<Record> {
    let message = take_text(&mut object, "@message").ok()?;
    let level = take_text(&mut object, "@level").ok()?;
    let timestamp = take_text(&mut object, "@timestamp").ok()?;
    if timestamp.as_deref().is_some_and(|timestamp| !is_timestamp(timestamp)) {
        return None;
    }
    let Some(level) = level.as_deref().and_then(level_named) else {
        return Some(Record::text(PRINTED, line.into()));
    };
    // These two may be anything; only text has a place of its own.
    let module = take_text(&mut object, "@module").ok().flatten();
    let caller = take_text(&mut object, "@caller").ok().flatten();
    let message = message.unwrap_or_default();
    Some(Record { level, message, module, caller, timestamp, pairs: Pairs(object), printed: None, fatal: None })
}

/// The string under `key`, removed. `Err` if something else is there, which then stays.
fn take_text(object: &mut Map<String, Value>, key: &str) -> Result<Option<String>, ()> {
    match object.get_mut(key) {
        None => Ok(None),
        Some(Value::String(text)) => {
            let text = std::mem::take(text);
            object.remove(key);
            Ok(Some(text))
        }
        Some(_) => Err(()),
    }
}

fn level_named(name: &str) -> Option<Level> {
    let levels = [
        ("trace", Level::TRACE),
        ("debug", Level::DEBUG),
        ("info", Level::INFO),
        ("warn", Level::WARN),
        ("error", Level::ERROR),
    ];
    levels.iter().find(|(known, _)| name.trim().eq_ignore_ascii_case(known)).map(|(_, level)| *level)
}

/// RFC 3339 with exactly six digits of a second's fraction: `2026-11-22T07:33:02.454675Z`, or `+01:00` for `Z`.
fn is_timestamp(text: &str) -> bool {
    const SHAPE: &[u8] = b"dddd-dd-ddTdd:dd:dd.dddddd";
    let fits = |shape: &[u8], text: &[u8]| {
        shape.len() == text.len()
            && shape.iter().zip(text).all(|(shape, byte)| match shape {
                b'd' => byte.is_ascii_digit(),
                b'+' => matches!(byte, b'+' | b'-'),
                other => byte == other,
            })
    };
    text.as_bytes()
        .split_at_checked(SHAPE.len())
        .is_some_and(|(time, zone)| fits(SHAPE, time) && (zone == b"Z" || fits(b"+dd:dd", zone)))
}

impl Record {
    /// A line of text that came by the host's subscription.
    pub(crate) fn printed(on: Stream, line: &str) -> Self {
        Self { printed: Some(on), ..Self::text(PRINTED, line.to_owned()) }
    }

    fn text(level: Level, message: String) -> Self {
        let printed = Some(Stream::Stderr);
        Self {
            level,
            message,
            module: None,
            caller: None,
            timestamp: None,
            pairs: Pairs::default(),
            printed,
            fatal: None,
        }
    }
}

/// For people: `error: cannot open db path=/x`. Text is shown as it came.
impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.timestamp.is_none() && self.module.is_none() && self.pairs.0.is_empty() {
            return f.write_str(&self.message);
        }
        write!(f, "{}: {}", self.level.as_str().to_ascii_lowercase(), self.message)?;
        self.pairs.shown().map_or(Ok(()), |pairs| write!(f, " {pairs}"))
    }
}

impl Stream {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}

impl Pairs {
    /// Itself, unless there is nothing to show.
    pub(crate) fn shown(&self) -> Option<&Self> {
        (!self.0.is_empty()).then_some(self)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }
}

impl fmt::Display for Pairs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_pairs(f, self.iter())
    }
}

#[cfg(test)]
#[path = "hclog_tests.rs"]
mod tests;
