//! Services across a connection: what generated code uses, the handles behind it, and what recovers them.
//!
//! It uses the broker, the transport and the wire, and knows nothing of processes. Its modules are layers that depend
//! only downwards: [`typed`] is what generated code touches; [`serve`] is what a peer may call; [`handle`] is what a
//! caller holds, and its recovery; [`session`] is the process of one peer, as seen from here; [`base`] has what all of
//! them share. `MAP.md` beside this file shows what there is, who owns whom, and in which order things die.

mod base;
#[allow(missing_debug_implementations, reason = "public for generated code alone")]
mod handle;
#[allow(missing_debug_implementations, reason = "public for generated code alone")]
mod serve;
#[allow(missing_debug_implementations, reason = "public for generated code alone")]
mod session;
#[allow(missing_debug_implementations, reason = "public for generated code alone")]
mod typed;

pub(crate) use base::settle;
pub use base::{
    BoxFuture, HandleEvent, HandleId, Method, Names, any_carries, borrowed, constructs, first, health, own_release,
};
pub(crate) use base::{PeerContext, TICK, Timeouts};
pub use handle::Remote;
pub(crate) use handle::{Failed, Forgotten, Handle, HandleState, Prepared};
pub use serve::{Answer, Call, Service, Starts, Tree, remote_of, times_made};
pub(crate) use serve::{MountedTree, RootService};
pub use session::Outgoing;
pub(crate) use session::{AttemptError, Link, Session, Wiring};
pub use typed::{
    Answers, AnswersWhole, Argument, Component, Incoming, Outcome, Parameter, Refused, Reply, ReplyPart, StreamItem,
    WholeOutcome, WholeReply,
};

/// The state machines, for the model that drives them without I/O.
#[cfg(test)]
pub(crate) mod machines {
    pub(crate) use super::base::{EndTree, LinkCell};
    pub(crate) use super::handle::attempts;
    pub(crate) use super::handle::keeper::machine as keeper;
    pub(crate) use super::session::Object;
    pub(crate) use super::session::lease_machine as lease;
}
