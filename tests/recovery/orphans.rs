//! How long plugins live on after a SIGKILL of their host, which can do nothing for them any more.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open};
use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::cases::{Case, MULTIPLEXED, is_stopped, launch, policy, signal, workshop};
use crate::services::Workshop as _;

/// Tells a host of [`a_host`] what its plugin is to be when it is killed.
pub(crate) const STATE: &str = "RECOVERY_ORPHAN";

/// Names the file that the handler makes before it blocks.
const HERE: &str = "RECOVERY_HERE";

/// The longest that is promised is 2.1 s; a machine that is busy with other tests may be slower.
const MOST: Duration = Duration::from_secs(10);

pub(crate) fn all() -> Vec<(&'static str, Case)> {
    vec![
        ("an_idle_plugin_ends_with_a_killed_host", || Box::pin(ends("idle"))),
        ("a_blocked_plugin_ends_with_a_killed_host", || Box::pin(ends("blocked"))),
        ("a_stopped_plugin_ends_with_a_killed_host", || Box::pin(ends("stopped"))),
    ]
}

/// Says how long it took, for the table in `loop-runtime/src/platforms.md`.
async fn ends(state: &'static str) {
    let dir = tempfile::tempdir().expect("a directory");
    let mut host = tokio::process::Command::new(std::env::current_exe().expect("this test"))
        .env("RECOVERY_HOST", if MULTIPLEXED.get() { "multiplexed" } else { "plain" })
        .env(STATE, state)
        .env(HERE, dir.path().join("here"))
        .stdout(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("a host");
    let mut line = String::new();
    BufReader::new(host.stdout.take().expect("piped")).read_line(&mut line).await.expect("a line");
    let plugin: u32 = line.trim().parse().expect("the pid of its plugin");
    let held = Pid::from_raw(plugin.cast_signed()).map(|pid| pidfd_open(pid, PidfdFlags::empty()));
    let held = held.expect("a process id").expect("a running plugin");
    if state == "stopped" {
        signal(plugin, Signal::STOP);
        is_stopped(plugin).await;
    }
    let killed = Instant::now();
    host.start_kill().expect("killed");
    let bound = Timespec { tv_sec: MOST.as_secs().cast_signed(), tv_nsec: 0 };
    let wait = move || poll(&mut [PollFd::new(&held, PollFlags::IN)], Some(&bound));
    let ended = tokio::task::spawn_blocking(wait).await.expect("no panic");
    println!("a plugin that was {state} lived for {:?} after its host was killed", killed.elapsed());
    if ended != Ok(1) {
        signal(plugin, Signal::KILL);
        panic!("it lives: {ended:?}");
    }
    host.wait().await.expect("reaped");
}

/// Launches a plugin, brings it into the wanted state, says its pid, and waits to be killed.
pub(crate) async fn a_host(state: &str) -> ExitCode {
    let plugin = launch(policy()).await;
    let shop = workshop(&plugin).await;
    if state == "blocked" {
        // Not a callback: its answer could be lost with the host, and the handler would not block.
        let here = std::env::var(HERE).expect("a path");
        let watched = std::path::PathBuf::from(&here);
        tokio::spawn(async move { shop.block(&here).await });
        while !watched.exists() {
            tokio::task::yield_now().await;
        }
    }
    println!("{}", plugin.pid().expect("running"));
    std::future::pending().await
}
