//! Signs of life of a peer, over all connections to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts what only a live process sends: responses, stream items, refusals. Clones share the count.
#[derive(Clone, Debug, Default)]
pub(crate) struct SignsOfLife(Arc<AtomicU64>);

impl SignsOfLife {
    /// Notes a sign of life.
    pub(crate) fn note(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// How many there have been.
    pub(crate) fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
