//! What is behind a remote service: the current link, and the wait for the next one.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::time::Instant;

use bytes::Bytes;
use tokio::sync::{Notify, oneshot, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::keeper;
use super::recipe::Recipe;
use super::state::{Forgotten, HandleState};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::service::base::{BoxFuture, HandleId, LinkCell, Method, Names, PeerContext};
use crate::service::session::{EndOnDrop, Link, Request, Session};
use crate::sync::locked;

/// Where the links of a handle come from.
#[allow(clippy::large_enum_variant, reason = "there is one in a handle, and that is on the heap")]
pub(crate) enum Origin {
    /// The supervisor of a plugin installs them.
    Root,
    /// The keeper runs the recipe.
    Made(Recipe),
    /// A peer lent it: its keeper can only redial.
    Lent,
}

/// A link that was prepared for a handle.
pub(crate) struct Adopted {
    pub(crate) link: Arc<Link>,
    /// The parent's object that made it.
    pub(crate) made_under: u64,
    /// Receives the link that it replaces.
    pub(crate) replaced: oneshot::Sender<Arc<Link>>,
}

/// The only writer of a made or lent handle's state is its keeper; callers request and wait.
pub(crate) struct Handle {
    pub(crate) id: HandleId,
    pub(crate) peer_context: Arc<PeerContext>,
    pub(crate) origin: Origin,
    names: Mutex<Arc<Names>>,
    pub(crate) release: Option<&'static Method>,
    pub(crate) slot: watch::Sender<HandleState>,
    pub(crate) wish: Notify,
    /// Closing goes top-down: a child's token is a child of its parent's.
    pub(crate) closed: CancellationToken,
    /// The keeper has released everything.
    pub(crate) done: CancellationToken,
    /// The keepers of children.
    pub(crate) children: TaskTracker,
    /// The handles made by calls on it.
    made: Mutex<Vec<Weak<Handle>>>,
    /// The reply of the release method, for an explicit close.
    pub(crate) released: OnceLock<Result<Bytes>>,
    /// A link that was prepared in another session, to be installed by the keeper.
    adopted: Mutex<Option<Adopted>>,
    pub(crate) adopting: Notify,
    /// How often its object was made.
    times_made: AtomicU64,
    link: LinkCell<Link>,
    offers: Mutex<Vec<&'static str>>,
    /// The set-up calls that were made on it, to be repeated on every new object.
    pub(super) setup: Mutex<Vec<(&'static Method, Request)>>,
}

impl Handle {
    fn new(
        service: &'static str,
        peer_context: Arc<PeerContext>,
        origin: Origin,
        names: Arc<Names>,
        release: Option<&'static Method>,
        closed: CancellationToken,
    ) -> Arc<Self> {
        static NUMBERS: AtomicU64 = AtomicU64::new(1);
        let id = HandleId { number: NUMBERS.fetch_add(1, Ordering::Relaxed), service };
        Arc::new(Self {
            id,
            peer_context,
            origin,
            names: Mutex::new(names),
            release,
            slot: watch::Sender::new(HandleState::Vacant),
            wish: Notify::new(),
            closed,
            done: CancellationToken::new(),
            children: TaskTracker::new(),
            made: Mutex::default(),
            released: OnceLock::new(),
            adopted: Mutex::default(),
            adopting: Notify::new(),
            times_made: AtomicU64::new(0),
            link: LinkCell::empty(),
            offers: Mutex::default(),
            setup: Mutex::default(),
        })
    }

    /// The handle of a plugin's main connection.
    pub(crate) fn root(peer_context: Arc<PeerContext>) -> Arc<Self> {
        Self::new("", peer_context, Origin::Root, Arc::default(), None, CancellationToken::new())
    }

    /// A handle to what a peer lends; [`Handle::dial_lent`] connects it.
    pub(crate) fn lent(session: &Session, service: &'static str, names: Arc<Names>) -> Arc<Self> {
        let closed = CancellationToken::new();
        Self::new(service, session.peer_context().clone(), Origin::Lent, names, None, closed)
    }

    /// A handle to what `recipe` made under the object `made_under`, already live with `link`.
    pub(crate) fn made(recipe: Recipe, link: Arc<Link>, made_under: u64) -> Arc<Self> {
        let parent = recipe.parent.handle().clone();
        let info = recipe.info.clone();
        let handle = Self::new(
            info.name,
            parent.peer_context.clone(),
            Origin::Made(recipe),
            info.names,
            info.release,
            parent.closed.child_token(),
        );
        handle.count_object();
        handle.install(link.clone());
        parent.note_child(&handle);
        parent.children.spawn(keeper::keep(handle.clone(), link, made_under));
        handle
    }

    /// Connects to what was lent under `id`.
    ///
    /// # Errors
    ///
    /// As [`Session::dial`].
    pub(crate) async fn dial_lent(self: &Arc<Self>, session: &Arc<Session>, id: u32) -> Result<()> {
        let object = Arc::new(session.root().child());
        // If cancelled half-way, the connection must end: the peer waits for that.
        let unmade = EndOnDrop::new(&object);
        let link = Link::dial(session, id, object).await?;
        link.probe(&self.names(), Some(Instant::now() + self.peer_context.timeouts.construct_timeout)).await?;
        unmade.disarm();
        self.install(link.clone());
        session.tasks().spawn(keeper::keep(self.clone(), link, 0));
        Ok(())
    }

    fn note_child(&self, child: &Arc<Self>) {
        let mut made = locked(&self.made);
        if made.len() == made.capacity() {
            made.retain(|child| child.strong_count() > 0);
        }
        made.push(Arc::downgrade(child));
    }

    /// The handles made by calls on it that are still held, in the order of creation.
    pub(crate) fn made_by_it(&self) -> Vec<Arc<Self>> {
        locked(&self.made).iter().filter_map(Weak::upgrade).collect()
    }

    /// Hands the keeper a link of the session that has replaced that of its last link.
    pub(crate) fn adopt(&self, adopted: Adopted) {
        *locked(&self.adopted) = Some(adopted);
        self.adopting.notify_one();
    }

    pub(crate) fn has_adopted(&self) -> bool {
        locked(&self.adopted).is_some()
    }

    pub(crate) fn take_adopted(&self) -> Option<Adopted> {
        locked(&self.adopted).take()
    }

    /// Counts an object that was made for it.
    pub(crate) fn count_object(&self) {
        self.times_made.fetch_add(1, Ordering::Relaxed);
    }

    /// How often its object was made; `None` if no constructor made it.
    pub(crate) fn times_made(&self) -> Option<u64> {
        self.is_owned().then(|| self.times_made.load(Ordering::Relaxed))
    }

    pub(crate) fn is_owned(&self) -> bool {
        matches!(self.origin, Origin::Made(_))
    }

    pub(crate) fn install(&self, link: Arc<Link>) {
        self.note_offers(&link);
        self.link.put(link);
        self.slot.send_replace(HandleState::Live);
    }

    pub(super) fn note_offers(&self, link: &Link) {
        let offers = self.names().optionals().iter().copied().filter(|name| link.offers(name)).collect();
        *locked(&self.offers) = offers;
    }

    pub(crate) fn publish(&self, slot: HandleState) {
        self.slot.send_replace(slot);
    }

    /// Removes the link.
    pub(crate) fn uninstall(&self) -> Option<Arc<Link>> {
        self.link.take()
    }

    /// The link, if a call can be sent over it now.
    pub(crate) fn usable(&self) -> Option<Arc<Link>> {
        self.link.get(Link::is_usable)
    }

    /// The names whose optional components are probed for.
    pub(crate) fn names(&self) -> Arc<Names> {
        locked(&self.names).clone()
    }

    /// Probes every new link for the optional components of `names` too.
    pub(crate) fn extend_names(&self, names: &Names) {
        let mut known = locked(&self.names);
        let mut all = Names::clone(&known);
        all.extend(names);
        *known = Arc::new(all);
    }

    /// Whether the peer has the optional component `name`, as probed on the last connection.
    pub(crate) fn offers(&self, name: &str) -> bool {
        locked(&self.offers).contains(&name)
    }

    pub(super) fn closed_error(&self) -> Error {
        Error::handle_closed(&self.peer_context.name, self.id.service)
    }

    /// The plugin and the service, for error texts.
    pub(crate) fn title(&self) -> String {
        match self.id.service {
            "" => self.peer_context.name.clone(),
            service => format!("{} {service}", self.peer_context.name),
        }
    }

    /// The usable link, or the next one, awaited until `until()`.
    ///
    /// # Errors
    ///
    /// As [`Handle::ensure`].
    pub(crate) async fn next_link(self: &Arc<Self>, until: impl FnOnce() -> Instant) -> Result<Arc<Link>> {
        if self.closed.is_cancelled() {
            return Err(self.closed_error());
        }
        match self.usable() {
            Some(link) => Ok(link),
            None => self.ensure(until()).await,
        }
    }

    /// Requests a usable link and waits for it, at most until `until`.
    ///
    /// # Errors
    ///
    /// Closed; an ancestor's error unchanged; a refusal that is permanent, or outlasts `until`; deadline exceeded.
    pub(crate) fn ensure(self: &Arc<Self>, until: Instant) -> BoxFuture<'_, Result<Arc<Link>>> {
        Box::pin(async move {
            let mut slot = self.slot.subscribe();
            loop {
                // The version is marked as seen before the state is checked: a change in between wakes us.
                let seen = slot.borrow_and_update().clone();
                if self.closed.is_cancelled() {
                    return Err(self.closed_error());
                }
                if let Some(link) = self.usable() {
                    return Ok(link);
                }
                self.wish.notify_one();
                let parent = match &self.origin {
                    // There is no point in waiting for what ended for good, whatever its parent does.
                    Origin::Made(_) if matches!(&seen, HandleState::Failed(failed) if failed.until == Forgotten::Never) => {
                        None
                    }
                    Origin::Made(recipe) => tokio::select! {
                        biased;
                        () = self.closed.cancelled() => return Err(self.closed_error()),
                        parent = recipe.parent.handle().ensure(until) => Some(parent?),
                    },
                    Origin::Root | Origin::Lent => None,
                };
                if let HandleState::Failed(failed) = &seen {
                    let object = parent.as_ref().map(|link| link.object().number());
                    if let Some(error) =
                        failed.give_up(Instant::now(), until, object, self.peer_context.reset_version())
                    {
                        return Err(error);
                    }
                }
                let parent_unusable = async {
                    match &parent {
                        Some(link) => link.unusable().await,
                        None => std::future::pending().await,
                    }
                };
                tokio::select! {
                    changed = slot.changed() => changed.map_err(|_| self.closed_error())?,
                    () = parent_unusable => {}
                    () = self.closed.cancelled() => return Err(self.closed_error()),
                    () = tokio::time::sleep_until(until.into()) => {
                        let (plugin, service) = (&self.peer_context.name, self.id.service);
                        return Err(match &seen {
                            HandleState::Failed(failed) => failed.error.clone().not_recovered_from(plugin, service),
                            _ => Error::not_recovered(plugin, service),
                        });
                    }
                }
            }
        })
    }

    /// How long a call waits for a link.
    pub(crate) fn patience(&self, context: &Context) -> Instant {
        context.deadline.unwrap_or_else(|| Instant::now() + self.peer_context.timeouts.recovery_timeout)
    }
}
