//! The host's side: starting plugin processes, keeping them up, and what is told of that.

mod builder;
#[cfg(feature = "sha256")]
mod checksum;
mod command;
mod environment;
mod event;
mod exit;
mod generation;
mod launch;
mod launch_error;
mod line;
mod output;
mod policy;
mod process;
mod reattach;
mod registry;
mod running;
mod spawner;
#[cfg(test)]
mod start_tests;
mod supervisor;
mod watchdog;

pub use builder::Host;
#[cfg(feature = "sha256")]
pub use checksum::{ParseSha256Error, Sha256};
pub use command::Command;
pub use event::{Ended, Event, Events, State, States, What, Why};
pub use exit::Exit;
pub(crate) use launch::{LaunchOptions, launch};
pub use launch_error::{LaunchError, StderrTail};
#[cfg(any(test, fuzzing))]
pub(crate) use line::parse as parse_handshake_line;
pub use policy::RestartPolicy;
pub use registry::kill_all;
pub(crate) use running::Process;
pub(crate) use supervisor::Running;
pub use supervisor::Supervisor;

pub use crate::reattach::{Reattach, ReattachError};
pub use crate::service::{HandleEvent, HandleId, Timing};

/// What decides, for the model that drives it without processes.
#[cfg(test)]
pub(crate) mod machines {
    pub(crate) use super::supervisor::{Action, Input, Machine, Ownership, Pulse, Remains, Root};
}
