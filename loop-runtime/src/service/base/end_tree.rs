//! The end of something and of all that hangs on it: decided under a lock, seen without one.

use std::sync::{Arc, Weak};

use tokio_util::sync::CancellationToken;

use crate::sync::{AtomicBool, Mutex, Ordering, locked};

/// Ends once and never comes back: of a session, an object, a connection, a lease.
///
/// When [`EndTree::end`] has returned, in whichever thread, all below is over, and nothing that is not over can be hung on
/// it any more. So who knows that the next generation of a plugin is there finds nothing usable of the last one. A tree
/// of `CancellationToken`s does not promise that: there, who comes second returns while the first is still under way.
pub(crate) struct EndTree {
    over: AtomicBool,
    /// `None` once it is over.
    below: Mutex<Option<Vec<Weak<Self>>>>,
    told: CancellationToken,
}

impl EndTree {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            over: AtomicBool::new(false),
            below: Mutex::new(Some(Vec::new())),
            told: CancellationToken::new(),
        })
    }

    /// A life that ends with this one at the latest; at once, if this one is over.
    pub(crate) fn child(&self) -> Arc<Self> {
        let child = Self::new();
        let mut below = locked(&self.below);
        match &mut *below {
            Some(all) => {
                if all.len() == all.capacity() {
                    all.retain(|life| life.strong_count() > 0);
                }
                all.push(Arc::downgrade(&child));
            }
            None => child.end(),
        }
        drop(below);
        child
    }

    /// Takes no lock. What had to end before this did is seen to be over too.
    pub(crate) fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }

    /// Ends it and all below. From any thread, as often as anybody likes.
    pub(crate) fn end(&self) {
        self.over.store(true, Ordering::Release);
        // Held until all below is over, for those who come second.
        let mut below = locked(&self.below);
        for life in below.take().unwrap_or_default() {
            if let Some(life) = life.upgrade() {
                life.end();
            }
        }
        self.told.cancel();
    }

    /// To wait for the end, which is told once all below is over.
    pub(crate) fn told(&self) -> &CancellationToken {
        &self.told
    }
}
