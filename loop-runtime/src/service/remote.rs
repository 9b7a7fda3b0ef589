//! The one client type: every service trait is implemented for it.

use std::any::Any;
use std::sync::Arc;

use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use super::Service;
use super::handle::Handle;
use super::incoming::Incoming;
use super::method::Method;
use super::outgoing::Outgoing;
use super::recipe::{Recipe, Request, ServiceInfo};
use super::reply::{Outcome, Reply, Whole, WholeOutcome};
use crate::context::Context;
use crate::error::{Error, LoopError, Result};
use crate::wire::FieldSpec;

/// A service on the far side of a connection. Users never hold one: they hold `Arc<dyn Trait>`, behind which it is.
#[derive(Clone)]
pub struct Remote {
    user: Arc<User>,
}

/// The last user of a handle: its drop closes the handle, detached.
struct User {
    handle: Arc<Handle>,
    /// What must live as long as somebody uses a root handle: the process.
    _keep: Option<Arc<dyn Any + Send + Sync>>,
}

impl Drop for User {
    fn drop(&mut self) {
        if self._keep.is_none() {
            self.handle.closed.cancel();
        }
    }
}

impl Remote {
    pub(crate) fn new(handle: Arc<Handle>) -> Self {
        Self { user: Arc::new(User { handle, _keep: None }) }
    }

    /// A root handle: `keep` is dropped with its last user.
    pub(crate) fn root(handle: Arc<Handle>, keep: Arc<dyn Any + Send + Sync>) -> Self {
        Self { user: Arc::new(User { handle, _keep: Some(keep) }) }
    }

    pub(crate) fn handle(&self) -> &Arc<Handle> {
        &self.user.handle
    }

    /// Whether the optional component `name` is there.
    pub(crate) fn offers(&self, name: &str) -> bool {
        self.user.handle.offers(name)
    }

    /// Calls `method`.
    pub async fn call<R: Outcome>(&self, method: &'static Method, out: Outgoing) -> R {
        let received = self.exchange(method, out, R::Ok::service()).await;
        R::join(received.and_then(|received| received.read(method)).map_err(R::Err::from_error))
    }

    /// Calls `method`, whose message is itself the reply.
    pub async fn call_whole<R: WholeOutcome>(&self, method: &'static Method, out: Outgoing) -> R {
        let received = self.exchange(method, out, None).await;
        let whole = received.and_then(|received| received.read::<Whole<R::Ok>>(method));
        R::join(whole.map(|whole| whole.0).map_err(R::Err::from_error))
    }

    /// Sends the request and waits for the reply; `service` is what the reply hands over.
    ///
    /// Knows nothing of the result's type, which is more than a matter of code size: a future that holds
    /// `Arc<dyn Trait>` behind a bound of ours is `Send` for rustc only if `dyn Trait` is a service for every lifetime,
    /// and it is one for `'static` alone.
    async fn exchange(
        &self,
        method: &'static Method,
        out: Outgoing,
        service: Option<(usize, ServiceInfo)>,
    ) -> Result<Received> {
        let (body, exports) = out.into_parts()?;
        let request = Request { body, exports: exports.into() };
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
        Ok(Received { reply, made })
    }

    /// Whether calling `method` by hand closes this handle: it is ours, and the method is the one that releases it.
    fn closes_by(&self, method: &Method) -> bool {
        self.handle().is_owned() && self.handle().release.is_some_and(|release| release.path == method.path)
    }
}

/// A reply that was not yet decoded, and the object that it hands over.
struct Received {
    reply: Bytes,
    made: Option<Remote>,
}

impl Received {
    fn read<T: Reply>(self, method: &'static Method) -> Result<T> {
        T::take(method.reply, &mut Incoming::reply(self.reply, self.made))
    }
}

/// By how much a constructor call may pass the deadline of its caller, to say whether it was sent.
const INSTANT: std::time::Duration = std::time::Duration::from_millis(20);

/// Runs a first constructor call in a task of its own: once the request is out, it is carried to its end even if the
/// caller goes away, and the object is then closed; a call cut off in the middle would leave it behind.
async fn construct(parent: Arc<Handle>, recipe: Recipe) -> Result<(Bytes, Option<Remote>)> {
    let context = Context::current();
    let waiting = CancellationToken::new();
    let abandoned = waiting.clone();
    let _waiting = waiting.drop_guard();
    let run = async move {
        let (reply, made) = parent.construct(recipe, &abandoned).await?;
        Ok((reply, made.map(Remote::new)))
    };
    let deadline = context.deadline;
    let task = tokio::spawn(context.scope(run));
    let expired = async {
        match deadline {
            Some(at) => tokio::time::sleep_until((at + INSTANT).into()).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        biased;
        joined = task => {
            joined.unwrap_or_else(|why| Err(Error::internal(format!("the constructor call ended early: {why}"))))
        }
        () = expired => Err(Error::deadline(true, "the caller's deadline passed while an object was made")),
    }
}

/// The remote service that `it` is, if it is one: directly, or through further `Arc`s.
///
/// Asked where `T` is concrete, so that nothing is added to the user's trait, and a decorator cannot answer it.
pub fn remote_of<T: 'static, S: Service + ?Sized>(it: &T) -> Option<&Remote> {
    let any: &dyn Any = it;
    any.downcast_ref::<Remote>().or_else(|| any.downcast_ref::<Arc<S>>().and_then(|inner| S::remote(inner)))
}
