//! Values that every layer above shares, and what all services of one peer have in common.

mod end_tree;
mod event;
pub mod health;
mod link_cell;
mod method;
mod names;
mod peer_context;
mod runtime;
pub(crate) mod settle;
mod status;
mod timeouts;

use std::future::Future;
use std::pin::Pin;

pub(crate) use end_tree::EndTree;
pub use event::{HandleEvent, HandleId};
pub(crate) use link_cell::LinkCell;
pub use method::{Method, any_carries, borrowed, constructs, first, own_release};
pub use names::Names;
pub(crate) use names::{UNKNOWN_METHOD, UNKNOWN_SERVICE, unknown_service};
pub(crate) use peer_context::{PeerContext, TICK};
pub(crate) use status::{from_status, to_status};
pub(crate) use timeouts::Timeouts;

/// A boxed future, as the dyn-compatible half of a service returns it.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
