//! A service of ours served to a peer on a connection of its own, under a number of the broker.

use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::export::{Export, What};
use super::forward::Forward;
use super::life::Life;
use super::root::{Doorway, Served};
use super::session::Session;

use crate::broker::Listener;
use crate::error::Result;
use crate::sync::locked;
use crate::transport::{self, Handler};

/// How long a peer of ours may leave a lent service alone. A peer in Go drops idle connections and dials again, so
/// that for it a lease ends with its owner only.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expiry {
    /// Never dialled.
    pub(crate) unclaimed: Duration,
    /// After its last connection.
    pub(crate) linger: Duration,
}

impl Expiry {
    /// For what a constructor handed out: a host that dials again does so within milliseconds.
    pub(crate) const HANDED_OUT: Self = Self { unclaimed: Duration::from_secs(5), linger: Duration::from_secs(2) };
    /// For what an ordinary call lent: the peer hangs up when it is done.
    pub(crate) const ORDINARY_CALL: Self = Self { unclaimed: Duration::from_secs(5), linger: Duration::ZERO };
}

/// The owner's side of a lease. Dropping it cuts the connections and drops the handlers that run.
pub(crate) struct Lease {
    id: u32,
    control: Arc<Control>,
    /// Dropped last, so that lent objects are dropped in the order of the leases. `None` for a lease that expires: its
    /// server drops the service when the peer has hung up, however long the owner lives.
    _export: Option<Export>,
}

/// What ends a lease, shared with its server task.
pub(crate) struct Control {
    stop: CancellationToken,
    /// The peer has given the object back.
    released: CancellationToken,
    cut: Arc<Life>,
    ended: CancellationToken,
    served: Mutex<Option<Arc<Served>>>,
}

impl Lease {
    /// Serves `export` until cut. `within` is the life of its owner's leases.
    ///
    /// # Errors
    ///
    /// The session has ended, the broker is out of numbers, or the socket cannot be made.
    pub(crate) async fn open(
        session: &Arc<Session>,
        export: Export,
        within: &Life,
        expiry: Option<Expiry>,
    ) -> Result<Self> {
        let control = Arc::new(Control {
            stop: CancellationToken::new(),
            released: CancellationToken::new(),
            cut: within.child(),
            ended: CancellationToken::new(),
            served: Mutex::default(),
        });
        let handler: Arc<dyn Handler> = match &export.what {
            What::Serve(mount) => {
                let served = Served::new(mount.tree()?, session.clone(), export.release, control.released.clone());
                let served = Arc::new(served);
                *locked(&control.served) = Some(served.clone());
                Arc::new(Doorway(served))
            }
            What::Forward(remote, names) => {
                Arc::new(Forward::new(remote, names, session, export.release, control.released.clone()))
            }
        };
        let (id, listener) = session.listen().await?;
        let task = serve(session.clone(), listener, handler, control.clone(), expiry);
        session.tasks().spawn(task);
        Ok(Self { id, control, _export: expiry.is_none().then_some(export) })
    }

    pub(crate) fn id(&self) -> u32 {
        self.id
    }

    pub(crate) fn control(&self) -> &Arc<Control> {
        &self.control
    }

    pub(crate) fn stop_accepting(&self) {
        self.control.stop.cancel();
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.control.ended.is_cancelled()
    }

    /// Waits until the peer has hung up on it, or it was cut.
    pub(crate) async fn ended(&self) {
        self.control.ended.cancelled().await;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.control.cut.end();
    }
}

impl Control {
    /// Ends an object that another one takes the place of: it is told, then cut.
    pub(crate) async fn displace(&self, bound: Duration) {
        let served = locked(&self.served).clone();
        if let Some(served) = served {
            // Its answer is of no matter: the object goes either way.
            let _ = tokio::time::timeout(bound, served.release()).await;
        }
        self.cut.end();
        self.ended.cancelled().await;
    }
}

async fn serve(
    session: Arc<Session>,
    listener: Listener,
    handler: Arc<dyn Handler>,
    control: Arc<Control>,
    expiry: Option<Expiry>,
) {
    let mut connections = JoinSet::new();
    let unclaimed_at = expiry.map(|expiry| Instant::now() + expiry.unclaimed);
    let (mut idle_at, mut claimed) = (unclaimed_at, false);
    loop {
        let expired = async {
            match idle_at {
                Some(at) => sleep_until(at).await,
                None => pending().await,
            }
        };
        tokio::select! {
            biased;
            () = control.cut.told().cancelled() => break,
            () = control.stop.cancelled() => break,
            () = control.released.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => {
                    idle_at = None;
                    let (handler, limits) = (handler.clone(), session.serving().clone());
                    let cut = control.cut.told().clone();
                    // A host in Go does not hang up on a reporting plugin that it has closed. One of ours, which says who
                    // asks, hangs up on what it has released itself, and keeps what a borrower of its released.
                    let released = match expiry {
                        Some(_) => CancellationToken::new(),
                        None => control.released.clone(),
                    };
                    let peer = session.name().to_owned();
                    connections.spawn(async move {
                        match cut.run_until_cancelled(accepted.establish()).await {
                            Some(Ok(stream)) => {
                                transport::serve_connection(stream, handler, limits, released, cut).await;
                                return true;
                            }
                            Some(Err(why)) => tracing::warn!(peer, error = %why, "refused a connection"),
                            None => {}
                        }
                        false
                    });
                }
                Err(why) => {
                    tracing::warn!(peer = session.name(), error = %why, "a lent service no longer accepts connections");
                    break;
                }
            },
            Some(ended) = connections.join_next() => {
                // A stranger who was refused claims nothing.
                claimed |= ended.unwrap_or(true);
                if connections.is_empty() {
                    let lingers_until = expiry.map(|expiry| Instant::now() + expiry.linger);
                    idle_at = if claimed { lingers_until } else { unclaimed_at };
                }
            }
            () = expired => {
                if session.peer_is_ours() {
                    break;
                }
                idle_at = None;
            }
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
    control.cut.end();
    locked(&control.served).take();
    drop(handler);
    control.ended.cancel();
}

#[cfg(all(test, feature = "auto-mtls"))]
#[path = "lease_tests.rs"]
mod tests;
