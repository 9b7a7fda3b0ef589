//! What `#[loop_service]` implements for a trait, and one call on its way to it.

use std::any::Any;
use std::sync::Arc;

use bytes::Bytes;

use super::tree::{Starts, Tree};
use crate::error::Result;
use crate::service::base::{BoxFuture, Method, Names};
use crate::service::handle::Remote;
use crate::service::session::Session;
use crate::wire::Schema;

/// A service trait, named by its `dyn Trait`. Implemented by `#[loop_service]` only.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a plugin service",
    label = "not a service",
    note = "put `#[loop_service(..)]` on the trait"
)]
pub trait Service: Send + Sync + 'static {
    /// The full name on the wire, `package.Service`.
    const NAME: &'static str;
    /// Its methods.
    const METHODS: &'static [Method];
    /// Whether its methods, its parents' or its components' carry services.
    const CARRIES: bool;
    /// The method that says that nobody needs the object any more, its own or inherited.
    const RELEASE: Option<&'static Method>;

    /// The service on the far side of `remote`.
    fn connect(remote: Remote) -> Arc<Self>;
    /// What `connect` was given, if this is such a service.
    fn remote(this: &Self) -> Option<&Remote>;
    /// Adds its names, its parents' and its components'.
    fn describe(names: &mut Names);
    /// Serves it, its parents and its components.
    fn mount(this: &Arc<Self>, tree: &mut Tree);
    /// Answers one of its own methods; `None` if it has no such method.
    fn dispatch(this: Arc<Self>, method: &str, call: Call) -> Option<Answer>;
    /// Runs the start methods of its parents, then its own, each once.
    fn start<'a>(_: &'a Arc<Self>, _: &'a mut Starts) -> BoxFuture<'a, Result<()>> {
        Box::pin(std::future::ready(Ok(())))
    }
    /// Adds it, its parents, its components and their messages to `schema`.
    fn schema(schema: &mut Schema);
}

impl Schema {
    /// The schema of a service: with its parents and components, the services that its methods take and give, and all
    /// messages.
    ///
    /// ```
    /// # use loop_runtime::{Result, loop_service, wire::Schema};
    /// /// Greets.
    /// #[loop_service(package = "acme.greeter.v1")]
    /// pub trait Greeter {
    ///     /// Greets somebody.
    ///     async fn greet(&self, name: &str) -> Result<String>;
    /// }
    ///
    /// let text = Schema::of::<dyn Greeter>().proto("acme.greeter.v1");
    /// assert!(text.contains("rpc Greet(GreetRequest) returns (GreetReply);"));
    /// ```
    pub fn of<S: Service + ?Sized>() -> Self {
        Self::new().and::<S>()
    }

    /// The same with a further service.
    #[must_use]
    pub fn and<S: Service + ?Sized>(mut self) -> Self {
        S::schema(&mut self);
        self
    }
}
/// How often the object behind `service` was made: 1 at first, and one more each time that it was lost and made again. A
/// caller who sees the number rise knows that what the object had in memory is gone.
///
/// `None` if no constructor made it: a service of this process, one on a plugin's main connection, or one that was lent.
///
/// To have an object that is never made again behind the caller's back, mark its constructor `#[rpc(once)]`.
pub fn times_made<S: Service + ?Sized>(service: &Arc<S>) -> Option<u64> {
    S::remote(service)?.handle().times_made()
}

/// The answer to a call: the encoded reply.
pub type Answer = BoxFuture<'static, Result<Bytes>>;

/// A call that was received and not yet decoded.
pub struct Call {
    pub(crate) body: Bytes,
    pub(crate) session: Arc<Session>,
    /// The key of the handle that asks, if a peer of ours constructs something.
    pub(crate) key: Option<String>,
}

/// The remote service that `it` is, if it is one: directly, or through further `Arc`s.
///
/// Asked where `T` is concrete, so that nothing is added to the user's trait, and a decorator cannot answer it.
pub fn remote_of<T: 'static, S: Service + ?Sized>(it: &T) -> Option<&Remote> {
    let any: &dyn Any = it;
    any.downcast_ref::<Remote>().or_else(|| any.downcast_ref::<Arc<S>>().and_then(|inner| S::remote(inner)))
}
