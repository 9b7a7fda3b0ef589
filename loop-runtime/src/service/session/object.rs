//! An object in the peer: what one successful run of a constructor made, or the root of a session.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use super::lease::Lease;
use crate::service::base::EndTree;
use crate::sync::{Mutex, locked};

/// Ends once, by [`Object::end`], by its parent object's end or by its session's.
///
/// Two end trees, because the order matters: what was lent is cut before connections are, so that a late call of a
/// dying peer finds nothing.
pub(crate) struct Object {
    number: u64,
    leases_cut: Arc<EndTree>,
    ended: Arc<EndTree>,
    /// The ends of the objects that methods of this one made.
    children: Mutex<Vec<Weak<EndTree>>>,
    leases: Mutex<Vec<Lease>>,
}

impl Object {
    /// The root object of a session with these end trees.
    pub(crate) fn root(leases_cut: &EndTree, ended: &EndTree) -> Self {
        static NUMBERS: AtomicU64 = AtomicU64::new(1);
        Self {
            number: NUMBERS.fetch_add(1, Ordering::Relaxed),
            leases_cut: leases_cut.child(),
            ended: ended.child(),
            children: Mutex::default(),
            leases: Mutex::default(),
        }
    }

    /// An object that a method of `self` made.
    pub(crate) fn child(&self) -> Self {
        let child = Self::root(&self.leases_cut, &self.ended);
        let mut children = locked(&self.children);
        if children.len() == children.capacity() {
            children.retain(|child| child.strong_count() > 0);
        }
        children.push(Arc::downgrade(&child.ended));
        child
    }

    /// Waits until the objects that methods of this one made have ended: those that are there now.
    pub(crate) async fn childless(&self) {
        let children: Vec<_> = locked(&self.children).iter().filter_map(Weak::upgrade).collect();
        for child in children {
            child.told().cancelled().await;
        }
    }

    /// Unique in this process, ascending.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.ended.is_over()
    }

    pub(crate) fn ended(&self) -> &EndTree {
        &self.ended
    }

    pub(crate) fn leases_cut(&self) -> &EndTree {
        &self.leases_cut
    }

    /// Keeps what was lent to the object for as long as it lives.
    pub(crate) fn keep(&self, leases: Vec<Lease>) {
        if leases.is_empty() {
            return;
        }
        let mut kept = locked(&self.leases);
        kept.retain(|lease| !lease.has_ended());
        kept.extend(leases);
        drop(kept);
        // It may have ended meanwhile, and then nobody else drops them.
        if self.has_ended() {
            self.end();
        }
    }

    /// Ends the object on this side: leases, then connections, children included.
    pub(crate) fn end(&self) {
        self.leases_cut.end();
        self.ended.end();
        // Outside the lock: the drops run user code.
        let leases = std::mem::take(&mut *locked(&self.leases));
        drop(leases);
    }

    /// Releases what was lent, in order: no new connections, wait until the peer has disconnected, one timeout for all,
    /// then drop the lent objects in the order of lending.
    pub(crate) async fn give_back(&self, hang_up: Duration) {
        let leases = std::mem::take(&mut *locked(&self.leases));
        for lease in &leases {
            lease.stop_accepting();
        }
        let all = async {
            for lease in &leases {
                lease.ended().await;
            }
        };
        // A timeout is no error: what is still connected then is cut by the drop below.
        let _ = tokio::time::timeout(hang_up, all).await;
        for lease in leases {
            drop(lease);
        }
    }
}

/// Ends an object that was not made after all.
pub(crate) struct EndOnDrop(Option<Arc<Object>>);

impl EndOnDrop {
    pub(crate) fn new(object: &Arc<Object>) -> Self {
        Self(Some(object.clone()))
    }

    pub(crate) fn disarm(mut self) {
        self.0 = None;
    }
}

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        if let Some(object) = &self.0 {
            object.end();
        }
    }
}
