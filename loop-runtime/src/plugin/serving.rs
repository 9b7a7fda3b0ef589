//! Serving a plugin's main connections, from the first to the end. It knows sockets and services and nothing of the
//! process around it, so that tests serve in process exactly what a plugin serves.

#[cfg(feature = "mux")]
mod multiplexed;

use std::sync::Arc;
#[cfg(feature = "mux")]
use std::sync::OnceLock;
use std::time::Duration;

use http::{Request, Response};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::body::Body;

use super::fixed::Fixed;
use super::stop::{Reason, Stop};
use crate::broker::{BrokerService, BrokerTransport, Hosts};
use crate::error::Result;
use crate::lived;
use crate::service::{BoxFuture, MountedTree, PeerContext, RootService, Session, Timeouts, Wiring};
use crate::stdio::ring::Ring;
use crate::stdio::stream::Stdio;
#[cfg(feature = "mux")]
use crate::transport::MuxSession;
use crate::transport::{Accepted, ConnectionId, Handler, Limits, Listener, Security, SignsOfLife, serve_connection};

/// How long calls in flight may run after shutdown was requested.
const GRACE: Duration = Duration::from_secs(1);

/// How long leases, and objects made by calls, may take to end.
const RELEASE: Duration = Duration::from_millis(250);

/// How long connections may take to close gracefully before they are cut.
const GOODBYE: Duration = Duration::from_millis(100);

/// How long a plugin whose connections are all gone waits for its host to come back.
const ABSENCE: Duration = Duration::from_secs(10);

/// Sees the path of every call on the main connections.
pub(crate) type OnCall = Arc<dyn Fn(&str) + Send + Sync>;

/// What [`Serving`] needs besides the services.
pub(crate) struct ServingOptions {
    /// The name of this plugin, for logs and errors.
    pub(crate) name: String,
    /// The transport of brokered connections.
    pub(crate) route: BrokerTransport,
    /// The TLS of every connection, brokered ones included.
    pub(crate) security: Security,
    pub(crate) hosts: Hosts,
    /// The limits of the connections that the host dials.
    pub(crate) limits: Limits,
    pub(crate) dial_timeout: Duration,
    pub(crate) on_call: Vec<OnCall>,
    /// What the host's stdio subscription reads.
    pub(crate) stdio: Arc<Ring>,
    pub(crate) stop: Stop,
}

/// A plugin's services, being served.
pub(crate) struct Serving {
    entrance: Arc<MainHandler>,
    session: Arc<Session>,
    limits: Limits,
    stop: Stop,
    /// Rejects new calls.
    drain: CancellationToken,
    /// Cuts connections.
    abort: CancellationToken,
    connections: TaskTracker,
    /// The session that carries the streams of a host that multiplexes.
    #[cfg(feature = "mux")]
    raw: OnceLock<MuxSession>,
}

impl Serving {
    /// Mounts `root`, whose start has run.
    ///
    /// # Errors
    ///
    /// Two of its services have one name.
    pub(crate) fn new(root: &RootService, options: ServingOptions) -> Result<Self> {
        let ServingOptions { name, route, security, hosts, limits, dial_timeout, on_call, stdio, stop } = options;
        let peer_context = PeerContext::new("the host", &name, Timeouts::default(), false, Arc::new(|_| {}));
        let wiring = Wiring { route, security, dial_timeout, calling: Limits::client(), serving: limits.clone() };
        let (session, announcements) = Session::assemble("the host", 1, wiring, peer_context);
        let served = root.serve(&session)?;
        let exchange = BrokerService::new(session.broker().clone(), hosts, announcements);
        let fixed = Fixed::new(&served.names(), exchange, Stdio { ring: stdio }, stop.clone());
        let entrance = MainHandler { fixed, served, on_call, presence: watch::Sender::default() };
        Ok(Self {
            entrance: Arc::new(entrance),
            session,
            limits,
            stop,
            drain: CancellationToken::new(),
            abort: CancellationToken::new(),
            connections: TaskTracker::new(),
            #[cfg(feature = "mux")]
            raw: OnceLock::new(),
        })
    }

    /// Spawns a task that serves an established connection.
    pub(crate) fn connect<IO>(&self, io: IO)
    where
        IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        self.serve(async { Some(io) });
    }

    fn admit(&self, accepted: Accepted) {
        let abort = self.abort.clone();
        self.serve(async move {
            match abort.run_until_cancelled(accepted.establish()).await? {
                Ok(stream) => Some(stream),
                Err(why) => {
                    tracing::warn!(error = %why, "refused a connection");
                    None
                }
            }
        });
    }

    fn serve<IO>(&self, established: impl Future<Output = Option<IO>> + Send + 'static)
    where
        IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        self.entrance.presence.send_modify(|presence| presence.open += 1);
        let here = Here(self.entrance.clone());
        let (drain, abort) = (self.drain.clone(), self.abort.clone());
        let (entrance, limits) = (self.entrance.clone(), self.limits.clone());
        // Boxed before it is spawned: spawning moves a future over the stack several times, and the pages that this
        // touches stay with a process that calls nothing else as deep.
        self.connections.spawn(Box::pin(async move {
            let _here = here;
            if let Some(io) = established.await {
                serve_connection(io, entrance, limits, drain, abort).await;
            }
        }));
    }

    /// Accepts connections until shutdown is requested. Dropping the listener, at the end, removes its socket.
    pub(crate) async fn accept(&self, listener: Listener) {
        loop {
            tokio::select! {
                () = self.stop.token().cancelled() => return,
                accepted = listener.accept() => match accepted {
                    Ok(accepted) => self.admit(accepted),
                    Err(error) => {
                        tracing::error!(%error, "the plugin can accept no connections any more");
                        self.stop.request(Reason::Failed);
                        return;
                    }
                },
            }
        }
    }

    /// Requests shutdown when every connection is gone, of which one had made a call, and none has come for
    /// [`ABSENCE`]. A host that lost its connection dials again at once.
    pub(crate) async fn watch_absence(&self) {
        let mut presence = self.entrance.presence.subscribe();
        loop {
            if presence.wait_for(|presence| presence.spoke && presence.open == 0).await.is_err() {
                return;
            }
            if lived::within(ABSENCE, presence.wait_for(|presence| presence.open > 0)).await.is_none() {
                self.stop.request(Reason::Abandoned);
                return;
            }
        }
    }

    /// Ends the service: new calls are rejected, those in flight have [`GRACE`], `flush` runs (the last of the captured
    /// output), then leases, objects and connections end.
    pub(crate) async fn wind_down(self, flush: impl Future<Output = ()>) {
        self.drain.cancel();
        self.entrance.served.close_streams();
        let calls = self.entrance.served.calls();
        calls.close();
        if tokio::time::timeout(GRACE.min(self.stop.left()), calls.wait()).await.is_err() {
            tracing::warn!(calls = calls.len(), "calls in flight are cut off: the plugin ends");
        }
        flush.await;
        self.session.end();
        let _ = tokio::time::timeout(RELEASE.min(self.stop.left()), self.session.finished()).await;
        self.connections.close();
        if tokio::time::timeout(GOODBYE, self.connections.wait()).await.is_err() {
            self.abort.cancel();
            let _ = tokio::time::timeout(self.stop.left(), self.connections.wait()).await;
        }
        #[cfg(feature = "mux")]
        if let Some(raw) = self.raw.get() {
            raw.close();
            raw.ended().cancelled().await;
        }
    }
}

/// Without a shutdown, everything is cut.
impl Drop for Serving {
    fn drop(&mut self) {
        self.abort.cancel();
        self.session.end();
        #[cfg(feature = "mux")]
        if let Some(raw) = self.raw.get() {
            raw.close();
        }
    }
}

/// How many connections there are, and whether any ever made a call.
#[derive(Default)]
struct Presence {
    open: usize,
    spoke: bool,
}

/// The handler of the main connections.
struct MainHandler {
    fixed: Fixed,
    served: Arc<MountedTree>,
    on_call: Vec<OnCall>,
    presence: watch::Sender<Presence>,
}

impl Handler for MainHandler {
    fn handle(&self, request: Request<Body>, _: ConnectionId) -> BoxFuture<'static, Response<Body>> {
        for seen in &self.on_call {
            seen(request.uri().path());
        }
        self.presence.send_if_modified(|presence| !std::mem::replace(&mut presence.spoke, true));
        self.served.heard();
        match self.fixed.handle(request) {
            Ok(answer) => answer,
            Err(request) => self.served.respond(*request),
        }
    }

    fn signs(&self) -> SignsOfLife {
        self.served.signs()
    }

    fn is_fixed(&self, path: &str) -> bool {
        Fixed::serves(path)
    }
}

#[cfg(test)]
#[path = "serving_tests.rs"]
mod tests;

/// A connection that is open.
struct Here(Arc<MainHandler>);

impl Drop for Here {
    fn drop(&mut self) {
        self.0.presence.send_modify(|presence| presence.open -= 1);
    }
}
