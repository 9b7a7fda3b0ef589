//! The other side of `cargo bench --bench table`: what one would write by hand with tonic and prost over Unix sockets,
//! and a host that starts a plugin, reads its handshake line, dials and calls.
//!
//! It is a program of its own so that neither side carries the other's code.

#![allow(missing_docs, reason = "a bench")]

mod host;
mod plugin;
mod service;
#[path = "../shared/mod.rs"]
mod shared;

use std::process::ExitCode;

use shared::{FLAVOUR, Flavour, HOST, Outcome, PLUGIN};

fn main() -> ExitCode {
    shared::exit(if std::env::var_os(PLUGIN).is_some() {
        run(Flavour::of_environment(FLAVOUR), |_| plugin::serve())
    } else if let Some(flavour) = Flavour::of_environment(HOST) {
        run(Some(flavour), host::run)
    } else {
        println!("nothing to run by itself: `cargo bench --bench table` does");
        Ok(())
    })
}

fn run<F: Future<Output = Outcome<()>>>(flavour: Option<Flavour>, role: impl FnOnce(Flavour) -> F) -> Outcome<()> {
    let flavour = flavour.ok_or("no such flavour")?;
    flavour.runtime()?.block_on(role(flavour))
}
