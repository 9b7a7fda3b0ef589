//! A plugin, as its owner sees it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::far::Process;
use super::generation::Generation;
use super::handle::{Handle, Origin};
use super::ledger::ledger;
use super::link::Link;
use super::sim::{HOST, spawn};
use super::task::Task;
use super::upgrade::Prepared;
use crate::error::Error;
use crate::host::machines::Input;
use crate::host::{LaunchError, RestartPolicy, State};
use crate::service::{HandleEvent, PeerContext};

/// Held by everything that needs the process.
pub(super) struct Owner(Rc<Shared>);

impl Drop for Owner {
    fn drop(&mut self) {
        self.0.tell_machine(Input::Close { by_call: false });
    }
}

pub(super) struct Shared {
    pub(super) plugin: usize,
    pub(super) policy: RestartPolicy,
    pub(super) peer_context: Arc<PeerContext>,
    pub(super) root: Rc<Handle>,
    pub(super) inbox: mpsc::UnboundedSender<Message>,
    pub(super) closed: CancellationToken,
    /// The current process, to act on.
    pub(super) running: RefCell<Option<Rc<Process>>>,
    pub(super) state: RefCell<Option<State>>,
    /// The outcome of launches.
    pub(super) launches: Cell<Launches>,
    /// Its processes are of this crate.
    pub(super) ours: bool,
}

/// The outcome of the next launches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Launches {
    Start,
    Fail,
    FailForGood,
    Hang,
    /// They start, and end soon.
    Crash,
}

pub(super) enum Message {
    Input(Input),
    Upgrade,
    Prepared(u64, Result<Prepared, Error>),
    Launched(Result<Box<Generation>, (LaunchError, Option<u32>)>),
    Redialled(u64, Option<Arc<Link>>),
}

impl Shared {
    pub(super) fn tell_machine(&self, input: Input) {
        let _ = self.inbox.send(Message::Input(input));
    }

    pub(super) fn reset(&self) {
        self.peer_context.reset();
        self.tell_machine(Input::Reset);
    }

    pub(super) fn upgrade(&self) {
        let _ = self.inbox.send(Message::Upgrade);
    }

    pub(super) fn is_running(&self) -> bool {
        matches!(*self.state.borrow(), Some(State::Running { .. }))
    }

    pub(super) fn has_given_up(&self) -> bool {
        matches!(*self.state.borrow(), Some(State::GivenUp { .. }))
    }

    pub(super) async fn close(&self) {
        self.tell_machine(Input::Close { by_call: true });
        self.closed.cancelled().await;
    }
}

/// Starts a plugin; `None` if its first launch fails.
pub(super) async fn start(
    plugin: usize,
    policy: RestartPolicy,
    ours: bool,
    launches: Launches,
) -> Option<(Rc<Shared>, Rc<Owner>)> {
    let timeouts = policy.timeouts.clone();
    let observer = Arc::new(move |event: HandleEvent| observe(&event));
    let peer_context = PeerContext::new("plugin", "the host", timeouts, policy.lazy_recovery, observer);
    let (outbox, inbox) = mpsc::unbounded_channel();
    let root = Handle::new(plugin, peer_context.clone(), Origin::Root, CancellationToken::new());
    let shared = Rc::new(Shared {
        plugin,
        policy,
        peer_context,
        root,
        inbox: outbox,
        closed: CancellationToken::new(),
        running: RefCell::default(),
        state: RefCell::default(),
        launches: Cell::new(launches),
        ours,
    });
    let (first, started) = oneshot::channel();
    let owner = Rc::new(Owner(shared.clone()));
    let task = Task::new(shared.clone(), inbox, first);
    spawn(HOST, task.run());
    match started.await {
        Ok(()) => Some((shared, owner)),
        Err(_) => None,
    }
}

fn observe(event: &HandleEvent) {
    let (handle, what) = match event {
        HandleEvent::Lost { handle, .. } => (handle, "its loss"),
        HandleEvent::Made { handle, .. } => (handle, "its object"),
        HandleEvent::Failed { handle, .. } => (handle, "a failure"),
        HandleEvent::Closed { handle, .. } => (handle, "its end"),
        HandleEvent::DuplicatePossible { handle, generation, .. } => {
            ledger(|it| it.excuse(handle.number, *generation));
            (handle, "a duplicate")
        }
        // The model has no streams.
        HandleEvent::Resubscribed { handle, .. } => (handle, "a stream"),
    };
    ledger(|it| it.told_of_handle(handle.number, what));
}
