//! (to come)

mod command;
mod environment;
mod exit;
mod launch;
mod launch_error;
mod line;
mod output;
mod process;
mod registry;
mod socket_dir;
mod spawner;

pub use command::Command;
pub use exit::Exit;
pub(crate) use launch::{LaunchOptions, Process, launch};
pub use launch_error::{LaunchError, StderrTail};
pub(crate) use line::{HandshakeLine, Network};
pub use registry::kill_all;
pub(crate) use socket_dir::SocketDir;
