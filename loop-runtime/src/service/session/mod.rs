//! The process of one peer, as seen from here: connections to it, objects in it, and what was lent to it.

mod attempt_error;
mod handed_out;
mod lease;
mod lendable;
mod lending;
mod link;
mod object;
mod outgoing;
mod probe;
#[allow(clippy::module_inception, reason = "the file is about the one type that the room is named after")]
mod session;
mod upload;

pub(crate) use attempt_error::AttemptError;
#[cfg(test)]
pub(crate) use lease::machine as lease_machine;
pub(crate) use lease::{Expiry, Lease};
pub(crate) use lendable::{Export, Lendable, Lent};
pub(crate) use lending::{displace, hand_out};
pub(crate) use link::{InFlight, Link};
pub(crate) use object::EndOnDrop;
#[cfg(test)]
pub(crate) use object::Object;
pub use outgoing::Outgoing;
pub(crate) use outgoing::{Items, RECIPE, Request, with_ids};
pub(crate) use session::{Session, Wiring};
