//! What a peer may call: the services of this process, and those of other plugins that are forwarded.

mod contract;
pub(crate) mod export;
mod forward;
mod kept;
mod mounted;
mod sending;
mod tree;

pub(crate) use contract::Replied;
pub use contract::{Answer, Call, Service, remote_of, times_made};
pub(crate) use export::export;
pub(crate) use mounted::{MountedTree, RootService};
pub use tree::{Starts, Tree};
