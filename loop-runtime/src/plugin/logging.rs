//! The subscriber of a plugin that has none of its own.

use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::prelude::*;

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
    let _ = tracing_subscriber::registry().with(targets).with(HclogLayer::new()).try_init();
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
