//! Where callers find the link of the moment.

use std::sync::Arc;

use crate::sync::ArcSwapOption;

/// Read by every call, written when a link comes or goes. A link is put here after it was hung on its object, so that
/// whatever has ended meanwhile is found here, if at all, as what it is: not usable.
pub(crate) struct LinkCell<T>(ArcSwapOption<T>);

impl<T> LinkCell<T> {
    pub(crate) fn empty() -> Self {
        Self(ArcSwapOption::empty())
    }

    pub(crate) fn put(&self, it: Arc<T>) {
        self.0.store(Some(it));
    }

    /// Takes it away, usable or not.
    pub(crate) fn take(&self) -> Option<Arc<T>> {
        self.0.swap(None)
    }

    /// What is there, if `is_usable` says that it has not ended.
    pub(crate) fn get(&self, is_usable: impl Fn(&T) -> bool) -> Option<Arc<T>> {
        let it = self.0.load();
        it.as_ref().filter(|it| is_usable(it)).cloned()
    }
}
