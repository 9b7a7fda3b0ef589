//! `src/sync.rs` of the library, with the checker's primitives.

use std::ops::Deref;
use std::sync::Arc;

pub(crate) use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
pub(crate) use loom::sync::{Mutex, MutexGuard};

pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no panic")
}

/// Loads and stores in a single total order, as in `arc_swap`.
pub(crate) struct ArcSwapOption<T>(Mutex<Option<Arc<T>>>);

pub(crate) struct Loaded<T>(Option<Arc<T>>);

impl<T> Deref for Loaded<T> {
    type Target = Option<Arc<T>>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<T> ArcSwapOption<T> {
    pub(crate) fn empty() -> Self {
        Self(Mutex::new(None))
    }

    pub(crate) fn store(&self, it: Option<Arc<T>>) {
        *locked(&self.0) = it;
    }

    pub(crate) fn swap(&self, it: Option<Arc<T>>) -> Option<Arc<T>> {
        std::mem::replace(&mut *locked(&self.0), it)
    }

    pub(crate) fn load(&self) -> Loaded<T> {
        Loaded(locked(&self.0).clone())
    }
}
