//! Local services on their way to a peer: lent with a request, or handed out with a reply.

use std::sync::Arc;

use bytes::Bytes;

use super::lease::{Control, Expiry, Lease};
use super::lendable::Export;
use super::object::Object;
use super::outgoing::{Outgoing, with_ids};
use super::session::Session;
use crate::error::Result;
use crate::wire::WireError;

/// Lends `exports` to `object` and returns the leases with the ids to append to the request.
///
/// # Errors
///
/// As [`Lease::open`]; what was lent before the failure is released.
pub(crate) async fn lend(
    session: &Arc<Session>,
    exports: &[(u32, Export)],
    object: &Object,
    expiry: Option<Expiry>,
) -> Result<(Vec<Lease>, Vec<(u32, u32)>)> {
    let (mut leases, mut ids) = (Vec::with_capacity(exports.len()), Vec::with_capacity(exports.len()));
    for (number, export) in exports {
        let lease = Lease::open(session, export.lent(), object.leases_cut(), expiry).await?;
        ids.push((*number, lease.id()));
        leases.push(lease);
    }
    Ok((leases, ids))
}

/// Starts and serves what a local method returned, and returns the reply's body.
///
/// `key` is the calling handle (sent by a peer of this runtime; a singleton is its own): the object is then closed when
/// a newer one with that key replaces it, and for a peer of this runtime also when nobody dials it, and shortly after
/// its last connection.
///
/// # Errors
///
/// That of a start method; as [`Lease::open`].
pub(crate) async fn hand_out(session: &Arc<Session>, out: Outgoing, key: Option<String>) -> Result<Bytes> {
    let (body, exports) = out.into_parts().map_err(WireError::of_reply)?;
    let mut ids = Vec::with_capacity(exports.len());
    for (number, export) in exports {
        export.what.start().await?;
        let expiry = key.is_some().then_some(Expiry::HANDED_OUT);
        let lease = Lease::open(session, export, session.root().leases_cut(), expiry).await?;
        ids.push((number, lease.id()));
        if let Some(other) = keep(session, lease, key.as_deref()) {
            end(session, other).await;
        }
    }
    Ok(with_ids(&body, &ids))
}

/// Closes the object that `key` was given before.
pub(crate) async fn displace(session: &Arc<Session>, key: &str) {
    if let Some(older) = session.handed_out().get(key) {
        end(session, older).await;
    }
}

/// Releases and then cuts an object, in a task of the session: a caller that is cancelled meanwhile must not leave it
/// half ended, still served and untracked.
async fn end(session: &Arc<Session>, object: Arc<Control>) {
    let bound = session.peer_context().timeouts.release_timeout;
    // Fails only if the runtime ends, and the object with it.
    let _ = session.tasks().spawn(async move { object.displace(bound).await }).await;
}

/// The lease lives until it ends by itself: nobody here holds it. Returns what a concurrent call handed out under the
/// same key meanwhile.
fn keep(session: &Arc<Session>, lease: Lease, key: Option<&str>) -> Option<Arc<Control>> {
    let control = lease.control().clone();
    let other = key.and_then(|key| session.handed_out().enter(key, &control));
    let (ours, key) = (session.clone(), key.map(str::to_owned));
    session.tasks().spawn(async move {
        lease.ended().await;
        if let Some(key) = key {
            ours.handed_out().remove(&key, &control);
        }
    });
    other
}

#[cfg(test)]
#[path = "lending_tests.rs"]
mod tests;
