//! A running plugin: a child of this process, or of another one.

use std::time::Duration;

use rustix::process::Signal;
use tokio::net::unix::pipe::Receiver;
use tokio::task::JoinHandle;
use tokio::time;

use super::line::HandshakeLine;
use super::output::{self, Kept};
use super::process::Child;
use super::reattach::{Attached, Found};
use super::{Exit, StderrTail};
use crate::reattach::Reattach;

/// A running plugin. Dropping it kills the process and its group, and a thread reaps it, unless it is attached: then
/// nothing happens to the process.
#[derive(Debug)]
pub(crate) struct Process {
    body: Body,
    line: HandshakeLine,
    stderr: Stderr,
}

/// The process: a child, or one of another host.
#[derive(Debug)]
enum Body {
    Child(Child),
    Attached(Attached),
}

/// The plugin's stderr.
#[derive(Debug)]
pub(super) struct Stderr {
    kept: Kept,
    reader: tokio::sync::Mutex<Option<JoinHandle<()>>>,
}

impl Stderr {
    pub(super) fn follow(pipe: Receiver, name: &str, child: &Child) -> Self {
        let kept = Kept::new(name);
        let reader = output::follow_stderr(pipe, kept.clone(), child.watch());
        Self { kept, reader: tokio::sync::Mutex::new(Some(reader)) }
    }

    /// That of a process whose stderr another host reads.
    fn elsewhere(name: &str) -> Self {
        Self { kept: Kept::new(name), reader: tokio::sync::Mutex::default() }
    }

    /// Waits until all that the process had written is read. It has ended, so that is within [`output::DRAIN`].
    pub(super) async fn finish(&self) {
        let mut reader = self.reader.lock().await;
        if let Some(task) = reader.as_mut() {
            let _ = task.await;
            *reader = None;
        }
    }

    /// The tail, if the process ended with `exit`.
    pub(super) fn tail(&self, exit: Option<Exit>) -> StderrTail {
        self.kept.tail(exit)
    }
}

impl Process {
    pub(super) fn started(child: Child, line: HandshakeLine, stderr: Stderr) -> Self {
        Self { body: Body::Child(child), line, stderr }
    }

    /// A process that another host started.
    pub(super) fn attached(found: Found, name: &str) -> Self {
        let line = HandshakeLine::unread(found.version, found.address);
        Self { body: Body::Attached(found.attached), line, stderr: Stderr::elsewhere(name) }
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
                let mut config = Reattach::at(&self.line.address, child.pid());
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

    /// The end of stderr. Final after [`reap`](Self::reap).
    pub(crate) fn stderr(&self) -> StderrTail {
        let exit = match &self.body {
            Body::Child(child) => *child.watch().borrow(),
            Body::Attached(_) => None,
        };
        self.stderr.tail(exit)
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
