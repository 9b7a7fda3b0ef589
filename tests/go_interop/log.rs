//! What the host in Rust logs of its plugins, kept for the tests.

use std::collections::HashMap;
use std::fmt::{Debug, Write as _};
use std::sync::LazyLock;

use tokio::sync::watch;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, registry::Registry};

/// Of each plugin, the events that name it: the level, the message, the target, and the other fields as
/// `name=value`.
static LINES: LazyLock<watch::Sender<HashMap<String, Vec<String>>>> = LazyLock::new(Default::default);

/// Begins to keep what is logged.
pub(crate) fn install() {
    Registry::default().with(EnvFilter::new("plugin=trace,loop_runtime=debug")).with(Keep).init();
}

/// Waits until `plugin` has logged a line that contains `text`.
pub(crate) async fn until(plugin: &str, text: &str) {
    let found = |line: &String| line.contains(text);
    LINES.subscribe().wait_for(|all| all.get(plugin).is_some_and(|lines| lines.iter().any(found))).await.unwrap();
}

/// All that was logged of `plugin` and contains `text`.
pub(crate) fn lines(plugin: &str, text: &str) -> Vec<String> {
    let all = LINES.borrow();
    all.get(plugin).into_iter().flatten().filter(|line| line.contains(text)).cloned().collect()
}

struct Keep;

impl<S: Subscriber> Layer<S> for Keep {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        if let Some(plugin) = fields.plugin {
            let metadata = event.metadata();
            let text = format!("{} {} {}{}", metadata.level(), fields.message, metadata.target(), fields.others);
            LINES.send_modify(|all| all.entry(plugin).or_default().push(text));
        }
    }
}

#[derive(Default)]
struct Fields {
    plugin: Option<String>,
    message: String,
    others: String,
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        match field.name() {
            "plugin" => self.plugin = Some(format!("{value:?}")),
            "message" => self.message = format!("{value:?}"),
            name => write!(self.others, " {name}={value:?}").unwrap(),
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "plugin" => self.plugin = Some(value.to_owned()),
            _ => self.record_debug(field, &value),
        }
    }
}
