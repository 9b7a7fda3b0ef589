//! The handle behind a service, and how its recipe runs: mirrors `service/handle`.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Notify, oneshot, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::conn::{Ask, Reply};
use super::lease::Export;
use super::ledger::{self, ledger};
use super::link::{AttemptError, Link};
use super::plugin::Owner;
use super::service::{Construct, Nature};
use super::session::EndOnDrop;
use super::sim::{self, HOST, hop, once_in, sleep_until, spawn};
use crate::error::{Error, Result};
use crate::service::machines::LinkCell;
use crate::service::{Forgotten, HandleState, PeerContext};

pub(super) enum Origin {
    Root,
    Made(Recipe),
}

pub(super) struct Adopted {
    pub(super) link: Arc<Link>,
    pub(super) made_under: u64,
    /// Receives the link that it replaces.
    pub(super) replaced: oneshot::Sender<Arc<Link>>,
}

pub(super) struct Handle {
    pub(super) number: u64,
    pub(super) plugin: usize,
    pub(super) peer_context: Arc<PeerContext>,
    pub(super) origin: Origin,
    pub(super) slot: watch::Sender<HandleState>,
    pub(super) wish: Notify,
    pub(super) closed: CancellationToken,
    pub(super) done: CancellationToken,
    pub(super) children: TaskTracker,
    made: RefCell<Vec<Weak<Handle>>>,
    pub(super) told: Cell<bool>,
    pub(super) adopted: RefCell<Option<Adopted>>,
    pub(super) adopting: Notify,
    link: LinkCell<Link>,
}

/// Held by the users of a handle; the last drop closes it.
pub(super) struct User {
    handle: Rc<Handle>,
    keep: Option<Rc<Owner>>,
}

impl User {
    pub(super) fn new(handle: Rc<Handle>) -> Rc<Self> {
        Rc::new(Self { handle, keep: None })
    }

    pub(super) fn root(handle: Rc<Handle>, keep: Rc<Owner>) -> Rc<Self> {
        Rc::new(Self { handle, keep: Some(keep) })
    }

    pub(super) fn handle(&self) -> &Rc<Handle> {
        &self.handle
    }
}

impl Drop for User {
    fn drop(&mut self) {
        if self.keep.is_none() {
            self.handle.closed.cancel();
        }
    }
}

/// The same as in [`Timeouts`](crate::service::Timeouts).
const RECIPE: Duration = Duration::from_secs(10);

/// How an object is made and recreated.
#[derive(Clone)]
pub(super) struct Recipe {
    pub(super) parent: Rc<User>,
    /// The handle that it is for.
    pub(super) number: u64,
    pub(super) once: bool,
    pub(super) exports: Rc<[Export]>,
    /// The constructor's current behaviour.
    pub(super) nature: Rc<Cell<Nature>>,
    pub(super) asks_first: bool,
}

pub(super) struct Made {
    pub(super) link: Arc<Link>,
    pub(super) under: u64,
}

impl Recipe {
    /// Runs the constructor once over `parent`.
    pub(super) async fn attempt(
        &self,
        parent: &Arc<Link>,
        call: ledger::CallId,
        deadline: Option<Instant>,
    ) -> Result<Made, AttemptError> {
        let object = parent.object.child(self.number);
        let unmade = EndOnDrop::new(&object);
        let under = parent.object.number();
        let lending = ledger(|it| it.lends(self.number, parent.session.number));
        let lent = parent.lend(&self.exports, &object, None, Some((self.number, lending)), deadline).await?;
        let doors = lent.iter().map(|lease| lease.door.clone()).collect();
        object.keep(lent);
        hop().await;
        let construct =
            Construct { id: call, handle: self.number, nature: self.nature.get(), doors, asks_first: self.asks_first };
        let answered = parent.unary(Ask::Construct(construct), deadline).await;
        if matches!(answered, Ok(_) | Err(AttemptError::Answered(_))) {
            parent.note_answer();
        }
        let reply = answered?;
        let Reply::Made(far) = reply else { return Err(AttemptError::Answered(Error::internal("no object"))) };
        let bound = sim::now() + RECIPE;
        let failed = || AttemptError::MayHaveRun(Error::lost(true, "connecting to the new object"));
        let link = Link::dial(&parent.session, &far, object.clone()).await.ok_or_else(failed)?;
        if !link.probe(bound).await {
            return Err(failed());
        }
        unmade.disarm();
        Ok(Made { link, under })
    }
}

impl Handle {
    pub(super) fn new(
        plugin: usize,
        peer_context: Arc<PeerContext>,
        origin: Origin,
        closed: CancellationToken,
    ) -> Rc<Self> {
        let number = match &origin {
            Origin::Root => ledger::next_number(),
            Origin::Made(recipe) => recipe.number,
        };
        Self::note(number);
        Rc::new(Self {
            number,
            plugin,
            peer_context,
            origin,
            slot: watch::Sender::new(HandleState::Vacant),
            wish: Notify::new(),
            closed,
            done: CancellationToken::new(),
            children: TaskTracker::new(),
            made: RefCell::default(),
            told: Cell::new(false),
            adopted: RefCell::default(),
            adopting: Notify::new(),
            link: LinkCell::empty(),
        })
    }

    /// Enters a handle in the ledger.
    pub(super) fn note(number: u64) {
        ledger(|it| {
            it.handles.entry(number).or_default();
        });
    }

    pub(super) fn made(recipe: Recipe, link: Arc<Link>, made_under: u64) -> Rc<Self> {
        let parent = recipe.parent.handle().clone();
        let closed = parent.closed.child_token();
        let handle = Self::new(parent.plugin, parent.peer_context.clone(), Origin::Made(recipe), closed);
        handle.install(link.clone());
        parent.made.borrow_mut().push(Rc::downgrade(&handle));
        let kept = parent.children.track_future(super::keeper::keep(handle.clone(), link, made_under));
        spawn(HOST, kept);
        handle
    }

    pub(super) fn made_by_it(&self) -> Vec<Rc<Self>> {
        self.made.borrow().iter().filter_map(Weak::upgrade).collect()
    }

    pub(super) fn recipe(&self) -> Option<&Recipe> {
        match &self.origin {
            Origin::Made(recipe) => Some(recipe),
            Origin::Root => None,
        }
    }

    pub(super) fn adopt(&self, adopted: Adopted) {
        *self.adopted.borrow_mut() = Some(adopted);
        self.adopting.notify_one();
    }

    pub(super) fn install(&self, link: Arc<Link>) {
        ledger(|it| it.installed(&link.object.descent, link.is_usable()));
        self.link.put(link);
        self.slot.send_replace(HandleState::Live);
    }

    pub(super) fn publish(&self, slot: HandleState) {
        self.slot.send_replace(slot);
    }

    pub(super) fn uninstall(&self) -> Option<Arc<Link>> {
        self.link.take()
    }

    pub(super) fn usable(&self) -> Option<Arc<Link>> {
        self.link.get(Link::is_usable)
    }

    /// For texts, and to find its name in one.
    pub(super) fn title(&self) -> String {
        format!("[{}]", self.number)
    }

    /// Whether `text` names it, or an ancestor of it.
    pub(super) fn is_named_in(&self, text: &str) -> bool {
        text.contains(&self.title()) || self.recipe().is_some_and(|it| it.parent.handle().is_named_in(text))
    }

    pub(super) fn closed_error(&self) -> Error {
        Error::closed(format!("{}: the handle was closed", self.title()))
    }

    pub(super) async fn next_link(self: &Rc<Self>, until: impl FnOnce() -> Instant) -> Result<Arc<Link>> {
        if self.closed.is_cancelled() {
            return Err(self.closed_error());
        }
        match self.usable() {
            Some(link) => Ok(link),
            None => self.ensure(until()).await,
        }
    }

    pub(super) fn ensure(self: &Rc<Self>, until: Instant) -> futures::Boxed<'_, Result<Arc<Link>>> {
        Box::pin(async move {
            let mut slot = self.slot.subscribe();
            loop {
                let seen = slot.borrow_and_update().clone();
                if self.closed.is_cancelled() {
                    return Err(self.closed_error());
                }
                if let Some(link) = self.usable() {
                    return Ok(link);
                }
                self.wish.notify_one();
                hop().await;
                let parent = match &self.origin {
                    Origin::Made(_) if matches!(&seen, HandleState::Failed(failed) if failed.until == Forgotten::Never) => {
                        None
                    }
                    Origin::Made(recipe) => tokio::select! {
                        biased;
                        () = self.closed.cancelled() => return Err(self.closed_error()),
                        parent = recipe.parent.handle().ensure(until) => Some(parent?),
                    },
                    Origin::Root => None,
                };
                if let HandleState::Failed(failed) = &seen {
                    let object = parent.as_ref().map(|link| link.object.number());
                    if let Some(error) = failed.give_up(sim::now(), until, object, self.peer_context.reset_version()) {
                        return Err(error);
                    }
                }
                hop().await;
                let parent_unusable = async {
                    match &parent {
                        Some(link) => link.unusable().await,
                        None => std::future::pending().await,
                    }
                };
                let closed = self.closed.cancelled();
                let time = sleep_until(until);
                let changed = slot.changed();
                // In any order, if several have come.
                let first = if once_in(2) {
                    tokio::select! { biased;
                        _ = changed => First::Again,
                        () = parent_unusable => First::Again,
                        () = closed => First::Closed,
                        () = time => First::Time,
                    }
                } else {
                    tokio::select! { biased;
                        () = time => First::Time,
                        () = closed => First::Closed,
                        () = parent_unusable => First::Again,
                        _ = changed => First::Again,
                    }
                };
                match first {
                    First::Again => {}
                    First::Closed => return Err(self.closed_error()),
                    First::Time => {
                        let what = format!("{}: it did not recover before the caller's deadline", self.title());
                        return Err(match &seen {
                            HandleState::Failed(failed) => failed.error.clone().within(what),
                            _ => Error::lost(false, what),
                        });
                    }
                }
            }
        })
    }

    /// Until when a call waits for a link.
    pub(super) fn patience(&self, deadline: Option<Instant>) -> Instant {
        deadline.unwrap_or_else(|| sim::now() + self.peer_context.timeouts.recovery_timeout)
    }

    /// Closes it explicitly; returns whether the release call was answered.
    pub(super) async fn close(&self, deadline: Option<Instant>) -> bool {
        if self.closed.is_cancelled() {
            return false;
        }
        self.closed.cancel();
        let bound = sim::now() + self.peer_context.timeouts.close_timeout;
        let bound = deadline.map_or(bound, |deadline| deadline.min(bound));
        let _ = sim::timeout_at(bound, self.done.cancelled()).await;
        self.told.get()
    }
}

enum First {
    Again,
    Closed,
    Time,
}

mod futures {
    pub(in crate::model) type Boxed<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + 'a>>;
}
