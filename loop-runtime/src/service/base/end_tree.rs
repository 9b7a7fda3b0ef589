//! The end of something and of everything below it: ended under a lock, checked without one.

use std::sync::{Arc, Weak};

use tokio_util::sync::CancellationToken;

use crate::sync::{AtomicBool, Mutex, Ordering, locked};

/// The end of a session, an object, a connection or a lease: it comes once and is final.
///
/// When [`EndTree::end`] has returned, in whichever thread, everything below has ended, and any child added later has
/// ended from the start. So whoever sees the next generation of a plugin finds nothing usable of the last one. A tree
/// of `CancellationToken`s does not promise that: there, a second `cancel` returns while the first is still running.
pub(crate) struct EndTree {
    over: AtomicBool,
    /// `None` once it has ended.
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

    /// A child that ends with this one at the latest; it has ended already if this one has.
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

    /// Takes no lock. What had to end before this one is seen as ended too.
    pub(crate) fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }

    /// Ends it and everything below. Idempotent, from any thread.
    pub(crate) fn end(&self) {
        self.over.store(true, Ordering::Release);
        // Held until everything below has ended, so that concurrent callers wait for it.
        let mut below = locked(&self.below);
        for life in below.take().unwrap_or_default() {
            if let Some(life) = life.upgrade() {
                life.end();
            }
        }
        self.told.cancel();
    }

    /// Cancelled once it and everything below have ended.
    pub(crate) fn told(&self) -> &CancellationToken {
        &self.told
    }
}
