//! What the stacks in Rust have in common: the commands that their host processes obey, and the load.
//!
//! Every stack is a host process with its plugins. A host reads one command a line on its stdin, runs it, and answers
//! with one line: nanoseconds, allocations, and the ids of its plugins' processes. So they are all measured alike, Go's
//! too.

pub(crate) mod alloc;
pub(crate) mod load;
mod obey;

use std::process::ExitCode;

use tokio::runtime::{Builder, Runtime};

pub(crate) use self::load::{Caller, Load};
pub(crate) use self::obey::{Stack, obey};

pub(crate) type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Makes a process a host; the value is the flavour of its runtime, and of its plugins'.
pub(crate) const HOST: &str = "LOOP_BENCH_HOST";
/// Makes a process a plugin: the key of the cookie.
pub(crate) const PLUGIN: &str = "LOOP_BENCH_PLUGIN";
/// The value of the cookie.
pub(crate) const COOKIE: &str = "table";
/// The flavour of a plugin's runtime.
pub(crate) const FLAVOUR: &str = "LOOP_BENCH_FLAVOUR";

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

    /// The flavour that the environment variable `name` names, if it names one.
    pub(crate) fn of_environment(name: &str) -> Option<Self> {
        let value = std::env::var(name).ok()?;
        [Self::CurrentThread, Self::MultiThread].into_iter().find(|flavour| flavour.name() == value)
    }

    pub(crate) fn runtime(self) -> std::io::Result<Runtime> {
        match self {
            Self::CurrentThread => Builder::new_current_thread().enable_all().build(),
            Self::MultiThread => Builder::new_multi_thread().worker_threads(2).enable_all().build(),
        }
    }
}

/// What a process ends with.
pub(crate) fn exit(outcome: Outcome<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}
