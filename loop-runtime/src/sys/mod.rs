//! The few calls to the operating system that neither the standard library nor tokio offers.
//!
//! All `unsafe` of this crate is in this room, and so is all that differs between systems: [`os`] is one of two modules with
//! the same items. `linux` uses what Linux alone has (process descriptors, the parent-death signal, `/proc`, abstract
//! sockets); `portable` does without, on every other Unix, and on Linux where `loop_portable` is set: the package in
//! `portable/` does that, to test it.

#![allow(unsafe_code, reason = "system calls, each with its safety comment")]

pub(crate) mod child;
pub(crate) mod host;
mod image;
#[cfg(all(target_os = "linux", not(loop_portable)))]
#[path = "linux/mod.rs"]
pub(crate) mod os;
#[cfg(any(not(target_os = "linux"), loop_portable))]
#[path = "portable/mod.rs"]
pub(crate) mod os;
pub(crate) mod plugin;
pub(crate) mod socket;
pub(crate) mod stranger;
#[cfg(feature = "metrics-endpoint")]
pub(crate) mod usage;
pub(crate) mod wake;
