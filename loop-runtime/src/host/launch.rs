//! From a command to a supervised process and its handshake line.
//!
//! Whatever goes wrong on the way, and also when the future is dropped, the process is killed with its group. When
//! [`launch`] returns an error, the process has been reaped as well (unless it resisted SIGKILL for 5 seconds).

use std::ffi::OsString;
use std::path::PathBuf;
use std::pin::pin;
use std::time::Duration;

use tokio::net::unix::pipe::Receiver;
use tokio::time::{self, Instant};
use tokio_util::sync::CancellationToken;

use super::environment::{self, Environment};
#[cfg(feature = "mux")]
use super::line;
use super::line::{HandshakeLine, quote};
use super::output::{self, DRAIN, First, FirstLine};
use super::process::{Child, REAP};
use super::running::{Process, Stderr};
use super::spawner::{self, Prepared, Spawned};
use super::{Command, Exit, LaunchError, StderrTail};
use crate::Handshake;
use crate::lived;
use crate::transport::Offer;

/// The options of a launch.
#[derive(Clone, Debug)]
pub(crate) struct LaunchOptions {
    /// The plugin's name in logs.
    pub(crate) name: String,
    /// From the call to the end of the handshake line.
    pub(crate) start_timeout: Duration,
    /// Where the plugin makes its sockets. It exists, and only the owner may enter it.
    pub(crate) socket_dir: PathBuf,
    /// Variables that are passed on from the host's environment.
    pub(crate) pass_env: Vec<OsString>,
    /// Whether the system kills the plugin when this process dies. Linux only.
    pub(crate) parent_death: bool,
    /// What is offered to the plugin, which has to answer it: TLS, or nothing.
    pub(crate) offer: Offer,
    /// Whether the plugin must multiplex its connections.
    #[cfg(feature = "mux")]
    pub(crate) multiplexed: bool,
    /// Cancels the launch: unlike dropping the future, the process is reaped when `launch` returns.
    pub(crate) cancel: CancellationToken,
}

/// Starts the command and reads its handshake line.
pub(crate) async fn launch(
    command: &Command,
    handshake: &Handshake,
    options: &LaunchOptions,
) -> Result<Process, LaunchError> {
    let deadline = Instant::now() + options.start_timeout;
    let environment = environment::build(command, handshake, options, |name| std::env::var_os(name));
    let stopped = async {
        tokio::select! {
            () = lived::sleep(options.start_timeout) => timed_out(options),
            () = options.cancel.cancelled() => LaunchError::called_off(),
        }
    };
    let mut stopped = pin!(stopped);
    let prepared = tokio::select! {
        prepared = prepare(command, environment, options.parent_death) => prepared?,
        error = &mut stopped => return Err(error),
    };
    let mut spawning = pin!(spawner::spawn(prepared));
    let Spawned { child, stdout, stderr } = tokio::select! {
        spawned = &mut spawning => spawned?,
        error = &mut stopped => {
            // It may run already, although that was not reported.
            if let Ok(Ok(Spawned { child, stderr, .. })) = time::timeout(REAP, spawning).await {
                let stderr = output::receiver(stderr).map(|pipe| Stderr::follow(pipe, &options.name, &child));
                let exit = end(&child).await;
                if let Ok(stderr) = stderr {
                    stderr.finish().await;
                    return Err(error.with_stderr(stderr.tail(exit)));
                }
            }
            return Err(error);
        }
    };
    tracing::debug!(plugin = options.name, pid = child.pid(), program = ?command.program, "started a plugin process");

    let pipes = output::receiver(stdout).and_then(|stdout| Ok((stdout, output::receiver(stderr)?)));
    let (mut stdout, stderr) = match pipes {
        Ok(pipes) => pipes,
        Err(error) => {
            end(&child).await;
            return Err(LaunchError::io("read the plugin's output", error));
        }
    };
    let stderr = Stderr::follow(stderr, &options.name, &child);
    let versions = handshake.all_versions();
    let read = |line: &[u8]| {
        let read = HandshakeLine::parse(line, &versions, &options.offer)?;
        #[cfg(feature = "mux")]
        if options.multiplexed {
            line::demand_multiplexing(line)?;
        }
        Ok(read)
    };
    let verdict = tokio::select! {
        verdict = handshake_line(&child, &mut stdout, read, deadline) => verdict,
        error = stopped => Err(error),
    };
    match verdict {
        Ok(line) => {
            output::drain_stdout(stdout, child.watch());
            Ok(Process::started(child, line, stderr))
        }
        Err(error) => {
            drop(stdout);
            let exit = end(&child).await;
            stderr.finish().await;
            Err(error.with_stderr(stderr.tail(exit)))
        }
    }
}

async fn prepare(command: &Command, environment: Environment, parent_death: bool) -> Result<Prepared, LaunchError> {
    if !command.is_checked() {
        return Prepared::new(command, &environment, parent_death);
    }
    // Hashing reads the whole program: not on a thread that serves connections.
    let command = command.clone();
    let prepared = tokio::task::spawn_blocking(move || Prepared::new(&command, &environment, parent_death));
    prepared.await.unwrap_or_else(|_| Err(LaunchError::called_off()))
}

/// Kills and reaps.
async fn end(child: &Child) -> Option<Exit> {
    child.kill();
    let exit = time::timeout(REAP, child.exited()).await;
    if exit.is_err() {
        tracing::warn!(pid = child.pid(), "a plugin process is still there {REAP:?} after SIGKILL");
    }
    exit.ok()
}

fn timed_out(options: &LaunchOptions) -> LaunchError {
    LaunchError::StartTimeout { after: options.start_timeout, stderr: StderrTail::of(&options.name) }
}

async fn handshake_line(
    child: &Child,
    stdout: &mut Receiver,
    read: impl Fn(&[u8]) -> Result<HandshakeLine, LaunchError>,
    deadline: Instant,
) -> Result<HandshakeLine, LaunchError> {
    let mut first = FirstLine::default();
    let exited = |exit| LaunchError::Exited { exit, stderr: StderrTail::default() };
    tokio::select! {
        biased;
        came = first.read(stdout) => match came {
            First::Line(line) => read(&line),
            First::TooLong(start) => Err(unrecognized(&start, "it is too long")),
            // A process that closes its stdout is usually about to end, and how it ends says more.
            First::Closed(start) => match time::timeout_at(deadline.min(Instant::now() + CLOSING), child.exited()).await {
                Ok(exit) if start.is_empty() => Err(exited(exit)),
                _ => Err(unrecognized(&start, "stdout was closed before the end of the line")),
            },
        },
        exit = child.exited() => match time::timeout(DRAIN, first.read(stdout)).await {
            // What it wrote before it ended: an unreadable line says more than the status.
            Ok(First::Line(line)) => read(&line).and_then(|_| Err(exited(exit))),
            Ok(First::TooLong(start)) => Err(unrecognized(&start, "it is too long")),
            Ok(First::Closed(start)) if !start.is_empty() => {
                Err(unrecognized(&start, "the plugin exited before the end of the line"))
            }
            Ok(First::Closed(_)) | Err(_) => Err(exited(exit)),
        },
    }
}

/// How long a process may go on after it has closed its stdout without a line.
const CLOSING: Duration = Duration::from_secs(1);

fn unrecognized(start: &[u8], why: &str) -> LaunchError {
    LaunchError::Unrecognized { line: quote(start), why: why.into(), stderr: StderrTail::default() }
}

#[cfg(test)]
#[path = "launch_tests.rs"]
mod tests;
