//! Connections beside the main one: numbered, announced by the accepting side, dialled by the other.
//!
//! An id belongs to the side that accepts it, so both sides count from 1 without colliding. An announcement and the
//! dial that it serves may come in either order, within a time limit (5 s in go-plugin, not configurable there); it
//! serves one dial. The listener behind it accepts for as long as it lives, because Go's clients drop idle connections
//! and redial the same address.
//!
//! This is the case over sockets. If the host multiplexes, connections are streams over the one socket, and the
//! messages are knocks: see `knocks`.
//!
//! [`Broker`] knows neither services nor processes: announcements to send go to a channel, received ones are passed
//! to it. `exchange` carries both over the `StartStream` call of a main connection.

mod error;
mod exchange;
#[cfg(feature = "mux")]
mod knocks;
mod pending;
mod route;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use crate::proto::plugin::ConnInfo;
use crate::transport::{Address, Security, Stream};

pub(crate) use error::BrokerError;
pub(crate) use exchange::{BrokerEnd, BrokerService, Hosts, exchange};
#[cfg(feature = "mux")]
pub(crate) use knocks::Knocks;
pub(crate) use route::{BrokerTransport, Destination, Listener};

/// How long an announcement and its dial wait for each other by default, as in go-plugin.
pub(crate) const DIAL_TIMEOUT: Duration = Duration::from_secs(5);

/// One side of one main connection. Clones are the same broker.
#[derive(Clone, Debug)]
pub(crate) struct Broker(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    route: BrokerTransport,
    security: Security,
    timeout: Duration,
    outgoing: mpsc::Sender<ConnInfo>,
    last_id: AtomicU32,
    pending: pending::Pending,
}

impl Broker {
    /// A broker whose connections use `route` and are secured by `security`; it sends its announcements to `outgoing`.
    ///
    /// `dial_timeout` bounds a dial, the wait for its announcement included, and how long an undialled announcement is
    /// kept. A multiplexed dial may wait as long again for those queued before it.
    pub(crate) fn new(
        route: BrokerTransport,
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

    /// How long a dial may take.
    pub(crate) fn dial_timeout(&self) -> Duration {
        self.0.timeout
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

    /// Listens for connections under a new id, announces it if the transport requires that, and returns the id. Peers
    /// may dial it before this returns; their connections wait to be accepted. Dropping the listener, or this future,
    /// removes the socket.
    ///
    /// # Errors
    ///
    /// [`BrokerError::Listen`], [`BrokerError::IdsExhausted`], [`BrokerError::Closed`], or [`BrokerError::Without`].
    pub(crate) async fn listen(&self) -> Result<(u32, Listener), BrokerError> {
        self.0.pending.check_open()?;
        let id = self.next_id()?;
        tokio::select! {
            listener = self.open(id) => Ok((id, listener?)),
            reason = self.0.pending.closed() => Err(reason),
        }
    }

    async fn open(&self, id: u32) -> Result<Listener, BrokerError> {
        let inner = &*self.0;
        match &inner.route {
            BrokerTransport::Sockets { directory, group } => {
                let listener = match route::bind(directory, *group, inner.security.clone()) {
                    Ok(listener) => listener,
                    Err(why) => {
                        // The directory is removed with the peer's process, but not before this broker is closed.
                        inner.pending.check_open()?;
                        return Err(why.into());
                    }
                };
                let address = listener.address();
                let announcement = ConnInfo {
                    service_id: id,
                    network: address.network().to_owned(),
                    address: address.to_string(),
                    knock: None,
                };
                match inner.outgoing.send(announcement).await {
                    Ok(()) => Ok(Listener::Socket(listener)),
                    // The exchange has ended, and may not have set the reason yet.
                    Err(_) => {
                        inner.pending.check_open()?;
                        Err(BrokerError::Closed("nobody sends its announcements".into()))
                    }
                }
            }
            #[cfg(feature = "mux")]
            BrokerTransport::Multiplexed(knocks) => {
                let listener = knocks.listen(id, inner.timeout, &inner.outgoing).await?;
                Ok(Listener::Multiplexed(listener, inner.security.clone()))
            }
        }
    }

    /// Connects to the peer's `id`: waits for its announcement and consumes it, or knocks. Returns the destination too,
    /// for [`redial`](Self::redial). Dropping the future gives up; an announcement not consumed stays.
    ///
    /// # Errors
    ///
    /// [`BrokerError::NoId`], [`BrokerError::Timeout`], [`BrokerError::Announcement`] for an invalid address,
    /// [`BrokerError::Connect`], [`BrokerError::Closed`], [`BrokerError::Without`], and those of a multiplexed dial.
    pub(crate) async fn dial(&self, id: u32) -> Result<(Stream, Destination), BrokerError> {
        if id == 0 {
            return Err(BrokerError::NoId);
        }
        let deadline = Instant::now() + self.0.timeout;
        let to = match &self.0.route {
            BrokerTransport::Sockets { .. } => match timeout_at(deadline, self.0.pending.take(id)).await {
                Ok(taken) => Destination::Socket(taken?.map_err(BrokerError::Announcement)?),
                Err(_) => return Err(BrokerError::Timeout),
            },
            #[cfg(feature = "mux")]
            BrokerTransport::Multiplexed(_) => Destination::Id(id),
        };
        let stream = self.connect(&to, deadline).await?;
        Ok((stream, to))
    }

    /// Connects once more to what was dialled before, within the dial timeout.
    ///
    /// # Errors
    ///
    /// [`BrokerError::Connect`], and those of a multiplexed dial.
    pub(crate) async fn redial(&self, to: &Destination) -> Result<Stream, BrokerError> {
        self.connect(to, Instant::now() + self.0.timeout).await
    }

    /// A further main connection, beside the one over which announcements are exchanged: to the address of the first, or,
    /// multiplexed, as a stream without a knock.
    ///
    /// # Errors
    ///
    /// As [`redial`](Self::redial).
    pub(crate) async fn dial_main(&self, address: &Address) -> Result<Stream, BrokerError> {
        let deadline = Instant::now() + self.0.timeout;
        match &self.0.route {
            BrokerTransport::Sockets { .. } => self.connect(&Destination::Socket(address.clone()), deadline).await,
            #[cfg(feature = "mux")]
            BrokerTransport::Multiplexed(knocks) => {
                let stream = knocks.open_main(self.0.timeout).await?;
                let secured = timeout_at(deadline, self.0.security.connect(stream)).await;
                secured.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())).map_err(BrokerError::Stream)
            }
        }
    }

    async fn connect(&self, to: &Destination, deadline: Instant) -> Result<Stream, BrokerError> {
        let failed = |source| BrokerError::Connect { to: to.clone(), source };
        let late = |_| failed(io::ErrorKind::TimedOut.into());
        let (stream, deadline) = match to {
            Destination::Socket(address) => {
                let connected = timeout_at(deadline, Stream::connect(address)).await.map_err(late)?;
                (connected.map_err(failed)?, deadline)
            }
            #[cfg(feature = "mux")]
            Destination::Id(id) => (Stream::Mux(self.knock(*id).await?), Instant::now() + self.0.timeout),
        };
        timeout_at(deadline, self.0.security.connect(stream)).await.map_err(late)?.map_err(failed)
    }

    #[cfg(feature = "mux")]
    async fn knock(&self, id: u32) -> Result<crate::transport::MuxStream, BrokerError> {
        let BrokerTransport::Multiplexed(knocks) = &self.0.route else {
            return Err(BrokerError::Refused("connections of this plugin are not multiplexed".to_owned()));
        };
        self.0.pending.check_open()?;
        let (result, dialled) = tokio::sync::oneshot::channel();
        let dial = knocks.clone().dial(id, self.0.timeout, self.0.outgoing.clone(), result);
        let end = self.0.pending.token().clone();
        // A task, because it continues if the caller is dropped.
        tokio::spawn(async move { end.run_until_cancelled(dial).await });
        match dialled.await {
            Ok(result) => result,
            Err(_) => Err(self.0.pending.closed().await),
        }
    }

    /// Handles an announcement of the peer.
    ///
    /// An invalid one fails the dial that waits for it, with the reason, and nothing else. A further announcement of an
    /// id whose last one is still kept is dropped, as in Go.
    pub(crate) fn received(&self, announcement: ConnInfo) {
        match &self.0.route {
            BrokerTransport::Sockets { .. } => self.announced(announcement),
            #[cfg(feature = "mux")]
            BrokerTransport::Multiplexed(knocks) => knocks.received(announcement, self.0.timeout, &self.0.outgoing),
        }
    }

    fn announced(&self, announcement: ConnInfo) {
        let ConnInfo { service_id: id, network, address, knock } = announcement;
        if knock.is_some() {
            tracing::debug!(id, "ignored a knock: connections of this plugin are not multiplexed");
        } else if id == 0 {
            tracing::warn!("ignored an announcement without an id");
        } else {
            self.0.pending.offer(id, Address::parse(&network, &address));
        }
    }

    /// Ends every wait, present and future, with `reason`, and the exchange of announcements. Listeners and connections
    /// live on. The first reason wins.
    pub(crate) fn closed(&self, reason: impl Into<Arc<str>>) {
        self.0.pending.close(Some(reason.into()));
    }

    /// The same for a peer that has no broker.
    fn without(&self) {
        self.0.pending.close(None);
    }
}

#[cfg(test)]
mod tests;
