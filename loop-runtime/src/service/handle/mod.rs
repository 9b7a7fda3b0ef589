//! What a caller holds, how its calls are sent, and how it recovers.

pub(crate) mod attempts;
mod calls;
mod construct;
#[allow(clippy::module_inception, reason = "the file is about the one type that the room is named after")]
mod handle;
pub(crate) mod keeper;
mod recipe;
mod remote;
mod state;
mod streamed;
mod upgrade;

pub(crate) use attempts::Class;
pub(crate) use calls::{Attempting, over_links};
pub(crate) use handle::Handle;
pub(crate) use recipe::ServiceInfo;
pub(crate) use remote::Received;
pub use remote::Remote;
pub(crate) use state::{Failed, Forgotten, HandleState};
pub(crate) use streamed::Subscription;
pub(crate) use upgrade::Prepared;
