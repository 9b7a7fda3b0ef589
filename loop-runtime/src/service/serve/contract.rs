//! What `#[loop_service]` implements for a trait, and one incoming call to it.

use std::any::Any;
use std::sync::Arc;

use bytes::Bytes;

use super::tree::{Starts, Tree};
use crate::error::Result;
use crate::service::base::{BoxFuture, Method, Names};
use crate::service::handle::Remote;
use crate::service::session::{Items, Session};
use crate::transport::Requests;
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
    /// The method that releases the object, its own or inherited.
    const RELEASE: Option<&'static Method>;

    /// The service behind `remote`.
    fn connect(remote: Remote) -> Arc<Self>;
    /// The argument of `connect`, if this is such a service.
    fn remote(this: &Self) -> Option<&Remote>;
    /// Adds its names, those of its parents and of its components.
    fn describe(names: &mut Names);
    /// Serves it, its parents and its components.
    fn mount(this: &Arc<Self>, tree: &mut Tree);
    /// Dispatches a call of one of its own methods; `None` if it has no such method.
    fn dispatch(this: Arc<Self>, method: &str, call: Call) -> Option<Answer>;
    /// Runs the start methods of its parents, then its own, each once.
    fn start<'a>(_: &'a Arc<Self>, _: &'a mut Starts) -> BoxFuture<'a, Result<()>> {
        Box::pin(std::future::ready(Ok(())))
    }
    /// Adds it, its parents, its components and their messages to `schema`.
    fn schema(schema: &mut Schema);
}

impl Schema {
    /// The schema of a service: with its parents and components, the services that its methods take and return, and all
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

    /// Adds a further service.
    #[must_use]
    pub fn and<S: Service + ?Sized>(mut self) -> Self {
        S::schema(&mut self);
        self
    }
}
/// How often the object behind `service` was made: 1 at first, and one more each time that it was lost and recreated. A
/// caller who sees the number rise knows that the object's state in memory is lost.
///
/// `None` if no constructor made it: a service of this process, one on a plugin's main connection, or one that was lent.
///
/// To have an object never recreated behind the caller's back, mark its constructor `#[rpc(once)]`.
pub fn times_made<S: Service + ?Sized>(service: &Arc<S>) -> Option<u64> {
    S::remote(service)?.handle().times_made()
}

/// The answer to a call: the encoded reply.
pub type Answer = BoxFuture<'static, Result<Replied>>;

/// What an implementation has returned, encoded.
pub enum Replied {
    /// One message.
    Message(Bytes),
    /// The items of a stream.
    Stream(Items),
}

/// A call that was received and not yet decoded.
pub struct Call {
    pub(crate) body: Bytes,
    /// The messages of a call with a stream among its arguments, whose `body` is empty.
    pub(crate) requests: Option<Requests>,
    pub(crate) session: Arc<Session>,
    /// The key of the calling handle, if a peer of this runtime calls a constructor.
    pub(crate) key: Option<String>,
}

/// `it` as a remote service, if it is one, directly or through further `Arc`s.
///
/// Called where `T` is concrete, so that nothing is added to the user's trait, and a decorator cannot answer it.
pub fn remote_of<T: 'static, S: Service + ?Sized>(it: &T) -> Option<&Remote> {
    let any: &dyn Any = it;
    any.downcast_ref::<Remote>().or_else(|| any.downcast_ref::<Arc<S>>().and_then(|inner| S::remote(inner)))
}
