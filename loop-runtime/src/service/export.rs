//! A service of ours, or one that is itself remote, on its way to a peer.

use std::sync::Arc;

use super::method::Method;
use super::remote::Remote;
use super::tree::{Names, Starts, Tree};
use super::{BoxFuture, Service};
use crate::error::Result;

/// What to serve under a lent number.
///
/// A remote service whose methods carry no services is forwarded unread, restricted to the names of its own tree:
/// lending a component never lends the whole connection. One that carries services is served through its typed
/// adapter, which connects to what comes out of it and lends that on.
#[derive(Clone)]
pub(crate) struct Export {
    /// The method by which the peer gives back what was handed over to it. What is lent has none: there it is a method
    /// like any other.
    pub(crate) release: Option<&'static Method>,
    pub(crate) what: What,
}

#[derive(Clone)]
pub(crate) enum What {
    Serve(Arc<dyn Mount>),
    Forward(Remote, Arc<Names>),
}

/// A service with its type forgotten.
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

impl Export {
    pub(crate) fn new<S: Service + ?Sized>(service: &Arc<S>) -> Self {
        let what = match S::remote(service) {
            Some(remote) if !S::CARRIES => {
                let mut names = Names::default();
                S::describe(&mut names);
                What::Forward(remote.clone(), Arc::new(names))
            }
            _ => What::Serve(typed(service)),
        };
        Self { release: S::RELEASE, what }
    }
}

/// `service` served through its typed adapter.
pub(crate) fn typed<S: Service + ?Sized>(service: &Arc<S>) -> Arc<dyn Mount> {
    Arc::new(Mounted(service.clone()))
}
