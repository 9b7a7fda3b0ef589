//! A session, its objects, and what was lent to them: mirrors `service/session`, over the processes of the model.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::far::Process;
use super::lease::Lease;
use super::newest::Descent;
use super::sim::{HOST, spawn, timeout};
use crate::error::Error;
use crate::service::machines::{EndTree, Object};

/// One generation of a plugin, as the host sees it.
pub(super) struct Session {
    pub(super) plugin: usize,
    pub(super) number: u64,
    pub(super) process: Rc<Process>,
    pub(super) root: Rc<Obj>,
    pub(super) retired: Arc<EndTree>,
    pub(super) ended: Arc<EndTree>,
    pub(super) calls: TaskTracker,
    tasks: TaskTracker,
    /// How it ended is known.
    end_reason: CancellationToken,
}

impl Session {
    /// A session whose root object is for the handle `root`.
    pub(super) fn new(process: &Rc<Process>, root: u64) -> Rc<Self> {
        let (leases_cut, ended) = (EndTree::new(), EndTree::new());
        let real = Object::root(&leases_cut, &ended);
        let descent = Descent::root(process.plugin, root, (process.generation, real.number()));
        Rc::new(Self {
            plugin: process.plugin,
            number: process.generation,
            process: process.clone(),
            root: Rc::new(Obj { real, descent, leases: RefCell::default() }),
            retired: EndTree::new(),
            ended,
            calls: TaskTracker::new(),
            tasks: TaskTracker::new(),
            end_reason: CancellationToken::new(),
        })
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended.is_over()
    }

    pub(super) fn retire(&self) {
        self.retired.end();
    }

    /// Spawns `work` as one of its tasks.
    pub(super) fn spawn(&self, work: impl Future<Output = ()> + 'static) {
        let work = self.tasks.track_future(work);
        spawn(HOST, work);
    }

    pub(super) async fn drained(&self) {
        self.calls.close();
        self.calls.wait().await;
    }

    pub(super) fn end(&self) {
        self.root.end();
        self.ended.end();
        self.tasks.close();
    }

    pub(super) async fn finished(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    pub(super) fn set_epitaph(&self) {
        self.end_reason.cancel();
    }

    pub(super) async fn end_reason(&self) {
        use crate::service::settle;
        if timeout(settle::SESSION, self.ended.told().cancelled()).await.is_some() {
            let _ = timeout(settle::END, self.end_reason.cancelled()).await;
        }
    }

    pub(super) fn lost(&self, may_have_run: bool, text: &str) -> Error {
        Error::lost(may_have_run, text)
    }
}

/// An object, with the leases of the model instead of real ones.
pub(super) struct Obj {
    pub(super) real: Object,
    pub(super) descent: Rc<Descent>,
    leases: RefCell<Vec<Lease>>,
}

impl Obj {
    /// One that it makes for `handle`.
    pub(super) fn child(&self, handle: u64) -> Rc<Self> {
        let real = self.real.child();
        let descent = self.descent.child(handle, real.number());
        Rc::new(Self { real, descent, leases: RefCell::default() })
    }

    pub(super) fn number(&self) -> u64 {
        self.real.number()
    }

    pub(super) fn has_ended(&self) -> bool {
        self.real.has_ended()
    }

    pub(super) fn keep(&self, leases: Vec<Lease>) {
        if leases.is_empty() {
            return;
        }
        let mut kept = self.leases.borrow_mut();
        kept.retain(|lease| !lease.has_ended());
        kept.extend(leases);
        drop(kept);
        if self.has_ended() {
            self.end();
        }
    }

    pub(super) fn end(&self) {
        self.descent.end();
        self.real.end();
        let leases = std::mem::take(&mut *self.leases.borrow_mut());
        drop(leases);
    }

    pub(super) async fn give_back(&self, hang_up: Duration) {
        let leases = std::mem::take(&mut *self.leases.borrow_mut());
        for lease in &leases {
            lease.stop_accepting();
        }
        let all = async {
            for lease in &leases {
                lease.ended().await;
            }
        };
        let _ = timeout(hang_up, all).await;
        drop(leases);
    }
}

/// Ends an object that was not made after all.
pub(super) struct EndOnDrop(Option<Rc<Obj>>);

impl EndOnDrop {
    pub(super) fn new(object: &Rc<Obj>) -> Self {
        Self(Some(object.clone()))
    }

    pub(super) fn disarm(mut self) {
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
