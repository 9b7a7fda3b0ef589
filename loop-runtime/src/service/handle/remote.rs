//! The one client type: every service trait is implemented for it.

use std::any::Any;
use std::sync::Arc;

use bytes::Bytes;

use super::construct::construct;
use super::handle::Handle;
use super::recipe::{Recipe, ServiceInfo};
use super::streamed::Subscription;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::service::base::Method;
use crate::service::session::{Outgoing, Request};
use crate::wire::FieldSpec;

/// A service in the peer. Users never hold one: they hold `Arc<dyn Trait>`, behind which it is.
#[derive(Clone)]
pub struct Remote {
    user: Arc<User>,
}

/// The last user of a handle: its drop closes the handle, detached.
struct User {
    handle: Arc<Handle>,
    /// What must live as long as a root handle is used: the process.
    keep: Option<Arc<dyn Any + Send + Sync>>,
}

impl Drop for User {
    fn drop(&mut self) {
        if self.keep.is_none() {
            self.handle.closed.cancel();
        }
    }
}

impl Remote {
    pub(crate) fn new(handle: Arc<Handle>) -> Self {
        Self { user: Arc::new(User { handle, keep: None }) }
    }

    /// A root handle: `keep` is dropped with its last user.
    pub(crate) fn root(handle: Arc<Handle>, keep: Arc<dyn Any + Send + Sync>) -> Self {
        Self { user: Arc::new(User { handle, keep: Some(keep) }) }
    }

    pub(crate) fn handle(&self) -> &Arc<Handle> {
        &self.user.handle
    }

    /// Whether the peer has the optional component `name`.
    pub(crate) fn offers(&self, name: &str) -> bool {
        self.user.handle.offers(name)
    }

    /// Sends the request and waits for the reply; `service` is the service that it carries.
    ///
    /// Not generic over the result's type, and not only for code size: a future that holds `Arc<dyn Trait>` behind a
    /// bound of ours is `Send` for rustc only if `dyn Trait` is a service for every lifetime, and it is one for
    /// `'static` alone.
    ///
    /// # Errors
    ///
    /// As [`Handle::call`].
    pub(crate) async fn exchange(
        &self,
        method: &'static Method,
        out: Outgoing,
        service: Option<(usize, ServiceInfo)>,
    ) -> Result<Received> {
        let request = Request::new(out)?;
        let runtime = self.handle().peer_context.runtime();
        if runtime.is_current() {
            return self.exchange_here(method, request, service).await;
        }
        let this = self.clone();
        let exchange = async move { this.exchange_here(method, request, service).await };
        match runtime.run(Context::current().scope(exchange)).await {
            Some(received) => received,
            None => Err(Error::runtime_ended(&self.handle().peer_context.name, self.handle().id.service)),
        }
    }

    async fn exchange_here(
        &self,
        method: &'static Method,
        request: Request,
        service: Option<(usize, ServiceInfo)>,
    ) -> Result<Received> {
        if method.server_streaming {
            let stream = Subscription::open(self, method, request).await?;
            return Ok(Received { reply: Bytes::new(), made: None, stream: Some(stream) });
        }
        if method.client_streaming {
            let reply = self.handle().upload(method, &request).await?;
            return Ok(Received { reply, made: None, stream: None });
        }
        let (reply, made) = match service {
            Some((at, info)) => {
                let field = method.reply.get(at).copied();
                let field = field.unwrap_or_else(|| FieldSpec::new(at as u32 + 1, "value"));
                let recipe = Recipe::new(self.clone(), method, request, field, info)?;
                construct(self.handle().clone(), recipe).await?
            }
            None if method.release && self.closes_by(method) => (self.handle().close().await?, None),
            None => (self.handle().call(method, &request).await?, None),
        };
        Ok(Received { reply, made, stream: None })
    }

    /// Whether calling `method` closes this handle: the handle is owned, and the method is the one that releases it.
    fn closes_by(&self, method: &Method) -> bool {
        self.handle().is_owned() && self.handle().release.is_some_and(|release| release.path == method.path)
    }
}

/// A reply that was not yet decoded, and the object that it carries or the stream that it is.
pub(crate) struct Received {
    pub(crate) reply: Bytes,
    pub(crate) made: Option<Remote>,
    pub(crate) stream: Option<Subscription>,
}
