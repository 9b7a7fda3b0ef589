//! What events and the spans around them say, as keys and values of a line.

use std::error::Error;
use std::fmt;

use serde_json::{Map, Value};
use tracing::Subscriber;
use tracing::field::{Field, Visit};
use tracing_subscriber::registry::{LookupSpan, SpanRef};

use super::pairs::write_pairs;

/// Integers beyond this lose digits in a Go host, which reads numbers as float64; they are written as strings.
pub(super) const EXACT: u64 = 1 << 53;

/// The key of the spans around an event.
const SPANS: &str = "spans";

/// The fields of a span or an event.
#[derive(Default)]
pub(super) struct Fields {
    values: Map<String, Value>,
    logger: Option<String>,
    message: Option<String>,
}

impl Fields {
    /// A text, from this module.
    pub(super) fn of_text(message: String, module: Option<&str>) -> Self {
        let values = module.map(|module| ("module".to_owned(), module.into()));
        Self { values: values.into_iter().collect(), logger: None, message: Some(message) }
    }

    /// Takes what is newer.
    pub(super) fn extend(&mut self, newer: Self) {
        self.values.extend(newer.values);
        self.logger = newer.logger.or(self.logger.take());
        self.message = newer.message.or(self.message.take());
    }

    /// Takes out what `tracing-log` says of a record, and gives its target.
    pub(super) fn take_bridged(&mut self) -> Option<String> {
        let target = self.values.remove("log.target");
        let module = self.values.remove("log.module_path").filter(|module| Some(module) != target.as_ref());
        self.values.extend(module.map(|module| ("module".to_owned(), module)));
        self.values.retain(|key, _| !matches!(key.as_str(), "log.file" | "log.line"));
        target.as_ref().and_then(Value::as_str).map(str::to_owned)
    }

    fn put(&mut self, field: &Field, value: Value) {
        let text = |value: Value| match value {
            Value::String(text) => text,
            other => other.to_string(),
        };
        match field.name() {
            "message" => self.message = Some(text(value)),
            "logger" => self.logger = Some(text(value)),
            // hclog's own keys, and ours: a host would take them for what they are not.
            name if name.starts_with('@') || name == SPANS => {
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

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        let mut text = value.to_string();
        let mut source = value.source();
        while let Some(cause) = source {
            text = format!("{text}: {cause}");
            source = cause.source();
        }
        self.put(field, Value::String(text));
    }
}

/// What the spans around an event say together.
#[derive(Default)]
pub(crate) struct Around {
    values: Map<String, Value>,
    loggers: Vec<String>,
    /// `outer{key=value}:inner`.
    spans: String,
}

impl Around {
    /// Of these spans, outermost first.
    pub(crate) fn new<'a, S>(spans: impl Iterator<Item = SpanRef<'a, S>>) -> Self
    where
        S: Subscriber + LookupSpan<'a>,
    {
        let mut around = Self::default();
        for span in spans {
            if let Some(fields) = span.extensions().get::<Fields>() {
                around.add(span.name(), fields);
            }
        }
        around
    }

    fn add(&mut self, name: &str, fields: &Fields) {
        if !self.spans.is_empty() {
            self.spans.push(':');
        }
        self.spans.push_str(name);
        let texts = [("logger", &fields.logger), ("message", &fields.message)];
        let texts: Vec<(&str, Value)> =
            texts.into_iter().filter_map(|(key, text)| Some((key, text.clone()?.into()))).collect();
        let all = fields.values.iter().map(|(key, value)| (key.as_str(), value));
        let mut all = texts.iter().map(|(key, value)| (*key, value)).chain(all).peekable();
        if all.peek().is_some() {
            self.spans.push('{');
            // A string takes everything.
            let _ = write_pairs(&mut self.spans, all);
            self.spans.push('}');
        }
        self.values.extend(fields.values.clone());
        self.loggers.extend(fields.logger.clone());
    }

    /// The line without its head, and the message, of an event with these fields.
    pub(super) fn with(mut self, fields: Fields) -> (Map<String, Value>, String) {
        let mut line = self.values;
        line.extend(fields.values);
        self.loggers.extend(fields.logger);
        if !self.loggers.is_empty() {
            line.insert("logger".to_owned(), self.loggers.join(".").into());
        }
        if !self.spans.is_empty() {
            line.insert(SPANS.to_owned(), self.spans.into());
        }
        (line, fields.message.unwrap_or_default())
    }
}
