//! What is lent, as an object sees it.

use std::sync::Arc;

use crate::service::base::EndTree;
use crate::sync::{AtomicUsize, Ordering};

pub(crate) struct Lease {
    pub(crate) cut: Arc<EndTree>,
    pub(crate) dropped: Arc<AtomicUsize>,
}

impl Lease {
    pub(crate) fn has_ended(&self) -> bool {
        self.cut.is_over()
    }

    pub(crate) fn stop_accepting(&self) {}

    pub(crate) async fn ended(&self) {
        self.cut.told().cancelled().await;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.cut.end();
        self.dropped.fetch_add(1, Ordering::AcqRel);
    }
}
