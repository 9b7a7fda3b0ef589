//! What the stacks in Rust have in common: the commands of their host processes, and the load.
//!
//! Every stack is a host process with its plugins. A host reads one command a line on its stdin, runs it, and answers
//! with one line: nanoseconds, allocations, and the ids of its plugins' processes. So they are all measured alike, Go's
//! too. Host and plugin are programs of their own, so that neither carries the other's code.

#![allow(dead_code, unused_imports, reason = "hosts need one half of it, plugins the other")]

pub(crate) mod alloc;
pub(crate) mod load;
mod obey;

use std::path::PathBuf;
use std::process::ExitCode;

use tokio::runtime::{Builder, Runtime};

pub(crate) use self::load::{Caller, Load};
pub(crate) use self::obey::{Stack, obey};

pub(crate) type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// The key of the plugins' cookie, and its value.
pub(crate) const PLUGIN: &str = "LOOP_BENCH_PLUGIN";
pub(crate) const COOKIE: &str = "table";
/// Names the flavour of a process's runtime.
pub(crate) const FLAVOUR: &str = "LOOP_BENCH_FLAVOUR";
/// Set for a host that secures its connections with AutoMTLS.
pub(crate) const AUTO_MTLS: &str = "LOOP_BENCH_AUTO_MTLS";
/// Names the plugin's program to a host.
pub(crate) const PROGRAM: &str = "LOOP_BENCH_PROGRAM";
/// The directory for the sockets of plugins.
pub(crate) const SOCKETS: &str = "PLUGIN_UNIX_SOCKET_DIR";

/// Which of tokio's runtimes a process uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flavour {
    CurrentThread,
    MultiThread,
}

impl Flavour {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::CurrentThread => "current_thread",
            Self::MultiThread => "multi_thread",
        }
    }

    /// What [`FLAVOUR`] names. Without it, this program was not started by the table.
    fn of_environment() -> Outcome<Self> {
        let value = std::env::var(FLAVOUR)
            .map_err(|_| "nothing to run by itself: `cargo bench -p loop-benches --bench table` does")?;
        let all = [Self::CurrentThread, Self::MultiThread];
        Ok(all.into_iter().find(|flavour| flavour.name() == value).ok_or("no such flavour")?)
    }

    pub(crate) fn runtime(self) -> std::io::Result<Runtime> {
        match self {
            Self::CurrentThread => Builder::new_current_thread().enable_all().build(),
            Self::MultiThread => Builder::new_multi_thread().worker_threads(2).enable_all().build(),
        }
    }
}

/// The program of a plugin.
pub(crate) fn plugin(serve: impl Future<Output = Outcome<()>>) -> ExitCode {
    exit(|_| serve)
}

/// The program of a host, which gets the path of its plugin's program.
pub(crate) fn host<F: Future<Output = Outcome<()>>>(run: impl FnOnce(Flavour, PathBuf) -> F) -> ExitCode {
    let program = std::env::var_os(PROGRAM).map(PathBuf::from).unwrap_or_default();
    exit(|flavour| run(flavour, program))
}

fn exit<F: Future<Output = Outcome<()>>>(role: impl FnOnce(Flavour) -> F) -> ExitCode {
    let run = || {
        let flavour = Flavour::of_environment()?;
        flavour.runtime()?.block_on(role(flavour))
    };
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}
