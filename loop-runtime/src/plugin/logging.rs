//! The subscriber of a plugin that has none of its own.

use std::sync::OnceLock;

use tracing::level_filters::LevelFilter;
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Subscriber, span};
use tracing_core::span::Current;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Layer, Layered};
use tracing_subscriber::prelude::*;
use tracing_subscriber::registry::Registry;

use crate::stdio::writer::HclogLayer;

/// Installs hclog's lines on stderr, unless the program has installed a subscriber already.
///
/// The filter is not `EnvFilter`, which besides targets and levels knows spans and the values of their fields: the tables
/// of regular expressions that it brings along are a quarter of the memory of an idle plugin, and of what is loaded
/// before the handshake line.
pub(crate) fn install(filter: Option<&str>) {
    let wanted = std::env::var("RUST_LOG").ok().filter(|text| !text.is_empty());
    let wanted = wanted.as_deref().or(filter).map(str::parse::<Targets>);
    let (targets, refused) = match wanted {
        Some(Ok(targets)) => (targets, None),
        Some(Err(error)) => (by_default(), Some(error)),
        None => (by_default(), None),
    };
    let _ = Log::new(targets, HclogLayer::new).try_init();
    if let Some(error) = refused {
        tracing::warn!(%error, "the filter of the log is not a list of targets with levels");
    }
}

/// What is logged otherwise: everything but the trace of the application, because the host filters by its own level,
/// and of the runtime and the transport what matters.
fn by_default() -> Targets {
    Targets::new()
        .with_default(Level::DEBUG)
        .with_target("loop_runtime", Level::INFO)
        .with_targets(["h2", "hyper", "hyper_util", "tonic", "tower"].map(|target| (target, Level::WARN)))
}

/// [`Targets`] and [`HclogLayer`] over a [`Registry`] that is not made before the first span is: it is 32 KiB, a tenth of an
/// idle plugin, and most plugins have no spans that the filter lets pass.
struct Log {
    targets: Targets,
    layer: fn() -> HclogLayer,
    alone: HclogLayer,
    spans: OnceLock<Layered<HclogLayer, Registry>>,
}

impl Log {
    fn new(targets: Targets, layer: fn() -> HclogLayer) -> Self {
        Self { targets, layer, alone: layer(), spans: OnceLock::new() }
    }
}

impl Subscriber for Log {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        Layer::<Registry>::register_callsite(&self.targets, metadata)
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.targets.would_enable(metadata.target(), metadata.level())
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Layer::<Registry>::max_level_hint(&self.targets)
    }

    fn new_span(&self, attributes: &span::Attributes<'_>) -> span::Id {
        self.spans.get_or_init(|| Registry::default().with((self.layer)())).new_span(attributes)
    }

    fn event(&self, event: &Event<'_>) {
        match self.spans.get() {
            Some(spans) => spans.event(event),
            None => self.alone.write_alone(event),
        }
    }

    // Of spans nobody speaks before there is one.

    fn record(&self, id: &span::Id, values: &span::Record<'_>) {
        self.spans.get().inspect(|spans| spans.record(id, values));
    }

    fn record_follows_from(&self, id: &span::Id, follows: &span::Id) {
        self.spans.get().inspect(|spans| spans.record_follows_from(id, follows));
    }

    fn enter(&self, id: &span::Id) {
        self.spans.get().inspect(|spans| spans.enter(id));
    }

    fn exit(&self, id: &span::Id) {
        self.spans.get().inspect(|spans| spans.exit(id));
    }

    fn clone_span(&self, id: &span::Id) -> span::Id {
        self.spans.get().map_or_else(|| id.clone(), |spans| spans.clone_span(id))
    }

    fn try_close(&self, id: span::Id) -> bool {
        self.spans.get().is_some_and(|spans| spans.try_close(id))
    }

    fn current_span(&self) -> Current {
        self.spans.get().map_or_else(Current::none, Subscriber::current_span)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use tracing::{debug, info, info_span, trace};

    use super::*;

    thread_local! {
        static LINES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    }

    fn layer() -> HclogLayer {
        HclogLayer::writing_to(|line| {
            LINES.with_borrow_mut(|lines| lines.push(String::from_utf8_lossy(line).into_owned()))
        })
    }

    #[test]
    fn spans_cost_nothing_before_there_is_one() {
        let targets: Targets = "info,deep=trace".parse().unwrap();
        let dispatch = tracing::Dispatch::new(Log::new(targets, layer));
        let made = || dispatch.downcast_ref::<Log>().unwrap().spans.get().is_some();
        tracing::dispatcher::with_default(&dispatch, || {
            info!("alone");
            debug!("unwanted");
            trace!(target: "deep", "wanted");
            let _unwanted = tracing::debug_span!("unwanted", job = 1).entered();
            assert!(!made());
            let span = info_span!("outer", job = 7, late = tracing::field::Empty);
            assert!(made());
            span.record("late", "yes");
            let inner = span.in_scope(|| info_span!("inner", logger = "Feed"));
            drop(span);
            inner.clone().in_scope(|| info!("within"));
            assert!(tracing::Span::current().is_none());
            drop(inner);
            info!("alone again");
        });
        let lines = LINES.take();
        let said = |line: usize, texts: &[&str]| texts.iter().all(|text| lines[line].contains(text));
        assert_eq!(lines.len(), 4, "{lines:?}");
        assert!(said(0, &["\"alone\""]) && said(1, &["\"wanted\"", "\"trace\""]), "{lines:?}");
        assert!(said(2, &["\"within\"", "\"job\":7", "\"late\":\"yes\"", "\"logger\":\"Feed\""]), "{lines:?}");
        assert!(said(3, &["\"alone again\""]) && !lines[3].contains("job"), "{lines:?}");
    }
}
