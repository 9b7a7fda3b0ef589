//! Named parts, which log and report their health.

use std::collections::BTreeMap;

/// A part of the stand-in, and the parts below it.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    name: String,
    /// All that are below, not only the children.
    below: Vec<String>,
}

impl Part {
    pub(crate) fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), below: Vec::new() }
    }

    /// The part `name` of this one.
    pub(crate) fn part(&self, name: &str) -> Self {
        Self::new(format!("{}.{name}", self.name))
    }

    /// With the parts below it.
    pub(crate) fn over(mut self, parts: impl IntoIterator<Item = Part>) -> Self {
        for part in parts {
            self.below.push(part.name);
            self.below.extend(part.below);
        }
        self
    }

    /// A line of the log. Hosts take the field `logger` for the name of a sub-logger, and Chainlink's tests look for a line
    /// of each.
    pub(crate) fn says(&self, what: &str) {
        log(&self.name, what);
    }

    /// Every part reports good health.
    pub(crate) fn health(&self) -> BTreeMap<String, String> {
        let all = std::iter::once(&self.name).chain(&self.below);
        all.inspect(|name| log(name, "Ready")).map(|name| (name.clone(), String::new())).collect()
    }
}

fn log(logger: &str, what: &str) {
    tracing::info!(logger, "{what}");
}
