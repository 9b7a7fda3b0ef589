//! What the helper process of chainlink-common's tests answers, behind the services of [`loop_services`].
//!
//! Those tests launch a process of their own as a median plugin or as a relayer, and compare every answer with a static
//! value. The binary of this package takes its arguments and its place; a host of ours that lends [`lent`] things has in
//! Go's helper a peer that checks all it gets. Nothing here is about prices or chains: every value is made up, by them.
//!
//! * [`args`]: how the process is launched
//! * [`median`], [`relayer`]: the two plugins
//! * [`lent`]: what the tests' host lends them
//! * [`values`]: the values

#![forbid(unsafe_code)]
#![warn(unreachable_pub)]
#![deny(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

pub mod args;
mod check;
mod examine;
pub mod lent;
pub mod median;
mod part;
mod provider;
mod reader;
pub mod relayer;
mod reporting;
pub mod values;

pub use provider::Provider;
