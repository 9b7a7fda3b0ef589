//! The host's side: launching plugins, supervising and restarting them, and their events.
//!
//! The page [`errors`](crate::errors) lists what [`LaunchError`] and [`Ended`] say, what to do about it, and what
//! happens when something goes away that a plugin needs besides its process.

mod builder;
#[cfg(feature = "sha256")]
mod checksum;
mod command;
mod environment;
#[cfg(test)]
mod errors_tests;
mod event;
mod exit;
mod generation;
mod launch;
mod launch_error;
mod line;
mod mains;
mod output;
mod policy;
mod process;
mod reaper;
mod reattach;
mod registry;
mod running;
mod spawner;
#[cfg(test)]
mod start_tests;
mod stderr_tail;
mod supervisor;
mod surroundings;
mod watchdog;

pub use builder::Host;
#[cfg(feature = "sha256")]
pub use checksum::{ParseSha256Error, Sha256};
pub use command::Command;
pub use event::{EndCause, Ended, Event, EventKind, Events, State, States};
pub use exit::Exit;
pub(crate) use launch::{LaunchOptions, launch};
pub use launch_error::LaunchError;
#[cfg(any(test, fuzzing))]
pub(crate) use line::parse as parse_handshake_line;
pub use policy::RestartPolicy;
pub use registry::kill_all;
pub(crate) use running::Process;
pub use stderr_tail::StderrTail;
pub(crate) use supervisor::Running;
pub use supervisor::{Supervisor, close_all};

pub use crate::reattach::{Reattach, ReattachError};
pub use crate::service::{HandleEvent, HandleId};

/// The machine, for the model that drives it without processes.
#[cfg(test)]
pub(crate) mod machines {
    pub(crate) use super::supervisor::{Action, Input, Machine, Ownership, Pulse, Remains, Root};
    pub(crate) use super::watchdog::{Question, Step, Ticks};
}
