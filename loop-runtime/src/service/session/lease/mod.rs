//! A local service, served to a peer on a connection of its own, under a broker id.
//!
//! [`machine`] decides when it ends; the task here accepts connections and executes that.

pub(crate) mod machine;

use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::lendable::{Export, Lent};
use super::session::Session;
use crate::broker::Listener;
use crate::error::Result;
use crate::service::base::EndTree;
use crate::sync::locked;
use crate::transport::{self, Accepted};
pub(crate) use machine::Expiry;
use machine::{Input, Machine, State};

/// The owner's side of a lease. Dropping it closes the connections and drops running handlers.
pub(crate) struct Lease {
    id: u32,
    control: Arc<Control>,
    /// Dropped last, so that lent objects are dropped in the order of the leases. `None` for a lease that expires: its
    /// server drops the service when the peer has disconnected, however long the owner lives.
    _export: Option<Export>,
}

/// What ends a lease, shared with its server task.
pub(crate) struct Control {
    stop: CancellationToken,
    /// The peer has released the object.
    released: CancellationToken,
    cut: Arc<EndTree>,
    ended: CancellationToken,
    served: Mutex<Option<Arc<dyn Lent>>>,
}

impl Lease {
    /// Serves `export` until cut. `within` ends with its owner's leases.
    ///
    /// # Errors
    ///
    /// The session has ended, the broker ids are exhausted, or the socket cannot be bound.
    pub(crate) async fn open(
        session: &Arc<Session>,
        export: Export,
        within: &EndTree,
        expiry: Option<Expiry>,
    ) -> Result<Self> {
        let released = CancellationToken::new();
        let served = export.what.open(session, export.release, released.clone())?;
        let control = Arc::new(Control {
            stop: CancellationToken::new(),
            released,
            cut: within.child(),
            ended: CancellationToken::new(),
            served: Mutex::new(Some(served.clone())),
        });
        let (id, listener) = session.listen().await?;
        session.tasks().spawn(serve(session.clone(), listener, served, control.clone(), expiry));
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

    /// Waits until the peer has disconnected from it, or it was cut.
    pub(crate) async fn ended(&self) {
        self.control.ended().await;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.control.cut.end();
    }
}

impl Control {
    /// Ends an object that is replaced: it is released, then cut. Not to be dropped half-way: see
    /// [`displace`](super::lending::displace).
    pub(crate) async fn displace(&self, bound: Duration) {
        let served = locked(&self.served).clone();
        if let Some(served) = served {
            // Its status is ignored: the object is dropped either way.
            let _ = tokio::time::timeout(bound, served.release()).await;
        }
        self.cut.end();
        self.ended().await;
    }

    /// Waits until the service was dropped.
    pub(crate) async fn ended(&self) {
        self.ended.cancelled().await;
    }
}

async fn serve(
    session: Arc<Session>,
    listener: Listener,
    served: Arc<dyn Lent>,
    control: Arc<Control>,
    expiry: Option<Expiry>,
) {
    let mut machine = Machine::new(expiry, Instant::now());
    let mut listener = Some(listener);
    let mut connections = JoinSet::new();
    while machine.state() != State::Ended {
        if machine.state() != State::Open {
            listener = None;
        }
        let open = listener.is_some();
        let accepted = async {
            match &listener {
                Some(listener) => listener.accept().await,
                None => pending().await,
            }
        };
        let expired = async {
            match machine.wake_at() {
                Some(at) => tokio::time::sleep_until(at.into()).await,
                None => pending().await,
            }
        };
        let input = tokio::select! {
            biased;
            () = control.cut.told().cancelled(), if open => Input::Cut,
            () = control.stop.cancelled(), if open => Input::Closing,
            () = control.released.cancelled(), if open => Input::Closing,
            accepted = accepted => match accepted {
                Ok(accepted) => {
                    connections.spawn(connection(session.clone(), accepted, served.clone(), control.clone(), expiry));
                    Input::Accepted
                }
                Err(why) => {
                    tracing::warn!(peer = session.name(), error = %why, "a lent service no longer accepts connections");
                    Input::Closing
                }
            },
            Some(ended) = connections.join_next() => Input::Disconnected { established: ended.unwrap_or(true) },
            () = expired => Input::Woken { ours: session.peer_is_ours() },
        };
        machine.step(input, Instant::now());
    }
    drop(listener);
    control.cut.end();
    locked(&control.served).take();
    drop(served);
    control.ended.cancel();
}

/// Serves one connection to its end; returns whether it was established.
async fn connection(
    session: Arc<Session>,
    accepted: Accepted,
    served: Arc<dyn Lent>,
    control: Arc<Control>,
    expiry: Option<Expiry>,
) -> bool {
    let limits = session.serving().clone();
    let cut = control.cut.told().clone();
    // A host in Go does not disconnect from a reporting plugin that it has closed. One of this runtime, which sends a
    // key, disconnects from what it has released itself, and keeps what a borrower of its released.
    let released = match expiry {
        Some(_) => CancellationToken::new(),
        None => control.released.clone(),
    };
    match cut.run_until_cancelled(accepted.establish()).await {
        Some(Ok(stream)) => {
            transport::serve_connection(stream, served, limits, released, cut).await;
            return true;
        }
        Some(Err(why)) => tracing::warn!(peer = session.name(), error = %why, "refused a connection"),
        None => {}
    }
    false
}

#[cfg(all(test, feature = "auto-mtls"))]
mod tests;
