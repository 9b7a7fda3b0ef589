//! The subscriber of a plugin that has none of its own.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::prelude::*;

use crate::stdio::writer::HclogLayer;

/// What is logged without `RUST_LOG`: everything but the trace of the application, because the host filters by its own
/// level, and of the runtime and the transport what matters.
const DEFAULT: &str = "debug,loop_runtime=info,h2=warn,hyper=warn,hyper_util=warn,tonic=warn,tower=warn";

/// Installs hclog's lines on stderr, unless the program has installed a subscriber already.
pub(crate) fn install(filter: Option<&str>) {
    let by_default = || EnvFilter::new(filter.unwrap_or(DEFAULT));
    let filter = std::env::var("RUST_LOG").ok().filter(|text| !text.is_empty()).map_or_else(by_default, EnvFilter::new);
    let _ = tracing_subscriber::registry().with(filter).with(HclogLayer::new()).try_init();
}
