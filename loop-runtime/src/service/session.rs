//! One live peering between this process and another: its broker, what was lent over it, its connections.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::export::Export;
use super::family::Family;
use super::lease::{Control, Expiry, Lease};
use super::life::Life;
use super::link::Link;
use super::object::Object;
use super::outgoing::Outgoing;
use crate::broker::{Broker, BrokerError, Destination, Listener};
use crate::error::{Error, Result};
use crate::sync::locked;
use crate::transport::{Connection, Limits, Stream};

/// How long the rest of an end may take of which one part is known: the end of the session after that of its broker, the
/// reaping of the process after the end of the session.
const MOMENT: Duration = Duration::from_millis(300);

/// Ends once, from any thread, and never comes back: a host has one session per generation of a plugin, a plugin one
/// in its life.
pub(crate) struct Session {
    name: String,
    number: u64,
    broker: Broker,
    calling: Limits,
    serving: Limits,
    root: Arc<Object>,
    ended: Arc<Life>,
    why: watch::Sender<Option<Arc<str>>>,
    ours: AtomicBool,
    /// What constructors handed out, by the key of the handle that asked for it.
    handed_out: Mutex<HashMap<String, Arc<Control>>>,
    tasks: TaskTracker,
    family: Arc<Family>,
}

impl Session {
    /// A session with the peer `name`; `number` is its generation. Handles to what the peer lends are of `family`.
    pub(crate) fn new(
        name: &str,
        number: u64,
        broker: Broker,
        (calling, serving): (Limits, Limits),
        family: Arc<Family>,
    ) -> Arc<Self> {
        let (leases_cut, ended) = (Life::new(), Life::new());
        Arc::new(Self {
            name: name.to_owned(),
            number,
            broker,
            calling,
            serving,
            root: Arc::new(Object::root(&leases_cut, &ended)),
            ended,
            why: watch::Sender::new(None),
            ours: AtomicBool::new(false),
            handed_out: Mutex::default(),
            tasks: TaskTracker::new(),
            family,
        })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// The limits of connections that the peer dials.
    pub(crate) fn serving(&self) -> &Limits {
        &self.serving
    }

    /// The longest request accepted, in bytes.
    pub(crate) fn receive_limit(&self) -> usize {
        self.serving.max_receive
    }

    pub(crate) fn root(&self) -> &Arc<Object> {
        &self.root
    }

    pub(crate) fn family(&self) -> &Arc<Family> {
        &self.family
    }

    pub(crate) fn tasks(&self) -> &TaskTracker {
        &self.tasks
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.ended.is_over()
    }

    pub(crate) fn ended(&self) -> &CancellationToken {
        self.ended.told()
    }

    /// Whether the peer is this runtime, learned from its first request or answer.
    pub(crate) fn peer_is_ours(&self) -> bool {
        self.ours.load(Ordering::Relaxed)
    }

    pub(crate) fn saw_peer(&self, ours: bool) {
        if ours {
            self.ours.store(true, Ordering::Relaxed);
        }
    }

    /// Ends the session: what was lent is cut first, then the connections; calls in flight are lost. Sync, idempotent,
    /// from any thread.
    pub(crate) fn end(&self) {
        self.root.end();
        self.ended.end();
        self.broker.closed("the session has ended");
        self.tasks.close();
    }

    /// Waits until everything that the session started is gone.
    pub(crate) async fn finished(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Tells how the peer ended; callers whose calls were lost wait a moment for it.
    pub(crate) fn set_epitaph(&self, text: String) {
        self.why.send_replace(Some(text.into()));
    }

    /// How the peer ended, for a caller who just lost a call to it: that becomes known a moment later. `None` at once
    /// if the session lives on, because only a connection was lost.
    pub(crate) async fn epitaph(&self) -> Option<Arc<str>> {
        /// From the loss of a connection to the end of its session.
        const INSTANT: Duration = Duration::from_millis(50);
        tokio::time::timeout(INSTANT, self.ended().cancelled()).await.ok()?;
        let mut why = self.why.subscribe();
        let known = tokio::time::timeout(MOMENT, why.wait_for(Option::is_some)).await;
        known.ok()?.ok()?.clone()
    }

    /// Opens the door for what is lent, and gives its number.
    ///
    /// # Errors
    ///
    /// A loss, if the session has ended or is about to; else why nothing can be lent to this peer.
    pub(crate) async fn listen(&self) -> Result<(u32, Listener)> {
        let lost = |why: &dyn std::fmt::Display| Error::lost(false, format!("{}: lending a service: {why}", self.name));
        if self.has_ended() {
            return Err(lost(&"the session has ended"));
        }
        match self.broker.listen().await {
            Ok(listening) => Ok(listening),
            Err(why @ BrokerError::Closed(_)) => {
                // Whoever asked goes on to the next session as soon as this one says that it has ended.
                let _ = tokio::time::timeout(MOMENT, self.ended().cancelled()).await;
                Err(lost(&why).with_source(why))
            }
            Err(why) => {
                let text = format!("{}: lending a service: {why}", self.name);
                Err(Error::new(crate::Code::ResourceExhausted, text).with_source(why))
            }
        }
    }

    /// Connects to the number that the peer announced, and makes a link of it.
    ///
    /// # Errors
    ///
    /// No announcement came in time, the peer refused the connection, or the session has ended.
    pub(crate) async fn dial(self: &Arc<Self>, id: u32, object: Arc<Object>) -> Result<Arc<Link>> {
        let (stream, to) = tokio::select! {
            dialled = self.broker.dial(id) => dialled.map_err(|why| Error::lost(false, why.to_string()).with_source(why))?,
            () = self.ended().cancelled() => return Err(Error::lost(false, "the session has ended")),
        };
        self.link(stream, Some(to), object).await
    }

    /// Dials the same destination once more.
    ///
    /// # Errors
    ///
    /// Refused: what was served there is gone.
    pub(crate) async fn redial(self: &Arc<Self>, to: &Destination, object: Arc<Object>) -> Result<Arc<Link>> {
        let stream =
            self.broker.redial(to).await.map_err(|why| Error::lost(false, why.to_string()).with_source(why))?;
        self.link(stream, Some(to.clone()), object).await
    }

    async fn link(self: &Arc<Self>, stream: Stream, to: Option<Destination>, object: Arc<Object>) -> Result<Arc<Link>> {
        let (connection, driver) = Connection::open(stream, &self.calling)
            .await
            .map_err(|why| Error::lost(false, why.to_string()).with_source(why))?;
        Ok(self.adopt(connection, driver, to, object))
    }

    /// Makes a link of a connection that exists.
    pub(crate) fn adopt(
        self: &Arc<Self>,
        connection: Connection,
        driver: impl Future<Output = ()> + Send + 'static,
        to: Option<Destination>,
        object: Arc<Object>,
    ) -> Arc<Link> {
        let link = Link::new(connection, to, object, self.clone());
        let watched = link.clone();
        // Boxed once: a task that chooses between futures has room for them where they are given and where they run.
        let mut driver = Box::pin(driver);
        self.tasks.spawn(async move {
            tokio::select! {
                () = &mut driver => {}
                () = watched.ended().cancelled() => watched.connection().close(),
            }
            watched.end();
        });
        link
    }

    /// Lends `exports` to `object` and returns the leases with the ids to append to the request.
    ///
    /// # Errors
    ///
    /// As [`Lease::open`]; what was lent before the failure is given back.
    pub(crate) async fn lend(
        self: &Arc<Self>,
        exports: &[(u32, Export)],
        object: &Object,
        expiry: Option<Expiry>,
    ) -> Result<(Vec<Lease>, Vec<(u32, u32)>)> {
        let (mut leases, mut ids) = (Vec::with_capacity(exports.len()), Vec::with_capacity(exports.len()));
        for (number, export) in exports {
            let export = Export { release: None, what: export.what.clone() };
            let lease = Lease::open(self, export, object.leases_cut(), expiry).await?;
            ids.push((*number, lease.id()));
            leases.push(lease);
        }
        Ok((leases, ids))
    }

    /// Starts and serves what a method of ours returned, and gives the reply's body.
    ///
    /// `key` is the handle that asked (a peer of ours says it, a singleton is its own): the object is then closed when
    /// a newer one of that key takes its place, and for a peer of ours when nobody dials it, and a moment after its last
    /// connection.
    pub(crate) async fn hand_out(self: &Arc<Self>, out: Outgoing, key: Option<String>) -> Result<bytes::Bytes> {
        let (body, exports) = out.into_parts().map_err(crate::wire::WireError::of_reply)?;
        let mut ids = Vec::with_capacity(exports.len());
        for (number, export) in exports {
            if let super::export::What::Serve(object) = &export.what {
                object.start().await?;
            }
            let expiry = key.is_some().then_some(Expiry::HANDED_OUT);
            let lease = Lease::open(self, export, self.root.leases_cut(), expiry).await?;
            ids.push((number, lease.id()));
            if let Some(other) = self.keep_handed_out(lease, key.as_deref()) {
                other.displace(self.family.timing.release).await;
            }
        }
        Ok(super::outgoing::with_ids(&body, &ids))
    }

    /// The lease lives until it ends by itself: nobody here holds it. Gives back what was handed out under the same key
    /// meanwhile, by a call that was made at the same time.
    fn keep_handed_out(self: &Arc<Self>, lease: Lease, key: Option<&str>) -> Option<Arc<Control>> {
        let control = lease.control().clone();
        let other = key.and_then(|key| locked(&self.handed_out).insert(key.to_owned(), control.clone()));
        let (session, key) = (self.clone(), key.map(str::to_owned));
        self.tasks.spawn(async move {
            lease.ended().await;
            if let Some(key) = key {
                let mut all = locked(&session.handed_out);
                if all.get(&key).is_some_and(|newest| Arc::ptr_eq(newest, &control)) {
                    all.remove(&key);
                }
            }
        });
        other
    }

    /// Closes the object that `key` was given before.
    pub(crate) async fn displace(&self, key: &str) {
        let older = locked(&self.handed_out).remove(key);
        if let Some(older) = older {
            older.displace(self.family.timing.release).await;
        }
    }
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
