//! The stand-in's process: `stand-in -cmd=median|relayer [-limit=N] [-static-checks]`.
//!
//! Without a command it exits with code 2. With a limit it exits with code 3 at the N-th call on its main connection,
//! before that is answered; every call counts, those of go-plugin and of health too. As with Go's helper, nothing is
//! cleaned up then: its directory of sockets stays.

#![forbid(unsafe_code)]

use std::num::NonZeroU32;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU32, Ordering};

use loop_runtime::Handshake;
use loop_runtime::plugin::Plugin;
use loop_services::handshake;
use stand_in::args::{self, Role};
use stand_in::{median, relayer};

#[tokio::main]
async fn main() -> ExitCode {
    let args = match args::parse(std::env::args().skip(1)) {
        Ok(args) => args,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::from(2);
        }
    };
    match args.role {
        Role::Median => plugin(handshake::MEDIAN, args.limit).serve(median::service()).await,
        Role::Relayer => plugin(handshake::RELAYER, args.limit).serve(relayer::service(args.static_checks)).await,
    }
}

fn plugin(handshake: Handshake, limit: Option<NonZeroU32>) -> Plugin {
    let plugin = Plugin::new(handshake);
    let Some(limit) = limit else { return plugin };
    let calls = AtomicU32::new(0);
    plugin.on_root_call(move |_| {
        if calls.fetch_add(1, Ordering::Relaxed) + 1 >= limit.get() {
            std::process::exit(3);
        }
    })
}
