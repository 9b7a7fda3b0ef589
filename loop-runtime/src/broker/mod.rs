//! Connections beside the main one: numbered, announced by the side that accepts, dialled by the other.
//!
//! An id belongs to the side that accepts it, so both sides count from 1 without colliding. An announcement and the
//! dial that it serves may come in either order, within a time of each other (5 s in go-plugin, not configurable
//! there); it serves one dial. The listener behind it accepts for as long as it lives, because Go's clients drop idle
//! connections and dial the same address again.
//!
//! [`Broker`] knows neither services nor processes: announcements to send go to a channel, received ones are handed
//! to it. `exchange` moves both over the `StartStream` call of a main connection.

mod error;
mod exchange;
mod pending;
mod route;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use crate::proto::plugin::ConnInfo;
use crate::transport::{Address, Listener, Security, Stream};

pub(crate) use error::BrokerError;
pub(crate) use exchange::{BrokerEnd, BrokerService, Hosts, exchange};
pub(crate) use route::Route;

/// How long an announcement and its dial wait for each other unless configured otherwise, as in go-plugin.
pub(crate) const DIAL_TIMEOUT: Duration = Duration::from_secs(5);

/// One side of one main connection. Clones are the same broker.
#[derive(Clone, Debug)]
pub(crate) struct Broker(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    route: Route,
    security: Security,
    timeout: Duration,
    outgoing: mpsc::Sender<ConnInfo>,
    last_id: AtomicU32,
    pending: pending::Pending,
}

impl Broker {
    /// A broker whose connections take `route` and are secured by `security`; it sends its announcements to `outgoing`.
    ///
    /// `dial_timeout` bounds a dial, the wait for its announcement included, and how long an announcement is kept
    /// that nobody dials.
    pub(crate) fn new(
        route: Route,
        security: Security,
        dial_timeout: Duration,
        outgoing: mpsc::Sender<ConnInfo>,
    ) -> Self {
        Self(Arc::new(Inner {
            route,
            security,
            timeout: dial_timeout,
            outgoing,
            last_id: AtomicU32::new(0),
            pending: pending::Pending::new(dial_timeout),
        }))
    }

    /// The next id of this side: 1, 2, 3, and so on.
    ///
    /// # Errors
    ///
    /// [`BrokerError::IdsExhausted`] after `u32::MAX`. Go starts over, which can reach the wrong connection.
    pub(crate) fn next_id(&self) -> Result<u32, BrokerError> {
        self.0
            .last_id
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| last.checked_add(1))
            .map(|last| last + 1)
            .map_err(|_| BrokerError::IdsExhausted)
    }

    /// Binds a socket, announces it and returns its id. Peers may dial it before this returns; their connections wait
    /// to be accepted. Dropping the listener, or this future, removes the socket.
    ///
    /// # Errors
    ///
    /// [`BrokerError::Listen`], [`BrokerError::IdsExhausted`], or [`BrokerError::Closed`].
    pub(crate) async fn listen(&self) -> Result<(u32, Listener), BrokerError> {
        self.0.pending.check_open()?;
        let id = self.next_id()?;
        let listener = self.0.route.listen(self.0.security)?;
        let address = listener.address();
        let announcement = ConnInfo {
            service_id: id,
            network: address.network().to_owned(),
            address: address.to_string(),
            knock: None,
        };
        tokio::select! {
            sent = self.0.outgoing.send(announcement) => match sent {
                Ok(()) => Ok((id, listener)),
                Err(_) => Err(BrokerError::Closed("nobody sends its announcements".into())),
            },
            reason = self.0.pending.closed() => Err(reason),
        }
    }

    /// Waits for the peer's announcement of `id`, uses it up, and connects to it. Returns the address too, for
    /// [`redial`](Self::redial). Dropping the future gives up; an announcement not used up stays.
    ///
    /// # Errors
    ///
    /// [`BrokerError::NoId`], [`BrokerError::Timeout`], [`BrokerError::Announcement`] for an address that cannot be
    /// one, [`BrokerError::Connect`], or [`BrokerError::Closed`].
    pub(crate) async fn dial(&self, id: u32) -> Result<(Stream, Address), BrokerError> {
        if id == 0 {
            return Err(BrokerError::NoId);
        }
        let deadline = Instant::now() + self.0.timeout;
        let address = match timeout_at(deadline, self.0.pending.take(id)).await {
            Ok(taken) => taken?.map_err(BrokerError::Announcement)?,
            Err(_) => return Err(BrokerError::Timeout),
        };
        match timeout_at(deadline, self.connect(&address)).await {
            Ok(Ok(stream)) => Ok((stream, address)),
            Ok(Err(source)) => Err(BrokerError::Connect { address, source }),
            Err(_) => Err(BrokerError::Connect { address, source: io::ErrorKind::TimedOut.into() }),
        }
    }

    /// Connects to an address that was dialled before, once, within the dial timeout.
    pub(crate) async fn redial(&self, address: &Address) -> io::Result<Stream> {
        match timeout_at(Instant::now() + self.0.timeout, self.connect(address)).await {
            Ok(connected) => connected,
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    }

    async fn connect(&self, address: &Address) -> io::Result<Stream> {
        self.0.security.connect(Stream::connect(address).await?).await
    }

    /// Takes in what the peer announced.
    ///
    /// Nonsense fails the dial that waits for it, with what is wrong, and nothing else. A further announcement of an
    /// id whose last one is still kept is dropped, as in Go.
    pub(crate) fn received(&self, announcement: ConnInfo) {
        let ConnInfo { service_id: id, network, address, knock } = announcement;
        if knock.is_some() {
            tracing::debug!(id, "ignored a knock: connections of this plugin are not multiplexed");
        } else if id == 0 {
            tracing::warn!("ignored an announcement without an id");
        } else {
            self.0.pending.offer(id, Address::parse(&network, &address));
        }
    }

    /// Ends every wait, now and in future, with `reason`, and the exchange of announcements. Listeners and connections
    /// live on. The first reason stays.
    pub(crate) fn closed(&self, reason: impl Into<Arc<str>>) {
        self.0.pending.close(reason.into());
    }
}

#[cfg(test)]
mod tests;
