//! The side of this project: the traits of `loop-services`, implemented and called.

pub(crate) mod calls;
mod median;
mod served;
mod values;

use std::fmt::Debug;

use loop_runtime::{Error, Result, loop_service};
use loop_services::prelude::*;

/// Both kinds of plugin in one.
#[loop_service(package = "test")]
pub(crate) trait Root: PluginRelayer + PluginMedian {}

/// Answers every method with its values.
#[derive(Default)]
pub(crate) struct Ours {
    /// Whether a provider has the components that it may have.
    optional: bool,
}

/// The reply to the request that `came`, if it is one of those that are known.
fn answer<T: PartialEq + Debug, R>(came: T, known: impl IntoIterator<Item = (T, R)>) -> Result<R> {
    let found = known.into_iter().find(|(wanted, _)| *wanted == came);
    found.map(|(_, reply)| reply).ok_or_else(|| Error::internal(format!("came as {came:?}")))
}
