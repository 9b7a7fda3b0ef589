//! The host's side: launching plugins, supervising and restarting them, and their events.
//!
//! The page [`errors`](crate::errors) lists what [`LaunchError`] and [`Ended`] say, what to do about it, and what
//! happens when something goes away that a plugin needs besides its process.
//!
//! # Logs
//!
//! What a plugin logs and prints becomes events of the host's `tracing` subscriber, with the plugin's level, under targets that
//! begin with `plugin::` and [the plugin's name](Host::name):
//!
//! | what | target | level |
//! |---|---|---|
//! | a record of a plugin in Rust, from `tracing` or `log` | `plugin::<name>::<its target>`, as `plugin::kv::kv_plugin::feed` | its own |
//! | a record of hclog, from a plugin in Go | `plugin::<name>::<its logger>`, with `::` for the dots of the logger's name | its own |
//! | text on stdout, once the plugin serves | `plugin::<name>::stdout` | `INFO` |
//! | text on stderr | `plugin::<name>::stderr` | `INFO`; that of `[WARN] ..` and the like in front; a panic is one event at `ERROR` |
//!
//! go-plugin has text without a level at debug. Characters other than ASCII letters, digits, `_`, `-` and `:` are `_` in a target;
//! the part behind the name ends after 128 of them, the name after 64.
//!
//! The host's name for the plugin comes first, because a target is the plugin's word: without it, a plugin could pass for a
//! module of the host, or for another plugin. A filter that ends at the name is for all of the plugin, and the most
//! specific one counts:
//!
//! ```sh
//! RUST_LOG=info,plugin::kv=debug,plugin::kv::h2=warn,plugin::kv::stdout=off
//! ```
//!
//! A plugin is told with `RUST_LOG` what the host wants of it, in its own words (here `info,h2=warn,stdout=off,debug`), unless
//! its [`Command`] sets the variable. Like every filter of `tracing-subscriber`, `plugin::kv` also covers a plugin `kv2`.
//!
//! Every event has the fields `message` and `plugin`, and, where the plugin says so, `caller` and `timestamp`, both as it wrote
//! them. The further keys of a record are fields of the event: numbers, booleans and texts as such, all else as JSON. One that is
//! called like a field of the host's arrives as `field.<key>`. Spans do not cross: to open and close the plugin's spans here would
//! take messages of their own, and an end for those of a process that dies. What they say does: their fields are fields of
//! every record inside them, the innermost winning, and `spans` shows all of them in order, `request{id=7}:query{table=prices}`.
//!
//! For `tracing`, target and fields of an event are fixed for the life of the program, so what comes from plugins is bounded: a
//! record has up to 27 fields of its own, with names of up to 64 letters, digits and `-_.@/:`; all others come together in the
//! field `pairs`, as text. And there are up to 512 combinations of level, target and names of fields for a plugin, 1,024 for all
//! plugins. Records beyond these come under the target `plugin` with the fields `module` and `pairs`, which is told once, at
//! `WARN`. So do all records of a host that has no subscriber but a logger of the crate `log`.

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
mod log_filter;
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
