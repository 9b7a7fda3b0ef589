//! Processes end in order: by themselves, by a restart, with their host. What is in flight is not lost.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use loop_runtime::Error;
use loop_runtime::host::{Command, EndCause, EventKind, Host, State};
use loop_runtime::plugin::Plugin;
use rustix::process::Signal;

use crate::HANDSHAKE;
use crate::cases::{Case, MULTIPLEXED, is_there, launch_command, policy, signal, until, workshop};
use crate::services::{Journal, NAPS, Workshop};

/// Where the hooks of a plugin write.
pub(crate) const NOTES: &str = "RECOVERY_NOTES";

pub(crate) fn all() -> Vec<(&'static str, Case)> {
    vec![
        ("a_plugin_that_gets_sigterm_runs_its_hooks", || Box::pin(a_plugin_that_gets_sigterm_runs_its_hooks())),
        ("a_restart_under_load_loses_nothing", || Box::pin(a_restart_under_load_loses_nothing())),
        ("a_call_longer_than_the_drain_is_cut_off", || Box::pin(a_call_longer_than_the_drain_is_cut_off())),
        ("a_program_that_is_away_for_a_second_comes_back", || {
            Box::pin(a_program_that_is_away_for_a_second_comes_back())
        }),
        ("a_restart_may_bring_another_program", || Box::pin(a_restart_may_bring_another_program())),
        ("closing_cuts_a_restart_short", || Box::pin(closing_cuts_a_restart_short())),
        ("a_close_ends_a_start_that_connects", || Box::pin(a_close_ends_a_start_that_connects())),
        ("a_host_that_is_asked_to_end_closes_its_plugins", || {
            Box::pin(a_host_that_is_asked_to_end_closes_its_plugins())
        }),
        ("a_plugin_ends_with_the_runtime_that_launched_it", || {
            Box::pin(a_plugin_ends_with_the_runtime_that_launched_it())
        }),
    ]
}

/// In the plugin: hooks of 50 and 200 ms, if there is a file for their notes.
pub(crate) fn with_hooks(plugin: Plugin) -> Plugin {
    let Some(notes) = std::env::var_os(NOTES).map(PathBuf::from) else { return plugin };
    let hook = |millis: u64| {
        let notes = notes.clone();
        move || async move {
            tokio::time::sleep(Duration::from_millis(millis)).await;
            let mut file = std::fs::File::options().append(true).create(true).open(notes).expect("a file");
            // In one write: another process may note something concurrently.
            let line = format!("{millis} {}\n", NAPS.load(Ordering::Relaxed));
            file.write_all(line.as_bytes()).expect("written");
        }
    };
    plugin.on_shutdown(hook(50)).on_shutdown(hook(200))
}

/// What hooks have noted: how long they took, and how many naps the process had counted.
fn notes(path: &Path) -> Vec<(u64, u64)> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let line = |line: &str| {
        let (millis, naps) = line.split_once(' ').expect("two numbers");
        (millis.parse().expect("a number"), naps.parse().expect("a number"))
    };
    text.lines().map(line).collect()
}

pub(crate) fn this() -> PathBuf {
    std::env::current_exe().expect("this test")
}

async fn a_plugin_that_gets_sigterm_runs_its_hooks() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("notes");
    let plugin = launch_command(policy(), Command::new(this()).env(NOTES, &path)).await;
    let shop = workshop(&plugin).await;
    let before = shop.pid().await.expect("a pid");
    let mut events = plugin.events();
    signal(before, Signal::TERM);
    let ended = until(&mut events, |what| match what {
        EventKind::Ended(ended) => Some(ended),
        _ => None,
    });
    let ended = ended.await;
    assert_eq!((ended.cause, ended.exit.and_then(|exit| exit.status())), (EndCause::ShutDown, Some(0)), "{ended}");
    let hooks: Vec<_> = notes(&path).iter().map(|(millis, _)| *millis).collect();
    assert_eq!(hooks, [50, 200], "both have run");
    until(&mut events, |what| matches!(what, EventKind::Backoff { in_a_row: 1, .. }).then_some(())).await;
    assert_ne!(shop.pid().await.expect("the next process"), before);
    plugin.close().await;
}

/// Every call is answered, and ran once.
async fn a_restart_under_load_loses_nothing() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("notes");
    let plugin = launch_command(policy(), Command::new(this()).env(NOTES, &path)).await;
    let shop = workshop(&plugin).await;
    let load = Load::new(&shop);
    let mut events = plugin.events();
    for _ in 0..3 {
        plugin.restart();
        let ended = until(&mut events, |what| match what {
            EventKind::Ended(ended) => Some(ended.cause),
            _ => None,
        });
        assert_eq!(ended.await, EndCause::Restart);
        until(&mut events, |what| matches!(what, EventKind::Started { .. }).then_some(())).await;
    }
    let answered = load.answered().await;
    plugin.close().await;
    assert_eq!(naps(&path, 4), answered);
}

/// Callers at full speed.
pub(crate) struct Load {
    enough: Arc<AtomicBool>,
    callers: Vec<tokio::task::JoinHandle<Result<u64, Error>>>,
}

impl Load {
    pub(crate) fn new(shop: &Arc<dyn Workshop>) -> Self {
        let enough = Arc::new(AtomicBool::new(false));
        let caller = |caller: u64| {
            let (shop, enough) = (shop.clone(), enough.clone());
            tokio::spawn(async move {
                let mut answered = 0;
                while !enough.load(Ordering::Relaxed) {
                    shop.nap(caller % 3 * 5).await?;
                    answered += 1;
                }
                Ok(answered)
            })
        };
        let callers = (0..8).map(caller).collect();
        Self { enough, callers }
    }

    /// How many calls there were. All were answered.
    pub(crate) async fn answered(self) -> u64 {
        self.enough.store(true, Ordering::Relaxed);
        let mut answered = 0;
        for caller in self.callers {
            answered += caller.await.expect("no panic").expect("no call is lost");
        }
        answered
    }
}

/// How many naps were taken in all of these processes, which ended in order.
pub(crate) fn naps(path: &Path, processes: usize) -> u64 {
    let last_hooks = notes(path).into_iter().filter(|(millis, _)| *millis == 200);
    let naps: Vec<u64> = last_hooks.map(|(_, naps)| naps).collect();
    assert_eq!(naps.len(), processes, "each process ran its hooks: {naps:?}");
    naps.iter().sum()
}

async fn a_call_longer_than_the_drain_is_cut_off() {
    let policy = policy().restart_drain_timeout(Duration::from_millis(50));
    let plugin = launch_command(policy, Command::new(this())).await;
    let shop = workshop(&plugin).await;
    let call = tokio::spawn({
        let shop = shop.clone();
        async move { shop.nap(600_000).await }
    });
    let before = shop.pid().await.expect("a pid");
    plugin.restart();
    let error = call.await.expect("no panic").expect_err("cut off");
    assert!(error.may_have_run() && error.message().contains("restarted by this host"), "{error:?}");
    assert_ne!(shop.pid().await.expect("the next process"), before);
    plugin.close().await;
}

async fn a_program_that_is_away_for_a_second_comes_back() {
    let dir = tempfile::tempdir().expect("a directory");
    let (path, away) = (dir.path().join("plugin"), dir.path().join("away"));
    // A link: a copy may be open for writing still, in a process that another test starts at this moment.
    std::os::unix::fs::symlink(this(), &path).expect("linked");
    let plugin = launch_command(policy(), Command::new(&path)).await;
    let shop = workshop(&plugin).await;
    let before = shop.pid().await.expect("a pid");
    let mut events = plugin.events();
    std::fs::rename(&path, &away).expect("moved");
    signal(before, Signal::KILL);
    for _ in 0..3 {
        let permanent = until(&mut events, |what| match what {
            EventKind::LaunchFailed { permanent, .. } => Some(permanent),
            _ => None,
        });
        assert!(!permanent.await);
    }
    let back = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        std::fs::rename(&away, &path).expect("moved back");
    };
    let (after, ()) = tokio::join!(shop.pid(), back);
    assert_ne!(after.expect("the next process"), before);
    plugin.close().await;
}

async fn a_restart_may_bring_another_program() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("the next version");
    std::fs::copy(this(), &path).expect("copied");
    let plugin = launch_command(policy(), Command::new(this())).await;
    let shop = workshop(&plugin).await;
    let before = shop.pid().await.expect("a pid");
    let mut events = plugin.events();
    plugin.restart_with(Command::new(&path)).expect("a process of ours");
    for restart in 0..2 {
        until(&mut events, |what| matches!(what, EventKind::Started { .. }).then_some(())).await;
        let pid = shop.pid().await.expect("a pid");
        assert_ne!(pid, before);
        let program = std::fs::read_link(format!("/proc/{pid}/exe")).expect("Linux");
        assert_eq!(program, path, "from now on, restart {restart}");
        signal(pid, Signal::KILL);
    }
    plugin.close().await;
}

async fn closing_cuts_a_restart_short() {
    let policy = policy().restart_drain_timeout(Duration::from_secs(3600)).drain_timeout(Duration::from_millis(10));
    let plugin = launch_command(policy, Command::new(this())).await;
    let shop: Arc<dyn Workshop> = workshop(&plugin).await;
    let call = tokio::spawn({
        let shop = shop.clone();
        async move { shop.nap(600_000).await }
    });
    let pid = shop.pid().await.expect("a pid");
    let mut states = plugin.states();
    plugin.restart();
    states.until(|state| matches!(state, State::Stopping { .. })).await.expect("it drains");
    plugin.close().await;
    call.await.expect("no panic").expect_err("cut off");
    assert!(!is_there(pid));
}

/// Without that it would take the start timeout.
async fn a_close_ends_a_start_that_connects() {
    let dir = tempfile::tempdir().expect("a directory");
    let (second, line) = (dir.path().join("second"), dir.path().join("line"));
    // The second process stops once its line is known, so that the connection is not accepted.
    let script = r#"
        [ -e "$SECOND" ] || { : > "$SECOND"; exec "$0"; }
        mkfifo "$LINE"; "$0" > "$LINE" & read line < "$LINE"
        kill -STOP $!; echo "stopped it" >&2; echo "$line"; wait"#;
    let command = Command::new("/bin/sh").args(["-c", script]).arg(this()).env("SECOND", &second).env("LINE", &line);
    let policy = policy().start_timeout(Duration::from_secs(3600));
    let host = Host::new(HANDSHAKE).name("workshop").restart_policy(policy).auto_mtls();
    let host = if MULTIPLEXED.get() { host.multiplexed() } else { host };
    let plugin = host.launch(command).await.expect("a plugin");
    let mut events = plugin.events();
    signal(plugin.pid().expect("running"), Signal::KILL);
    until(&mut events, |what| matches!(what, EventKind::Launching { .. }).then_some(())).await;
    // The host's connection is in the backlog of the listener.
    while !waits_to_be_accepted(plugin_of_shell(&line)) {
        tokio::task::yield_now().await;
    }
    plugin.close().await;
    let failed =
        until(&mut events, |what| if let EventKind::LaunchFailed { error, .. } = what { Some(error) } else { None });
    let text = failed.await.to_string();
    assert!(text.contains("cancelled") && text.contains("stopped it"), "{text}");
}

/// The socket's path in the handshake line is not known here: that of any stopped plugin will do.
fn plugin_of_shell(line: &Path) -> Option<String> {
    let processes = std::fs::read_dir("/proc").expect("Linux").flatten();
    let ours = processes.filter(|process| {
        let environment = std::fs::read(process.path().join("environ")).unwrap_or_default();
        let is_ours = environment.split(|byte| *byte == 0).any(|variable| {
            variable.strip_prefix(b"LINE=").is_some_and(|path| path == line.as_os_str().as_encoded_bytes())
        });
        is_ours && std::fs::read_to_string(process.path().join("stat")).unwrap_or_default().contains(") T ")
    });
    let stopped: Vec<_> = ours.collect();
    let environment = std::fs::read(stopped.first()?.path().join("environ")).ok()?;
    let text = String::from_utf8_lossy(&environment).into_owned();
    text.split('\0').find_map(|variable| variable.strip_prefix("PLUGIN_UNIX_SOCKET_DIR=")).map(str::to_owned)
}

fn waits_to_be_accepted(dir: Option<String>) -> bool {
    let Some(dir) = dir else { return false };
    let sockets = std::fs::read_to_string("/proc/net/unix").expect("Linux");
    sockets.lines().filter(|line| line.contains(&dir)).count() > 1
}

async fn a_host_that_is_asked_to_end_closes_its_plugins() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("notes");
    let mut host = tokio::process::Command::new(this())
        .env("RECOVERY_HOST", "ends in order")
        .env(NOTES, &path)
        .stdout(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("a host");
    let mut out = tokio::io::BufReader::new(host.stdout.take().expect("piped"));
    let mut line = String::new();
    tokio::io::AsyncBufReadExt::read_line(&mut out, &mut line).await.expect("a line");
    let plugins: Vec<u32> = line.split_whitespace().map(|pid| pid.parse().expect("a pid")).collect();
    signal(host.id().expect("running"), Signal::TERM);
    assert!(host.wait().await.expect("reaped").success());
    assert_eq!(plugins.len(), 2);
    assert!(plugins.into_iter().all(|pid| !is_there(pid)), "none is left");
    assert_eq!(naps(&path, 2), 0, "both ran their hooks");
}

/// Launches two plugins, prints their pids, and closes them when it gets SIGTERM.
pub(crate) async fn a_host_that_ends_in_order() -> ExitCode {
    let mut terminated = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).expect("a signal");
    let command = || Command::new(this()).env(NOTES, std::env::var_os(NOTES).expect("a path"));
    let (one, other) = (launch_command(policy(), command()).await, launch_command(policy(), command()).await);
    println!("{} {}", one.pid().expect("running"), other.pid().expect("running"));
    terminated.recv().await;
    loop_runtime::host::close_all().await;
    ExitCode::SUCCESS
}

async fn a_plugin_ends_with_the_runtime_that_launched_it() {
    let multiplexed = MULTIPLEXED.get();
    let launched = tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        runtime.block_on(MULTIPLEXED.scope(multiplexed, async {
            let plugin = launch_command(policy(), Command::new(this())).await;
            let shop = workshop(&plugin).await;
            // A service that refers to the plugin keeps everything alive that it can.
            shop.open(Arc::new(Keeper(shop.clone()))).await.expect("opened");
            let pid = plugin.pid().expect("running");
            (plugin, shop, pid)
        }))
    });
    let (plugin, shop, pid) = launched.await.expect("launched");
    let mut states = plugin.states();
    states.until(|state| matches!(state, State::Closed)).await.expect("closed");
    shop.pid().await.expect_err("closed");
    plugin.close().await;
    while is_there(pid) {
        tokio::task::yield_now().await;
    }
}

struct Keeper(#[allow(dead_code, reason = "kept")] Arc<dyn Workshop>);

impl Journal for Keeper {
    async fn note(&self, _: &str) -> Result<(), Error> {
        Ok(())
    }
}
