//! The synchronization primitives of what several threads share, and locks that a panic elsewhere does not poison.
//! `tests/lock_free` replaces them with a model checker's.

pub(crate) use std::sync::atomic::{AtomicBool, Ordering};
pub(crate) use std::sync::{Mutex, MutexGuard};

pub(crate) use arc_swap::ArcSwapOption;

/// Locks `mutex`, poisoned or not: every critical section here is a few moves of data that are consistent at every
/// step.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
