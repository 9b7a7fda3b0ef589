//! Metadata for events whose target and fields are known only when they come.
//!
//! `tracing` knows an event by its callsite, which lives as long as the program, and filters remember what they think of
//! it. So each combination of level, target and names of fields, a shape, becomes a callsite once and is never freed. The
//! combinations come from other processes, so there is a bound on them: on those of one plugin, so that it takes nothing
//! from the others, and on all.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, OnceLock};

use tracing::subscriber::Interest;
use tracing::{Level, Metadata, dispatcher};
use tracing_core::callsite::{self, Callsite, Identifier};
use tracing_core::field::FieldSet;
use tracing_core::metadata::Kind;

use crate::sync::locked;

/// The shapes of all plugins of this process: some megabytes, if somebody tries.
pub(super) static SHAPES: Shapes = Shapes::new(512, 1024);

/// A table of shapes.
pub(super) struct Shapes {
    of_one: usize,
    of_all: usize,
    table: Mutex<Table>,
}

struct Table {
    known: BTreeMap<String, &'static Shape>,
    /// How many each plugin has. Only what has a shape is here, so this is bounded too.
    plugins: BTreeMap<String, Count>,
    told: bool,
}

#[derive(Default)]
struct Count {
    shapes: usize,
    told: bool,
}

/// What there is for an event.
pub(super) enum Found {
    Shape(&'static Shape),
    /// There are too many already.
    Full {
        /// Nobody was told so before.
        news: bool,
    },
}

impl Shapes {
    /// `of_one` plugin at most, and `of_all` of them.
    pub(super) const fn new(of_one: usize, of_all: usize) -> Self {
        let table = Table { known: BTreeMap::new(), plugins: BTreeMap::new(), told: false };
        Self { of_one, of_all, table: Mutex::new(table) }
    }

    /// The shape with this level, this target and these fields, made if there is room for it.
    pub(super) fn get(&self, plugin: &str, level: Level, target: &str, names: &[&str]) -> Found {
        let key = [&[level.as_str(), target], names].concat().join("\0");
        let shape = {
            let mut table = locked(&self.table);
            if let Some(shape) = table.known.get(&key) {
                return Found::Shape(shape);
            }
            if table.known.len() >= self.of_all {
                return Found::Full { news: !std::mem::replace(&mut table.told, true) };
            }
            let count = table.plugins.entry(plugin.to_owned()).or_default();
            if count.shapes >= self.of_one {
                return Found::Full { news: !std::mem::replace(&mut count.told, true) };
            }
            count.shapes += 1;
            let shape = Shape::leaked(level, target, names);
            table.known.insert(key, shape);
            shape
        };
        // It asks the subscribers, which may do as they like. Who takes the shape from the table meanwhile asks them at
        // every event.
        callsite::register(shape);
        Found::Shape(shape)
    }

    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        locked(&self.table).known.len()
    }
}

/// A callsite.
pub(super) struct Shape {
    metadata: OnceLock<Metadata<'static>>,
    interest: AtomicU8,
}

const NEVER: u8 = 0;
const SOMETIMES: u8 = 1;
const ALWAYS: u8 = 2;

/// What stands in for metadata that are not there yet, which nobody ever sees.
static NOBODY: Shape = Shape::new();
static NOTHING: Metadata<'static> = described(&NOBODY, Level::TRACE, "plugin", &[]);

impl Shape {
    const fn new() -> Self {
        Self { metadata: OnceLock::new(), interest: AtomicU8::new(SOMETIMES) }
    }

    fn leaked(level: Level, target: &str, names: &[&str]) -> &'static Self {
        let shape: &'static Self = Box::leak(Box::new(Self::new()));
        let names: Vec<&'static str> = names.iter().map(|name| leaked(name)).collect();
        shape.metadata.get_or_init(|| described(shape, level, leaked(target), names.leak()));
        shape
    }

    pub(super) fn described(&self) -> &Metadata<'static> {
        self.metadata.get().unwrap_or(&NOTHING)
    }

    /// Whether some subscriber wants an event of this shape now.
    pub(super) fn is_wanted(&self) -> bool {
        match self.interest.load(Ordering::Relaxed) {
            NEVER => false,
            ALWAYS => true,
            _ => dispatcher::get_default(|dispatch| dispatch.enabled(self.described())),
        }
    }
}

impl Callsite for Shape {
    fn set_interest(&self, interest: Interest) {
        let interest = match () {
            () if interest.is_never() => NEVER,
            () if interest.is_always() => ALWAYS,
            () => SOMETIMES,
        };
        self.interest.store(interest, Ordering::Relaxed);
    }

    fn metadata(&self) -> &Metadata<'_> {
        self.described()
    }
}

const fn described(
    of: &'static Shape,
    level: Level,
    target: &'static str,
    names: &'static [&'static str],
) -> Metadata<'static> {
    let fields = FieldSet::new(names, Identifier(of));
    Metadata::new("record of a plugin", target, level, None, None, None, fields, Kind::EVENT)
}

fn leaked(text: &str) -> &'static str {
    String::from(text).leak()
}

#[cfg(test)]
#[path = "shapes_tests.rs"]
mod tests;
