//! Reads what a plugin writes to stderr: JSON lines as HashiCorp's hclog makes them, plain text with or without
//! a level in front, and panics. The rules are go-plugin's, so that a plugin is shown as a Go host would show it, but for
//! one: a Go host makes an error of every plain line that ever comes after a panic, and here a panic is one record.

use std::fmt;

use serde_json::{Map, Value};
use tracing::Level;

use super::fatal::{Fatal, Open, begins};
use super::lines::Piece;

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
    /// It is a panic, or like one, and has all lines that belong to it.
    pub(crate) fatal: Option<Fatal>,
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
    /// Reads what comes next. Never fails: what is not understood is text at `DEBUG`.
    pub(crate) fn feed(&mut self, piece: Piece<'_>, out: &mut impl FnMut(Record)) {
        let line = match piece {
            Piece::Line(line) => line,
            // Of a line that is too long to be read.
            Piece::Part(part) => {
                self.settle(out);
                return out(Record::text(Level::DEBUG, String::from_utf8_lossy(part).into_owned()));
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
            out(Record::text(Level::DEBUG, line));
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
            None => out(Record::text(Level::DEBUG, text)),
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
        return Some(Record::text(Level::DEBUG, line.into()));
    };
    // These two may be anything; only text has a place of its own.
    let module = take_text(&mut object, "@module").ok().flatten();
    let caller = take_text(&mut object, "@caller").ok().flatten();
    let message = message.unwrap_or_default();
    Some(Record { level, message, module, caller, timestamp, pairs: Pairs(object), fatal: None })
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
    fn text(level: Level, message: String) -> Self {
        Self { level, message, module: None, caller: None, timestamp: None, pairs: Pairs::default(), fatal: None }
    }

    /// Passes the record to this process's `tracing` subscriber, under the target `plugin`.
    ///
    /// The keys of an event are fixed when the program is compiled, and those of a plugin are not, so they come
    /// together in one field, `pairs`.
    pub(crate) fn emit(&self, plugin: &str) {
        macro_rules! event {
            ($level:expr) => {
                tracing::event!(
                    target: "plugin",
                    $level,
                    plugin,
                    module = self.module,
                    caller = self.caller,
                    timestamp = self.timestamp,
                    pairs = self.pairs.shown().map(tracing::field::display),
                    "{}",
                    self.message
                )
            };
        }
        match self.level {
            Level::ERROR => event!(Level::ERROR),
            Level::WARN => event!(Level::WARN),
            Level::INFO => event!(Level::INFO),
            Level::DEBUG => event!(Level::DEBUG),
            Level::TRACE => event!(Level::TRACE),
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

impl Pairs {
    /// Itself, unless there is nothing to show.
    fn shown(&self) -> Option<&Self> {
        (!self.0.is_empty()).then_some(self)
    }
}

/// `key=value key="two words"`.
impl fmt::Display for Pairs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, (key, value)) in self.0.iter().enumerate() {
            let gap = if n == 0 { "" } else { " " };
            match value {
                Value::String(text) if is_word(text) => write!(f, "{gap}{key}={text}")?,
                other => write!(f, "{gap}{key}={other}")?,
            }
        }
        Ok(())
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || "-_./:+@%".contains(c))
}

#[cfg(test)]
#[path = "hclog_tests.rs"]
mod tests;
