//! The few calls to the operating system that neither the standard library nor tokio offers.
//!
//! All `unsafe` of this crate is in this room.

#![allow(unsafe_code, reason = "system calls, each with its safety comment")]

pub(crate) mod child;
pub(crate) mod host;
pub(crate) mod plugin;
pub(crate) mod socket;
#[cfg(target_os = "linux")]
pub(crate) mod spawn;
pub(crate) mod stranger;
pub(crate) mod wake;
