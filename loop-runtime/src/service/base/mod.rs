//! Values that every layer above shares, and what all services to one peer have in common.

mod event;
mod family;
pub mod health;
mod life;
mod method;
mod names;
mod place;
mod runtime;
pub(crate) mod settle;
mod status;
mod timeouts;

use std::future::Future;
use std::pin::Pin;

pub use event::{HandleEvent, HandleId};
pub(crate) use family::{Family, TICK};
pub(crate) use life::Life;
pub use method::{Method, any_carries, constructs, first, own_release};
pub use names::Names;
pub(crate) use names::{UNKNOWN_METHOD, UNKNOWN_SERVICE, unknown_service};
pub(crate) use place::Place;
pub(crate) use status::{from_status, to_status};
pub(crate) use timeouts::Timeouts;

/// A boxed future, as the vtable half of a service answers.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
