//! From a command to a supervised process and its handshake line.
//!
//! Whatever goes wrong on the way, and also when the future is dropped, the process is killed with its group. When
//! [`launch`] returns an error, the process has been reaped as well (unless it resisted SIGKILL for 5 seconds).

use std::ffi::OsString;
use std::path::PathBuf;
use std::pin::pin;
use std::time::Duration;

use rustix::process::Signal;
use tokio::net::unix::pipe::Receiver;
use tokio::task::JoinHandle;
use tokio::time::{self, Instant};
use tokio_util::sync::CancellationToken;

use super::environment::{self, Environment};
use super::launch_error::StderrTail;
#[cfg(feature = "mux")]
use super::line;
use super::line::{HandshakeLine, quote};
use super::output::{self, DRAIN, First, FirstLine, Kept};
use super::process::{Child, REAP};
use super::reattach::{Attached, Found};
use super::spawner::{self, Prepared, Spawned};
use super::{Command, Exit, LaunchError};
use crate::Handshake;
use crate::reattach::Reattach;
use crate::transport::Offer;

/// How to launch.
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
    /// What the plugin is shown of this host, and has to answer.
    pub(crate) offer: Offer,
    /// Whether the plugin must multiplex its connections.
    #[cfg(feature = "mux")]
    pub(crate) multiplexed: bool,
    /// Calls the launch off: unlike dropping the future, the process is reaped when `launch` returns.
    pub(crate) cancel: CancellationToken,
}

/// A running plugin. Dropping it kills the process and its group, and a thread reaps it, unless it is attached: then
/// nothing happens to the process.
#[derive(Debug)]
pub(crate) struct Process {
    body: Body,
    line: HandshakeLine,
    stderr: Stderr,
}

/// Whose process it is.
#[derive(Debug)]
enum Body {
    Child(Child),
    Attached(Attached),
}

#[derive(Debug, Default)]
struct Stderr {
    kept: Kept,
    reader: tokio::sync::Mutex<Option<JoinHandle<()>>>,
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
            () = time::sleep_until(deadline) => timed_out(options),
            () = options.cancel.cancelled() => LaunchError::CalledOff,
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
            // It may run already, without anybody having told us.
            if let Ok(Ok(spawned)) = time::timeout(REAP, spawning).await {
                end(&spawned.child).await;
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
    let stderr = Stderr::follow(stderr, options, &child);
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
            Ok(Process { body: Body::Child(child), line, stderr })
        }
        Err(error) => {
            drop(stdout);
            end(&child).await;
            stderr.finish().await;
            Err(stderr.complete(error))
        }
    }
}

async fn prepare(command: &Command, environment: Environment, parent_death: bool) -> Result<Prepared, LaunchError> {
    if !command.is_checked() {
        return Prepared::new(command, &environment, parent_death);
    }
    // The whole program is read: that is no work for a thread that serves connections.
    let command = command.clone();
    let prepared = tokio::task::spawn_blocking(move || Prepared::new(&command, &environment, parent_death));
    prepared.await.unwrap_or(Err(LaunchError::CalledOff))
}

/// Kills and reaps.
async fn end(child: &Child) {
    child.kill();
    if time::timeout(REAP, child.exited()).await.is_err() {
        tracing::warn!(pid = child.pid(), "a plugin process is still there {REAP:?} after SIGKILL");
    }
}

fn timed_out(options: &LaunchOptions) -> LaunchError {
    LaunchError::StartTimeout { after: options.start_timeout, stderr: StderrTail::default() }
}

async fn handshake_line(
    child: &Child,
    stdout: &mut Receiver,
    read: impl Fn(&[u8]) -> Result<HandshakeLine, LaunchError>,
    deadline: Instant,
) -> Result<HandshakeLine, LaunchError> {
    let mut first = FirstLine::default();
    let exited = |exit| LaunchError::Exited { exit, stderr: StderrTail::default(), panic: None };
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

impl Stderr {
    fn follow(pipe: Receiver, options: &LaunchOptions, child: &Child) -> Self {
        let kept = Kept::default();
        let reader = output::follow_stderr(pipe, options.name.clone(), kept.clone(), child.watch());
        Self { kept, reader: tokio::sync::Mutex::new(Some(reader)) }
    }

    /// Waits until all that the process had written is read. It has ended, so that is within [`DRAIN`].
    async fn finish(&self) {
        let mut reader = self.reader.lock().await;
        if let Some(task) = reader.as_mut() {
            let _ = task.await;
            *reader = None;
        }
    }

    fn complete(&self, error: LaunchError) -> LaunchError {
        let error = match error {
            LaunchError::Exited { exit, stderr, .. } => LaunchError::Exited { exit, stderr, panic: self.kept.panic() },
            other => other,
        };
        error.with_stderr(self.kept.tail())
    }
}

impl Process {
    /// A process that somebody else started.
    pub(super) fn attached(found: Found) -> Self {
        let line = HandshakeLine::unread(found.version, found.address);
        Self { body: Body::Attached(found.attached), line, stderr: Stderr::default() }
    }

    pub(super) fn is_attached(&self) -> bool {
        matches!(self.body, Body::Attached(_))
    }

    /// The owner of the handle wants the process to end, whoever started it.
    pub(super) fn claim(&self) {
        if let Body::Attached(process) = &self.body {
            process.claim();
        }
    }

    /// Whether it is to live on when this host is done with it.
    pub(super) fn is_left_alone(&self) -> bool {
        matches!(&self.body, Body::Attached(process) if !process.is_claimed())
    }

    /// How another host finds it.
    pub(super) fn reattach_config(&self) -> Reattach {
        match &self.body {
            Body::Child(child) => {
                let mut config = Reattach::new(&self.line.address, child.pid());
                config.protocol_version = self.line.version;
                config
            }
            Body::Attached(process) => process.config().clone(),
        }
    }

    /// The process id, which for a process of ours is also that of its process group.
    pub(crate) fn pid(&self) -> u32 {
        match &self.body {
            Body::Child(child) => child.pid(),
            Body::Attached(process) => process.pid(),
        }
    }

    pub(crate) fn line(&self) -> &HandshakeLine {
        &self.line
    }

    /// Waits for the end of the process: it has been reaped when this returns, and what was left of its group was
    /// killed. Pipes that something else holds open do not matter. Any number of tasks may wait.
    pub(crate) async fn exited(&self) -> Exit {
        match &self.body {
            Body::Child(child) => child.exited().await,
            Body::Attached(process) => process.exited().await,
        }
    }

    /// The last lines of stderr. Final after [`reap`](Self::reap).
    pub(crate) fn stderr_tail(&self) -> Vec<String> {
        self.stderr.kept.tail().lines().to_vec()
    }

    /// The text of its panic, Go's or Rust's, if it wrote one to stderr.
    pub(crate) fn panic(&self) -> Option<String> {
        self.stderr.kept.panic()
    }

    /// Sends SIGKILL to the process and its group, at once. Works on a stopped process. One that is left alone gets none.
    pub(crate) fn kill(&self) {
        match &self.body {
            Body::Child(child) => child.kill(),
            Body::Attached(process) => process.kill(),
        }
    }

    /// Sends any signal to the process and its group. Nothing is sent once the process is reaped.
    pub(crate) fn signal(&self, signal: Signal) {
        match &self.body {
            Body::Child(child) => child.signal(signal),
            Body::Attached(process) => process.signal(signal),
        }
    }

    /// Waits for the end of the process and of its stderr. `None`: it is still there after `within`.
    pub(crate) async fn reap(&self, within: Duration) -> Option<Exit> {
        let exit = time::timeout(within, self.exited()).await.ok()?;
        self.stderr.finish().await;
        Some(exit)
    }
}

#[cfg(test)]
#[path = "launch_tests.rs"]
mod tests;
