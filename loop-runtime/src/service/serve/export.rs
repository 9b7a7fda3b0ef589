//! Serving a local service, or one that is itself remote, to a peer.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::contract::Service;
use super::forward::{Forward, Forwarded};
use super::mounted::{LentHandler, MountedTree};
use super::tree::{Starts, Tree};
use crate::error::Result;
use crate::service::base::{BoxFuture, Method, Names};
use crate::service::session::{Export, Lendable, Lent, Session};

/// What to serve for `service` under a lent id.
///
/// A remote service whose methods carry no services is forwarded undecoded, restricted to the names of its own tree:
/// lending a component never lends the whole connection. One that carries services is served through its typed
/// adapter, which connects to the services that it returns and lends them on.
pub(crate) fn export<S: Service + ?Sized>(service: &Arc<S>) -> Export {
    let what: Arc<dyn Lendable> = match S::remote(service) {
        Some(remote) if !S::CARRIES => {
            let mut names = Names::default();
            S::describe(&mut names);
            Arc::new(Forwarded { target: remote.clone(), names: Arc::new(names) })
        }
        _ => Arc::new(Typed(typed(service))),
    };
    Export { release: S::RELEASE, what }
}

/// A type-erased service.
pub(crate) trait Mount: Send + Sync {
    fn tree(&self) -> Result<Tree>;
    fn start(&self) -> BoxFuture<'_, Result<()>>;
}

struct Mounted<S: ?Sized>(Arc<S>);

impl<S: Service + ?Sized> Mount for Mounted<S> {
    fn tree(&self) -> Result<Tree> {
        let mut tree = Tree::default();
        S::mount(&self.0, &mut tree);
        tree.finish()
    }

    fn start(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move { S::start(&self.0, &mut Starts::default()).await })
    }
}

/// `service` served through its typed adapter.
pub(crate) fn typed<S: Service + ?Sized>(service: &Arc<S>) -> Arc<dyn Mount> {
    Arc::new(Mounted(service.clone()))
}

/// A service behind its typed adapter, on a connection of its own.
pub(crate) struct Typed(pub(crate) Arc<dyn Mount>);

impl Lendable for Typed {
    fn start(&self) -> BoxFuture<'_, Result<()>> {
        self.0.start()
    }

    fn open(
        &self,
        session: &Arc<Session>,
        release: Option<&'static Method>,
        released: CancellationToken,
    ) -> Result<Arc<dyn Lent>> {
        let served = MountedTree::new(self.0.tree()?, session.clone(), release, released);
        Ok(Arc::new(LentHandler(Arc::new(served))))
    }
}

impl Lendable for Forwarded {
    /// It has started already, in another process.
    fn start(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn open(
        &self,
        session: &Arc<Session>,
        release: Option<&'static Method>,
        released: CancellationToken,
    ) -> Result<Arc<dyn Lent>> {
        Ok(Arc::new(Forward::new(self, session, release, released)))
    }
}
