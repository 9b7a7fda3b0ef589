//! Spans of the runtime as arrows between the host and its plugins.

use std::fmt::{Debug, Write as _};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::Attributes;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

use crate::support::{self, Lab};

static DRAWN: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// What was drawn and not yet looked at.
pub(crate) struct Arrows {
    /// Spans belong to the process: one test at a time.
    _alone: MutexGuard<'static, ()>,
}

impl Arrows {
    /// Runs a test that looks at arrows.
    pub(crate) fn record(body: impl AsyncFnOnce(&Lab, &Self)) {
        static ALONE: Mutex<()> = Mutex::new(());
        static INSTALLED: Once = Once::new();
        let arrows = Self { _alone: ALONE.lock().unwrap_or_else(PoisonError::into_inner) };
        INSTALLED.call_once(|| {
            tracing::subscriber::set_global_default(tracing_subscriber::registry().with(Recorder)).unwrap();
        });
        arrows.forget();
        support::test(async |lab| body(lab, &arrows).await);
    }

    /// Leaves out what was drawn up to now.
    pub(crate) fn forget(&self) {
        drawn().clear();
    }

    /// Exactly these were drawn, in this order, since the last look.
    #[track_caller]
    pub(crate) fn are(&self, expected: &[&str]) {
        assert_eq!(self.take(usize::MAX), expected);
    }

    /// This one was drawn next.
    #[track_caller]
    pub(crate) fn begin(&self, expected: &str) {
        assert_eq!(self.take(1), [expected]);
    }

    /// These were drawn next, at the same time.
    #[track_caller]
    pub(crate) fn in_any_order(&self, expected: &[&str]) {
        let mut next = self.take(expected.len());
        next.sort();
        assert_eq!(next, expected);
    }

    fn take(&self, most: usize) -> Vec<String> {
        let mut drawn = drawn();
        let most = most.min(drawn.len());
        drawn.drain(..most).collect()
    }
}

fn drawn() -> MutexGuard<'static, Vec<String>> {
    DRAWN.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Recorder;

impl<S: tracing::Subscriber> Layer<S> for Recorder {
    fn on_new_span(&self, span: &Attributes<'_>, _: &tracing::Id, _: Context<'_, S>) {
        let mut fields = Fields::default();
        span.record(&mut fields);
        let Fields { peer, to, path } = fields;
        // Without the package, which the diagrams do not show either.
        let call = path.rsplit_once('.').map_or(path.as_str(), |(_, call)| call);
        // Whether an optional component is there: asked whenever a provider is connected to.
        if call.ends_with("/__Probe") {
            return;
        }
        let arrow = match span.metadata().name() {
            "call" => format!("host -> {peer}: {call}"),
            "serve" => format!("{peer} -> host: {call}"),
            "forward" => format!("{peer} -> host -> {to}: {call}"),
            _ => return,
        };
        drawn().push(arrow);
    }
}

#[derive(Default)]
struct Fields {
    peer: String,
    to: String,
    path: String,
}

impl Fields {
    fn field(&mut self, name: &str) -> Option<&mut String> {
        match name {
            "peer" => Some(&mut self.peer),
            "to" => Some(&mut self.to),
            "path" => Some(&mut self.path),
            _ => None,
        }
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        if let Some(kept) = self.field(field.name()) {
            value.clone_into(kept);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if let Some(kept) = self.field(field.name()) {
            kept.clear();
            write!(kept, "{value:?}").unwrap();
        }
    }
}
