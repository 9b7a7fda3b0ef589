//! Services across a connection: what the macro emits against, the handles behind it, and what brings them back.
//!
//! Downwards it uses the broker, the transport and the wire; of processes it knows nothing. Three things can be lost,
//! and each has its own answer: a connection is dialled again, an object is made again by its [`recipe`], a whole
//! [`session`] is replaced by whoever made it. One [`keeper`] task per made handle is the only writer of its state.

mod call;
mod component;
mod emitted;
mod event;
mod export;
mod family;
mod forward;
mod handle;
pub mod health;
mod incoming;
mod keeper;
mod lease;
mod life;
mod link;
mod method;
mod object;
mod outgoing;
mod part;
mod place;
mod recipe;
mod remote;
mod reply;
mod root;
mod session;
mod status;
mod timing;
mod tree;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

pub use call::{Answer, Call};
pub use component::Component;
pub use emitted::{Answers, AnswersWhole, Argument, Refused};
pub use event::{HandleEvent, HandleId};
pub(crate) use family::Family;
pub(crate) use handle::{Failed, Handle, Slot};
pub use incoming::Incoming;
pub(crate) use link::{Attempt, Link};
pub use method::{Method, any_carries, constructs, first, own_release};
pub use outgoing::Outgoing;
pub use part::Part;
pub use remote::{Remote, remote_of};
pub use reply::{Outcome, Reply, ReplyPart, WholeOutcome};
pub(crate) use root::{Root, Served};
pub(crate) use session::Session;
pub use timing::Timing;
pub use tree::{Names, Starts, Tree};

use crate::error::Result;
use crate::wire::Schema;

/// A boxed future, as the vtable half of a service answers.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

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
