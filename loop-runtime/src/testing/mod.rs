//! For the tests of plugin authors: a host and a plugin in one process, and faults for real processes.
//!
//! A [`Pair`] serves a service by exactly the code that serves it in a plugin, and calls it through exactly the client
//! that a host has, brokered connections included; only the process between them is missing. To test crashes, launch
//! real processes, and inject faults with [`Faults`].
#![cfg_attr(feature = "schema", doc = "")]
#![cfg_attr(
    feature = "schema",
    doc = "[`lock_schema`] holds `.proto` files to the traits, and says what a change breaks."
)]

mod faults;
mod pair;
#[cfg(feature = "schema")]
mod schema;

pub use faults::Faults;
pub use pair::Pair;
#[cfg(feature = "schema")]
pub use schema::{SchemaChange, SchemaError, lock_schema};
