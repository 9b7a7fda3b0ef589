//! A plugin as a host sees it: real processes, sockets and streams, and clients that know nothing of the runtime.
//!
//! The plugin is this test binary, run again as the one test [`the_plugin_itself`].

// The package in `portable/` runs this over its own build of the runtime.
#[cfg(loop_portable)]
extern crate loop_portable as loop_runtime;

#[path = "../../src/proto.rs"]
mod proto;

mod brokered;
mod calls;
mod client;
mod end;
mod logs;
#[cfg(feature = "mux")]
mod multiplexed;
mod process;
mod reattach;
mod retired;
mod role;
mod start;
mod stranger;
mod streams;
mod test_mode;

/// Becomes a plugin if it is run as one, otherwise does nothing.
#[test]
fn the_plugin_itself() {
    if std::env::var_os("PROBE").is_some() {
        role::run();
    }
}
