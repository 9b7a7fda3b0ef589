//! What can be lent to a peer, as a session sees it.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::session::Session;
use crate::error::Result;
use crate::service::base::{BoxFuture, Method};
use crate::transport::Handler;

/// A local service, or one that is itself remote, served to a peer under a broker id.
pub(crate) trait Lendable: Send + Sync {
    /// Runs the start methods, once, before a new object is handed out.
    fn start(&self) -> BoxFuture<'_, Result<()>>;

    /// The handler of the calls of the peer of `session`. `released` is cancelled once the peer has released the object
    /// by `release`.
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

/// The handler of the calls of one lease.
pub(crate) trait Lent: Handler {
    /// Calls the release method locally, if there is one and this side owns the object.
    fn release(&self) -> BoxFuture<'_, ()>;
}

/// A service on its way to a peer.
#[derive(Clone)]
pub(crate) struct Export {
    /// The method by which the peer releases what was handed over to it. What is lent has none: there it is a method
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
