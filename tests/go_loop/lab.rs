//! Plugins in Go under a host in Rust, and what they leave behind.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use loop_runtime::Handshake;
use loop_runtime::host::{Ended, EventKind, Events, LaunchError, RestartPolicy};
use loop_runtime::prelude::*;

use crate::toolchain;

/// Longer than any case takes.
const LONG: Duration = Duration::from_secs(60);

/// What plugins in Go need to start.
pub(crate) const ENVIRONMENT: [(&str, &str); 3] = [
    ("CL_PROMETHEUS_PORT", "0"),
    ("CL_MERCURY_TRANSMITTER_TRANSMIT__QUEUE_MAX_SIZE", "10000"),
    ("CL_MERCURY_TRANSMITTER_TRANSMIT_CONCURRENCY", "100"),
];

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

pub(crate) fn run(case: impl Future<Output = ()>) {
    runtime().block_on(async { tokio::time::timeout(LONG, case).await.expect("it hangs") });
}

/// A supervised plugin in Go.
pub(crate) struct GoPlugin {
    pub(crate) plugin: Supervisor,
    events: Events,
    /// Of all its processes so far: the number, and where its sockets are.
    processes: Vec<(u32, PathBuf)>,
}

/// Starts `program` of `interop/` with what it needs; `name` is the case's.
pub(crate) async fn launch(handshake: Handshake, program: &str, name: &str) -> GoPlugin {
    let command = Command::new(toolchain::program(program)).envs(ENVIRONMENT);
    GoPlugin::watch(try_launch(handshake, command, name).await.unwrap())
}

pub(crate) async fn try_launch(handshake: Handshake, command: Command, name: &str) -> Result<Supervisor, LaunchError> {
    let policy = RestartPolicy::default().initial_backoff(Duration::ZERO).max_restarts(None);
    Host::new(handshake).name(name).restart_policy(policy).launch(command).await
}

impl GoPlugin {
    fn watch(plugin: Supervisor) -> Self {
        let mut it = Self { events: plugin.events(), plugin, processes: Vec::new() };
        it.look();
        it
    }

    /// Notes the current process.
    fn look(&mut self) {
        let pid = self.plugin.pid().expect("a process runs");
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap();
        let sockets = environment.split(|byte| *byte == 0).find_map(|it| it.strip_prefix(b"PLUGIN_UNIX_SOCKET_DIR="));
        let sockets = String::from_utf8(sockets.expect("a directory for sockets").to_owned()).unwrap();
        self.processes.push((pid, sockets.into()));
    }

    /// Kills the process and waits for the next one.
    pub(crate) async fn kill(&mut self) {
        use loop_runtime::testing::Faults as _;
        self.plugin.kill().unwrap();
        while !matches!(self.events.next().await.unwrap().kind, EventKind::Started { .. }) {}
        self.look();
    }

    /// Closes the plugin, which must end by itself; nothing of any of its processes is left then.
    pub(crate) async fn close(mut self) {
        self.plugin.close().await;
        assert_eq!(self.ended().await.exit.unwrap().status(), Some(0), "it had to be killed");
        for (pid, sockets) in self.processes {
            assert!(!Path::new(&format!("/proc/{pid}")).exists(), "process {pid} is left");
            assert!(!sockets.exists(), "{} is left", sockets.display());
        }
    }

    async fn ended(&mut self) -> Ended {
        loop {
            if let EventKind::Ended(ended) = self.events.next().await.unwrap().kind {
                return ended;
            }
        }
    }
}
