//! The few calls to the operating system that neither the standard library nor tokio offers.
//!
//! All `unsafe` of this crate is in this room.

pub(crate) mod host;
pub(crate) mod plugin;
