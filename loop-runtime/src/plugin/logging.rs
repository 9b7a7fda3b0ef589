//! The subscriber of a plugin that has none of its own, and its logger for the crate `log`.

use std::sync::OnceLock;

use tracing::level_filters::LevelFilter;
use tracing::subscriber::Interest;
use tracing::{Dispatch, Event, Level, Metadata, Subscriber, dispatcher, span};
use tracing_core::span::Current;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Layer, Layered};
use tracing_subscriber::prelude::*;
use tracing_subscriber::registry::{LookupSpan, Registry};

use crate::stdio::fields::Around;
use crate::stdio::writer::{HclogLayer, level_of};

/// Installs hclog's lines on stderr, unless the program has installed a subscriber already. Then records of the crate `log`
/// go there too, unless the program has a logger.
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
    // Not by `init` of `tracing_subscriber`: if the program has that crate with all its features, it sets a logger too, whose
    // events have lost the target of the record.
    let log: &'static Log = Box::leak(Box::new(Log::new(targets, HclogLayer::new)));
    if dispatcher::set_global_default(Dispatch::new(log)).is_ok() && log::set_logger(log).is_ok() {
        log::set_max_level(log.max_level());
    }
    if let Some(error) = refused {
        tracing::warn!(%error, "the filter of the log is not a list of targets with levels");
    }
}

/// What is logged otherwise: everything but the trace of the application, because the host filters by its own level,
/// and of the runtime and the transport what matters.
fn by_default() -> Targets {
    // By the crate's name of the moment: the package in `portable/` has another.
    Targets::new().with_default(Level::DEBUG).with_target(env!("CARGO_CRATE_NAME"), Level::INFO).with_targets(
        ["h2", "hyper", "hyper_util", "rustls", "tonic", "tower", "yamux"].map(|target| (target, Level::WARN)),
    )
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

    fn max_level(&self) -> log::LevelFilter {
        match Layer::<Registry>::max_level_hint(&self.targets).and_then(LevelFilter::into_level) {
            None => log::LevelFilter::Off,
            Some(Level::ERROR) => log::LevelFilter::Error,
            Some(Level::WARN) => log::LevelFilter::Warn,
            Some(Level::INFO) => log::LevelFilter::Info,
            Some(Level::DEBUG) => log::LevelFilter::Debug,
            Some(Level::TRACE) => log::LevelFilter::Trace,
        }
    }
}

impl log::Log for Log {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        self.targets.would_enable(metadata.target(), &level_of(metadata.level()))
    }

    fn log(&self, record: &log::Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let around = self.spans.get().and_then(|spans| {
            let current = spans.current_span();
            let scope = spans.span(current.id()?)?.scope();
            Some(Around::new(scope.from_root()))
        });
        self.alone.write_record(record, around.unwrap_or_default());
    }

    fn flush(&self) {}
}

// By reference, because the logger of the crate `log` is the same.
impl Subscriber for &'static Log {
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
            None => self.alone.write_event(event, Around::default()),
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

    fn leaked(targets: Targets) -> &'static Log {
        Box::leak(Box::new(Log::new(targets, layer)))
    }

    #[test]
    fn records_of_log_become_lines() {
        let log = leaked("info,deep=trace".parse().unwrap());
        let say = |level: log::Level, target: &str, text: &str| {
            let mut record = log::Record::builder();
            record.level(level).target(target).module_path(Some("dep::inner"));
            log::Log::log(log, &record.args(format_args!("{text}")).build());
        };
        assert_eq!(log.max_level(), log::LevelFilter::Trace);
        dispatcher::with_default(&Dispatch::new(log), || {
            say(log::Level::Warn, "dep", "alone");
            say(log::Level::Debug, "dep", "unwanted");
            say(log::Level::Trace, "deep", "wanted");
            assert!(log.spans.get().is_none(), "that costs nothing");
            info_span!("outer", job = 7, logger = "Feed").in_scope(|| say(log::Level::Error, "dep::inner", "within"));
        });
        let lines: Vec<serde_json::Value> =
            LINES.take().iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 3, "{lines:?}");
        let said = |line: usize| {
            ["@level", "@message", "@module", "module", "job", "logger", "spans"]
                .map(|key| lines[line][key].as_str().map_or_else(|| lines[line][key].to_string(), str::to_owned))
        };
        assert_eq!(said(0), ["warn", "alone", "dep", "dep::inner", "null", "null", "null"]);
        assert_eq!(said(1), ["trace", "wanted", "deep", "dep::inner", "null", "null", "null"]);
        assert_eq!(said(2), ["error", "within", "dep::inner", "null", "7", "Feed", "outer{logger=Feed job=7}"]);
    }

    /// A value that logs while it is shown.
    struct Chatty(&'static Log);

    impl std::fmt::Debug for Chatty {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            log::Log::log(self.0, &log::Record::builder().args(format_args!("aside")).build());
            f.write_str("shown")
        }
    }

    #[test]
    fn a_value_may_log_while_it_is_shown() {
        let log = leaked(Targets::new().with_default(Level::INFO));
        dispatcher::with_default(&Dispatch::new(log), || {
            let _outer = info_span!("outer", first = ?Chatty(log)).entered();
            let span = info_span!("inner", value = tracing::field::Empty).entered();
            span.record("value", tracing::field::debug(Chatty(log)));
            info!(value = ?Chatty(log), "said");
        });
        let lines = LINES.take();
        assert_eq!(lines.len(), 4, "{lines:?}");
        assert!(lines[3].contains("outer{first=shown}:inner{value=shown}"), "{}", lines[3]);
    }

    #[test]
    fn spans_cost_nothing_before_there_is_one() {
        let targets: Targets = "info,deep=trace".parse().unwrap();
        let log = leaked(targets);
        let dispatch = Dispatch::new(log);
        let made = || log.spans.get().is_some();
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
