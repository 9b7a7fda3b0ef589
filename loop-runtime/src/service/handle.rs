//! What stands behind a remote service: the link of the moment, and the way to the next one.

mod call;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Instant;

use bytes::Bytes;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::BoxFuture;
use super::event::HandleId;
use super::family::Family;
use super::keeper;
use super::link::Link;
use super::method::Method;
use super::object::EndOnDrop;
use super::place::Place;
use super::recipe::{Recipe, Request};
use super::session::Session;
use super::tree::Names;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::sync::locked;

/// How many refusals in a row a caller sits through.
const PATIENCE: u32 = 3;

/// What has become of a handle.
#[derive(Clone)]
pub(crate) enum Slot {
    /// Nothing there, nothing under way.
    Vacant,
    /// A run, or a start of the process, is under way.
    Making,
    /// Usable, unless it has ended meanwhile.
    Live,
    /// The last attempt failed.
    Failed(Arc<Failed>),
    /// For good.
    Closed,
}

/// Why there is nothing to call at the moment.
pub(crate) struct Failed {
    pub(crate) error: Error,
    /// Told to callers at once: waiting is of no use, or longer than anybody should wait.
    pub(crate) at_once: bool,
    pub(crate) in_a_row: u32,
    pub(crate) retry_at: Option<Instant>,
    /// The object of the parent that refused; under another one the refusal is forgotten.
    pub(crate) parent_object: u64,
    /// [`Family::reset_version`] when it failed; after another reset the failure is forgotten.
    pub(crate) reset_version: u64,
}

/// Where links of a handle come from.
pub(crate) enum Origin {
    /// The supervisor of a plugin writes the slot.
    Root,
    /// The keeper runs the recipe.
    Made(Recipe),
    /// A peer lent it: its keeper can only dial again.
    Lent,
}

/// The only writer of a made or lent handle's state is its keeper; callers wish and wait.
pub(crate) struct Handle {
    pub(crate) id: HandleId,
    pub(crate) family: Arc<Family>,
    pub(crate) origin: Origin,
    names: Mutex<Arc<Names>>,
    pub(crate) release: Option<&'static Method>,
    pub(crate) slot: watch::Sender<Slot>,
    pub(crate) wish: Notify,
    /// The subtree is closed top-down: a child's token is a child of its parent's.
    pub(crate) closed: CancellationToken,
    /// The keeper has given everything back.
    pub(crate) done: CancellationToken,
    /// The keepers of children.
    pub(crate) children: TaskTracker,
    /// The answer of the release method, for a caller who closed by hand.
    pub(crate) released: OnceLock<Result<Bytes>>,
    link: Place<Link>,
    offers: Mutex<Vec<&'static str>>,
    setup: Mutex<Vec<(&'static Method, Request)>>,
}

impl Handle {
    fn new(
        service: &'static str,
        family: Arc<Family>,
        origin: Origin,
        names: Arc<Names>,
        release: Option<&'static Method>,
        closed: CancellationToken,
    ) -> Arc<Self> {
        static NUMBERS: AtomicU64 = AtomicU64::new(1);
        let id = HandleId { number: NUMBERS.fetch_add(1, Ordering::Relaxed), service };
        Arc::new(Self {
            id,
            family,
            origin,
            names: Mutex::new(names),
            release,
            slot: watch::Sender::new(Slot::Vacant),
            wish: Notify::new(),
            closed,
            done: CancellationToken::new(),
            children: TaskTracker::new(),
            released: OnceLock::new(),
            link: Place::empty(),
            offers: Mutex::default(),
            setup: Mutex::default(),
        })
    }

    /// The handle of a plugin's main connection.
    pub(crate) fn root(family: Arc<Family>) -> Arc<Self> {
        Self::new("", family, Origin::Root, Arc::default(), None, CancellationToken::new())
    }

    /// A handle to what a peer lends; [`Handle::dial_lent`] brings it to life.
    pub(crate) fn lent(session: &Session, service: &'static str, names: Arc<Names>) -> Arc<Self> {
        let closed = CancellationToken::new();
        Self::new(service, session.family().clone(), Origin::Lent, names, None, closed)
    }

    /// A handle to what `recipe` made, already live with `link`.
    pub(crate) fn made(recipe: Recipe, link: Arc<Link>) -> Arc<Self> {
        let parent = recipe.parent.handle().clone();
        let info = recipe.info.clone();
        let handle = Self::new(
            info.name,
            parent.family.clone(),
            Origin::Made(recipe),
            info.names,
            info.release,
            parent.closed.child_token(),
        );
        handle.install(link.clone());
        parent.children.spawn(keeper::keep(handle.clone(), link));
        handle
    }

    /// Connects to what was lent under `id`.
    ///
    /// # Errors
    ///
    /// As [`Session::dial`].
    pub(crate) async fn dial_lent(self: &Arc<Self>, session: &Arc<Session>, id: u32) -> Result<()> {
        let object = Arc::new(session.root().child());
        // Given up half-way, the connection must not stay: the peer waits for it to end.
        let unmade = EndOnDrop::new(&object);
        let link = session.dial(id, object).await?;
        link.probe(&self.names(), Some(Instant::now() + self.family.timing.recipe)).await?;
        unmade.disarm();
        self.install(link.clone());
        session.tasks().spawn(keeper::keep(self.clone(), link));
        Ok(())
    }

    pub(crate) fn is_owned(&self) -> bool {
        matches!(self.origin, Origin::Made(_))
    }

    pub(crate) fn install(&self, link: Arc<Link>) {
        self.note_offers(&link);
        self.link.put(link);
        self.slot.send_replace(Slot::Live);
    }

    fn note_offers(&self, link: &Link) {
        let offers = self.names().optionals().iter().copied().filter(|name| link.offers(name)).collect();
        *locked(&self.offers) = offers;
    }

    pub(crate) fn publish(&self, slot: Slot) {
        self.slot.send_replace(slot);
    }

    /// Takes the link away.
    pub(crate) fn uninstall(&self) -> Option<Arc<Link>> {
        self.link.take()
    }

    /// The link, if a call can be sent over it now.
    pub(crate) fn usable(&self) -> Option<Arc<Link>> {
        self.link.get(Link::is_usable)
    }

    /// The names whose optional components are asked for.
    pub(crate) fn names(&self) -> Arc<Names> {
        locked(&self.names).clone()
    }

    /// Asks, now and on every new link, for the optional components of `names` too. For root handles.
    ///
    /// # Errors
    ///
    /// As [`Handle::ensure`].
    pub(crate) async fn learn(self: &Arc<Self>, names: &Names) -> Result<()> {
        {
            let mut known = locked(&self.names);
            let mut all = Names::clone(&known);
            all.extend(names);
            *known = Arc::new(all);
        }
        let context = Context::current();
        let until = self.patience(&context);
        let mut last = 0;
        loop {
            let link = self.next_link(&context, last).await?;
            match link.probe(names, Some(until)).await {
                Ok(()) => {
                    self.note_offers(&link);
                    return Ok(());
                }
                Err(error) if link.is_usable() => return Err(error),
                Err(_) => last = link.number(),
            }
        }
    }

    /// Whether the optional component `name` is there, as the last connection learned it.
    pub(crate) fn offers(&self, name: &str) -> bool {
        locked(&self.offers).contains(&name)
    }

    fn closed_error(&self) -> Error {
        Error::handle_closed(&self.family.name, self.id.service)
    }

    /// Waits until there is a link that is not `not`, at most until `until`; states the wish for one first.
    ///
    /// # Errors
    ///
    /// Closed; an ancestor's error unchanged; a refusal that will not change, or not in time; the time is up.
    pub(crate) fn ensure(self: &Arc<Self>, until: Instant, not: u64) -> BoxFuture<'_, Result<Arc<Link>>> {
        Box::pin(async move {
            let mut slot = self.slot.subscribe();
            loop {
                // The version is marked as seen before the slot is looked at: a change in between wakes us.
                let seen = slot.borrow_and_update().clone();
                if self.closed.is_cancelled() {
                    return Err(self.closed_error());
                }
                if let Some(link) = self.usable().filter(|link| link.number() != not) {
                    return Ok(link);
                }
                self.wish.notify_one();
                let parent = match &self.origin {
                    Origin::Made(recipe) => Some(recipe.parent.handle().ensure(until, 0).await?),
                    Origin::Root | Origin::Lent => None,
                };
                if let Slot::Failed(failed) = &seen {
                    self.give_up(failed, until, parent.as_deref())?;
                }
                let parent_ended = async {
                    match &parent {
                        Some(link) => link.ended().cancelled().await,
                        None => std::future::pending().await,
                    }
                };
                tokio::select! {
                    changed = slot.changed() => changed.map_err(|_| self.closed_error())?,
                    () = parent_ended => {}
                    () = self.closed.cancelled() => return Err(self.closed_error()),
                    () = tokio::time::sleep_until(until.into()) => {
                        let what = format!("{} {}: not back in time", self.family.name, self.id.service);
                        return Err(match &seen {
                            Slot::Failed(failed) => failed.error.clone().within(what),
                            _ => Error::lost(false, what),
                        });
                    }
                }
            }
        })
    }

    /// Answers a caller for whom waiting is of no use.
    fn give_up(&self, failed: &Failed, until: Instant, parent: Option<&Link>) -> Result<()> {
        let stale = failed.reset_version != self.family.reset_version()
            || parent.is_some_and(|link| link.object().number() != failed.parent_object);
        let late = failed.retry_at.is_some_and(|at| at > until);
        if stale || !(failed.at_once || late || failed.in_a_row > PATIENCE) {
            return Ok(());
        }
        let error = failed.error.clone();
        Err(match failed.retry_at {
            Some(at) => error.retrying_at(at),
            None => error,
        })
    }

    /// Until when a call waits for a link.
    pub(crate) fn patience(&self, context: &Context) -> Instant {
        context.deadline.unwrap_or_else(|| Instant::now() + self.family.timing.recovery_wait)
    }
}
