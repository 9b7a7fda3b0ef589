//! The objects that local constructors handed out, by the key of the calling handle.

use std::collections::HashMap;
use std::sync::Arc;

use super::lease::Control;
use crate::sync::{Mutex, locked};

/// The newest object under each key. An entry stays until its object has ended: one that is ending is still served,
/// and the next constructor call must find it.
#[derive(Default)]
pub(crate) struct HandedOut(Mutex<HashMap<String, Arc<Control>>>);

impl HandedOut {
    /// Inserts a new object; returns the one that it replaces.
    pub(crate) fn enter(&self, key: &str, control: &Arc<Control>) -> Option<Arc<Control>> {
        locked(&self.0).insert(key.to_owned(), control.clone())
    }

    pub(crate) fn get(&self, key: &str) -> Option<Arc<Control>> {
        locked(&self.0).get(key).cloned()
    }

    /// Removes an object that has ended, unless a newer one has replaced it.
    pub(crate) fn remove(&self, key: &str, control: &Arc<Control>) {
        let mut all = locked(&self.0);
        if all.get(key).is_some_and(|newest| Arc::ptr_eq(newest, control)) {
            all.remove(key);
        }
    }
}
