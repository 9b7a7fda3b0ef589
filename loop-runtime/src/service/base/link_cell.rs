//! Where callers find the current link.

use std::sync::Arc;

use crate::sync::ArcSwapOption;

/// Read by every call, written when a link is installed or removed. A link is stored here after it was registered with
/// its object, so that one that has ended meanwhile is seen here, if at all, as not usable.
pub(crate) struct LinkCell<T>(ArcSwapOption<T>);

impl<T> LinkCell<T> {
    pub(crate) fn empty() -> Self {
        Self(ArcSwapOption::empty())
    }

    pub(crate) fn put(&self, it: Arc<T>) {
        self.0.store(Some(it));
    }

    /// Removes it, usable or not.
    pub(crate) fn take(&self) -> Option<Arc<T>> {
        self.0.swap(None)
    }

    /// The link, if there is one for which `is_usable` holds.
    pub(crate) fn get(&self, is_usable: impl Fn(&T) -> bool) -> Option<Arc<T>> {
        let it = self.0.load();
        it.as_ref().filter(|it| is_usable(it)).cloned()
    }
}
