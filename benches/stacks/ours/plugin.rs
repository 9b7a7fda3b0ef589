//! Our plugin.

#![allow(missing_docs, reason = "a bench")]

mod service;
#[path = "../shared/mod.rs"]
mod shared;

use std::process::ExitCode;
use std::sync::Arc;

use loop_runtime::plugin::Plugin;

use service::{HANDSHAKE, Work, Worker};

fn main() -> ExitCode {
    shared::plugin(async {
        // Its exit status is ignored: it is killed more often than not.
        Plugin::new(HANDSHAKE).serve::<dyn Work>(Arc::new(Worker)).await;
        Ok(())
    })
}
