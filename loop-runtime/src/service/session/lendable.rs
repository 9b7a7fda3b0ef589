//! What can be lent to a peer, as far as a session looks at it.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::session::Session;
use crate::error::Result;
use crate::service::base::{BoxFuture, Method};
use crate::transport::Handler;

/// A service of ours, or one that is itself remote: served to a peer under a number of the broker.
pub(crate) trait Lendable: Send + Sync {
    /// Runs the start methods, once, before what a method made is handed out.
    fn start(&self) -> BoxFuture<'_, Result<()>>;

    /// What answers the calls of the peer of `session`. `released` is cancelled once the peer has given the object back by
    /// `release`.
    ///
    /// # Errors
    ///
    /// Two components of the service have one name.
    fn open(
        &self,
        session: &Arc<Session>,
        release: Option<&'static Method>,
        released: CancellationToken,
    ) -> Result<Arc<dyn Lent>>;
}

/// What answers the calls of one lease.
pub(crate) trait Lent: Handler {
    /// Calls the release method on our own behalf, if there is one and it is ours to call.
    fn release(&self) -> BoxFuture<'_, ()>;
}

/// A service on its way to a peer.
#[derive(Clone)]
pub(crate) struct Export {
    /// The method by which the peer gives back what was handed over to it. What is lent has none: there it is a method
    /// like any other.
    pub(crate) release: Option<&'static Method>,
    pub(crate) what: Arc<dyn Lendable>,
}

impl Export {
    /// The same, lent: it stays ours.
    pub(crate) fn lent(&self) -> Self {
        Self { release: None, what: self.what.clone() }
    }
}
