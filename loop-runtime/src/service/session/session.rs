//! One live session between this process and another: its broker, what was lent over it, its connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{OnceCell, mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::handed_out::HandedOut;
use super::object::Object;
use crate::broker::{Broker, BrokerError, BrokerTransport, Listener};
use crate::error::{Error, Result};
use crate::proto::plugin::ConnInfo;
use crate::service::base::{EndTree, PeerContext, settle};
use crate::transport::{Limits, Security};

/// Ends once, from any thread, for good: a host has one session per generation of a plugin, a plugin one in its life.
pub(crate) struct Session {
    name: String,
    number: u64,
    broker: Broker,
    calling: Limits,
    serving: Limits,
    root: Arc<Object>,
    retired: Arc<EndTree>,
    ended: Arc<EndTree>,
    /// Calls in flight over any of its links.
    calls: TaskTracker,
    why: watch::Sender<Option<Arc<str>>>,
    ours: AtomicBool,
    /// The peer was asked what it is.
    asked: OnceCell<()>,
    /// Streams that nobody waits for end.
    closing: CancellationToken,
    handed_out: HandedOut,
    tasks: TaskTracker,
    peer_context: Arc<PeerContext>,
}

/// How a session is wired: what its connections run over, and what each side accepts.
pub(crate) struct Wiring {
    /// The transport of brokered connections.
    pub(crate) route: BrokerTransport,
    /// The security of every connection, brokered ones included.
    pub(crate) security: Security,
    /// How long a dial and its announcement wait for each other.
    pub(crate) dial_timeout: Duration,
    /// The limits of connections that this side dials.
    pub(crate) calling: Limits,
    /// The limits of connections that the peer dials.
    pub(crate) serving: Limits,
}

/// How many announcements may be queued: as many services can be lent before the peer reads.
const ANNOUNCEMENTS: usize = 64;

impl Session {
    /// A session with its broker, whose announcements come out of the second value: they are exchanged over a stream of a
    /// main connection.
    pub(crate) fn assemble(
        name: &str,
        number: u64,
        wiring: Wiring,
        peer_context: Arc<PeerContext>,
    ) -> (Arc<Self>, mpsc::Receiver<ConnInfo>) {
        let Wiring { route, security, dial_timeout, calling, serving } = wiring;
        let (outgoing, announcements) = mpsc::channel(ANNOUNCEMENTS);
        let broker = Broker::new(route, security, dial_timeout, outgoing);
        (Self::new(name, number, broker, (calling, serving), peer_context), announcements)
    }

    /// A session with the peer `name`; `number` is its generation. Handles to what it lends use `peer_context`.
    pub(crate) fn new(
        name: &str,
        number: u64,
        broker: Broker,
        (calling, serving): (Limits, Limits),
        peer_context: Arc<PeerContext>,
    ) -> Arc<Self> {
        let (leases_cut, ended) = (EndTree::new(), EndTree::new());
        Arc::new(Self {
            name: name.to_owned(),
            number,
            broker,
            calling,
            serving,
            root: Arc::new(Object::root(&leases_cut, &ended)),
            retired: EndTree::new(),
            ended,
            calls: TaskTracker::new(),
            why: watch::Sender::new(None),
            ours: AtomicBool::new(false),
            asked: OnceCell::new(),
            closing: CancellationToken::new(),
            handed_out: HandedOut::default(),
            tasks: TaskTracker::new(),
            peer_context,
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

    /// The longest reply accepted, in bytes.
    pub(crate) fn reply_limit(&self) -> usize {
        self.calling.max_receive
    }

    pub(crate) fn root(&self) -> &Arc<Object> {
        &self.root
    }

    pub(crate) fn peer_context(&self) -> &Arc<PeerContext> {
        &self.peer_context
    }

    pub(crate) fn handed_out(&self) -> &HandedOut {
        &self.handed_out
    }

    pub(crate) fn broker(&self) -> &Broker {
        &self.broker
    }

    /// The limits of connections that this side dials.
    pub(crate) fn calling(&self) -> &Limits {
        &self.calling
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

    /// Whether the peer is this runtime, learned from its first request or response.
    pub(crate) fn peer_is_ours(&self) -> bool {
        self.ours.load(Ordering::Relaxed)
    }

    pub(crate) fn saw_peer(&self, ours: bool) {
        if ours {
            self.ours.store(true, Ordering::Relaxed);
        }
    }

    /// Waits until the peer was asked once, by `ask`, what it is, unless it is known to be this runtime.
    pub(super) async fn learn_peer(&self, ask: impl Future<Output = ()>) {
        if !self.peer_is_ours() {
            self.asked.get_or_init(|| ask).await;
        }
    }

    /// Ends the streams that this side sends in results, because it closes: they might never end by themselves.
    pub(crate) fn close_streams(&self) {
        self.closing.cancel();
    }

    /// Cancelled by [`Session::close_streams`].
    pub(crate) fn closing(&self) -> &CancellationToken {
        &self.closing
    }

    /// Takes no new calls from now on, over all links at once; those in flight go on. Sync, idempotent, any thread.
    pub(crate) fn retire(&self) {
        self.retired.end();
    }

    /// Ends once the session takes no new calls.
    pub(crate) fn retired(&self) -> &EndTree {
        &self.retired
    }

    /// The calls in flight over any of its links.
    pub(crate) fn calls(&self) -> &TaskTracker {
        &self.calls
    }

    /// Waits until no call is in flight; [`Session::retire`] is what prevents new ones.
    pub(crate) async fn drained(&self) {
        self.calls.close();
        self.calls.wait().await;
    }

    /// Ends the session: what was lent is cut first, then the connections; calls in flight are lost. Sync, idempotent,
    /// from any thread.
    pub(crate) fn end(&self) {
        self.root.end();
        self.ended.end();
        self.broker.closed("the session has ended");
        self.tasks.close();
    }

    /// Waits until everything that the session started has ended.
    pub(crate) async fn finished(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Sets how the peer ended; callers whose calls were lost wait briefly for it.
    pub(crate) fn set_epitaph(&self, text: String) {
        self.why.send_replace(Some(text.into()));
    }

    /// How the peer ended, for a caller that just lost a call to it: this becomes known a moment later. `None` at once
    /// if the session lives on, because only a connection was lost.
    pub(crate) async fn end_reason(&self) -> Option<Arc<str>> {
        tokio::time::timeout(settle::SESSION, self.ended().cancelled()).await.ok()?;
        let mut why = self.why.subscribe();
        let known = tokio::time::timeout(settle::END, why.wait_for(Option::is_some)).await;
        known.ok()?.ok()?.clone()
    }

    /// Listens for connections to what is lent, and returns the broker id.
    ///
    /// # Errors
    ///
    /// A loss, if the session has ended or is about to; otherwise why nothing can be lent to this peer.
    pub(crate) async fn listen(&self) -> Result<(u32, Listener)> {
        let lost = |why: &dyn std::fmt::Display| Error::lost(false, format!("{}: lending a service: {why}", self.name));
        if self.has_ended() {
            return Err(lost(&"the session has ended"));
        }
        match self.broker.listen().await {
            Ok(listening) => Ok(listening),
            Err(why @ BrokerError::Closed(_)) => {
                // The caller goes on to the next session as soon as this one has ended.
                let _ = tokio::time::timeout(settle::END, self.ended().cancelled()).await;
                Err(lost(&why).with_source(why))
            }
            Err(why) => {
                let text = format!("{}: lending a service: {why}", self.name);
                Err(Error::new(crate::Code::ResourceExhausted, text).with_source(why))
            }
        }
    }
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
