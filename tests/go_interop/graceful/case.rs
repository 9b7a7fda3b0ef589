//! One plugin in Go that ends something in order: its launch, its notes, and what it leaves behind.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use loop_runtime::host::{Ended, EventKind, Events, RestartPolicy};
use loop_runtime::prelude::*;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::left::processes_with;
use crate::mode::Mode;
use crate::notes::{FILE, Notes};
use crate::probe::{HANDSHAKE, Probe};
use crate::{go, log, runtime};

/// Answers the calls that are held.
pub(super) const RELEASE: Signal = Signal::USR1;
/// Stops the server in order.
pub(super) const STOP: Signal = Signal::USR2;
/// Ends the process with status 0.
pub(super) const EXIT: Signal = Signal::HUP;

/// Longer than any case takes.
const LONG: Duration = Duration::from_secs(30);

pub(super) struct Case {
    pub(super) mode: Mode,
    /// Also the plugin's, by which its log lines are found.
    pub(super) name: String,
    pub(super) dir: TempDir,
    pub(super) policy: RestartPolicy,
}

/// Runs a case, after which nothing may be left.
pub(super) fn run(mode: Mode, name: String, case: impl AsyncFnOnce(&mut Case)) {
    let policy = RestartPolicy::default().initial_backoff(Duration::ZERO).max_restarts(None);
    let mut it = Case { mode, name, dir: tempfile::tempdir().unwrap(), policy };
    runtime().block_on(async {
        let ended = tokio::time::timeout(LONG, case(&mut it)).await;
        ended.unwrap_or_else(|_| panic!("it hangs; it logged {:#?}", log::lines(&it.name, "")));
        it.nothing_is_left().await;
    });
}

impl Case {
    pub(super) fn host(&self) -> Host {
        self.mode.of(Host::new(HANDSHAKE)).name(&self.name).restart_policy(self.policy.clone())
    }

    /// The plugin as a command, with these flags.
    pub(super) fn command(&self, flags: &[&str]) -> Command {
        self.command_of(go::program("plugin"), flags)
    }

    pub(super) fn command_of(&self, program: PathBuf, flags: &[&str]) -> Command {
        Command::new(program).args(flags).env(FILE, self.file()).env("TMPDIR", self.dir.path())
    }

    pub(super) async fn launch(&self, flags: &[&str]) -> (Supervisor, Arc<dyn Probe>) {
        self.launch_command(self.command(flags)).await
    }

    pub(super) async fn launch_command(&self, command: Command) -> (Supervisor, Arc<dyn Probe>) {
        let plugin = self.host().launch(command).await.unwrap();
        let probe = plugin.dispense().await.unwrap();
        (plugin, probe)
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("notes")
    }

    pub(super) fn notes(&self) -> Notes {
        Notes::read(&self.file())
    }

    /// Waits until the plugin has accepted its main connection `number`: the previous one takes no new calls.
    pub(super) async fn connection(&self, number: u32) {
        log::until(&self.name, &format!("connection {number} begins")).await;
    }

    async fn nothing_is_left(&self) {
        let mark = format!("{FILE}={}", self.file().display());
        let until = Instant::now() + LONG;
        while let left @ [_, ..] = processes_with(&mark).as_slice() {
            assert!(Instant::now() < until, "processes are left: {left:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        for dir in self.notes().socket_dirs {
            assert!(!dir.exists(), "{} is left", dir.display());
        }
    }
}

/// The process that runs.
pub(super) fn process(plugin: &Supervisor) -> Pid {
    Pid::from_raw(plugin.pid().unwrap().try_into().unwrap()).unwrap()
}

pub(super) fn signal(plugin: &Supervisor, signal: Signal) {
    kill_process(process(plugin), signal).unwrap();
}

/// Closes the plugin, which must obey.
pub(super) async fn close(plugin: Supervisor) {
    let mut events = plugin.events();
    plugin.close().await;
    let ended = ended(&mut events).await;
    assert_eq!(ended.exit.unwrap().status(), Some(0), "it had to be killed: {ended}");
}

/// Waits for an end.
pub(super) async fn ended(events: &mut Events) -> Ended {
    until(events, |what| match what {
        EventKind::Ended(ended) => Some(ended),
        _ => None,
    })
    .await
}

/// Waits for a start, and returns the number of the generation.
pub(super) async fn started(events: &mut Events) -> u64 {
    until(events, |what| match what {
        EventKind::Started { generation, .. } => Some(generation),
        _ => None,
    })
    .await
}

pub(super) async fn until<T>(events: &mut Events, mut wanted: impl FnMut(EventKind) -> Option<T>) -> T {
    loop {
        if let Some(found) = wanted(events.next().await.expect("before the close").kind) {
            return found;
        }
    }
}
