//! The primitives of what is read and written by several threads at once, and locks that a panic elsewhere does not
//! poison. `tests/lock_free` puts a model checker's primitives in their place.

pub(crate) use std::sync::atomic::{AtomicBool, Ordering};
pub(crate) use std::sync::{Mutex, MutexGuard};

pub(crate) use arc_swap::ArcSwapOption;

/// Locks `mutex`. A panic of another holder does not matter: every critical section here is a few moves of data that
/// are whole at every step.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
