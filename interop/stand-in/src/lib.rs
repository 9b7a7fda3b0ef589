//! The replies of the helper process of chainlink-common's tests, behind the services of [`loop_services`].
//!
//! Those tests launch a process of their own as a median plugin or as a relayer, and compare every reply with a static
//! value. The binary of this package takes the same arguments and replaces it; for a host of this runtime that lends
//! [`lent`] services, Go's helper is a peer that checks everything it gets. Nothing here is about prices or chains:
//! every value is made up, by them.
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
