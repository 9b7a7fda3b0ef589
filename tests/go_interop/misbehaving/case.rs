//! One misbehaviour: its launch, its end, and what it leaves behind.

use std::fs;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use loop_runtime::host::{Ended, EventKind, Events, LaunchError, RestartPolicy};
use loop_runtime::prelude::*;
use tempfile::TempDir;

use super::BUSY;
use crate::left::processes_with;
use crate::probe::{HANDSHAKE, Probe};
use crate::{go, runtime};

/// One misbehaviour: where its processes report, and what the host logs it as.
pub(super) struct Case {
    pub(super) name: &'static str,
    dir: TempDir,
}

pub(super) fn run(name: &'static str, case: impl AsyncFnOnce(&Case)) {
    let it = Case { name, dir: tempfile::tempdir().unwrap() };
    runtime().block_on(async {
        tokio::time::timeout(Duration::from_secs(60), async {
            case(&it).await;
            it.nothing_is_left().await;
        })
        .await
        .expect("it hangs");
    });
}

impl Case {
    pub(super) fn host(&self) -> Host {
        let policy = RestartPolicy::default().initial_backoff(Duration::ZERO).max_restarts(None);
        Host::new(HANDSHAKE.also_versions(&[1])).name(self.name).restart_policy(policy)
    }

    pub(super) fn command(&self, how: &str) -> Command {
        let dir = self.dir.path();
        Command::new(go::program("misbehave")).arg(how).env("MISBEHAVE_DIR", dir).env("TMPDIR", dir)
    }

    /// Launches what must not start, and returns the error. The command is tried once.
    pub(super) async fn refused(&self, host: &Host, how: &str, within: Range<Duration>) -> LaunchError {
        let began = Instant::now();
        let error = host.launch(self.command(how)).await.unwrap_err();
        let took = began.elapsed();
        assert!(within.contains(&took), "{took:?}: {error}");
        assert_eq!(self.socket_dirs().len(), 1, "one start");
        error
    }

    pub(super) async fn launch(&self, how: &str) -> (Supervisor, Arc<dyn Probe>) {
        let plugin = self.host().launch(self.command(how)).await.unwrap();
        let probe = plugin.dispense().await.unwrap();
        (plugin, probe)
    }

    /// Directories of sockets, one for each process that was started as a plugin.
    fn socket_dirs(&self) -> Vec<String> {
        let text = fs::read_to_string(self.dir.path().join("sockets")).unwrap_or_default();
        text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
    }

    async fn nothing_is_left(&self) {
        let mark = format!("MISBEHAVE_DIR={}", self.dir.path().display());
        let until = Instant::now() + BUSY;
        while let left @ [_, ..] = processes_with(&mark).as_slice() {
            assert!(Instant::now() < until, "processes are left: {left:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        for dir in self.socket_dirs() {
            assert!(!Path::new(&dir).exists(), "{dir} is left");
        }
        let files: Vec<_> = fs::read_dir(self.dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert!(files.iter().all(|name| name == "sockets"), "left behind: {files:?}");
    }
}

/// Closes the plugin; how it ended, and how long that took.
pub(super) async fn close(plugin: Supervisor) -> (Ended, Duration) {
    let (mut events, began) = (plugin.events(), Instant::now());
    plugin.close().await;
    (ended(&mut events).await, began.elapsed())
}

pub(super) async fn ended(events: &mut Events) -> Ended {
    loop {
        if let EventKind::Ended(ended) = events.next().await.expect("an end before the close").kind {
            return ended;
        }
    }
}

/// It ended when asked to.
pub(super) async fn close_in_peace(plugin: Supervisor) {
    let (ended, took) = close(plugin).await;
    assert_eq!(ended.exit.unwrap().status(), Some(0), "after {took:?}: {ended}");
}

/// It was asked, and killed after 2 s.
pub(super) async fn close_by_force(plugin: Supervisor) {
    let (ended, took) = close(plugin).await;
    assert_eq!(ended.exit.unwrap().signal(), Some(9), "after {took:?}: {ended}");
    let grace = Duration::from_secs(2);
    assert!((grace..grace + BUSY).contains(&took), "{took:?}");
}
