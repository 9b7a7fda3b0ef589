//! Processes end in order: by themselves, by a restart, for a new program. What is under way is not lost.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use loop_runtime::Error;
use loop_runtime::host::{Command, RestartPolicy, State, What, Why};
use loop_runtime::plugin::Plugin;
use rustix::process::Signal;

use crate::cases::{Case, is_there, launch_command, policy, signal, until, workshop};
use crate::services::{NAPS, Workshop};

/// Where the hooks of a plugin write.
const NOTES: &str = "RECOVERY_NOTES";

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
            writeln!(file, "{millis} {}", NAPS.load(Ordering::Relaxed)).expect("written");
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

fn this() -> PathBuf {
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
        What::Ended(ended) => Some(ended),
        _ => None,
    });
    let ended = ended.await;
    assert_eq!((ended.why, ended.exit.and_then(|exit| exit.status())), (Why::ShutDown, Some(0)), "{ended}");
    let hooks: Vec<_> = notes(&path).iter().map(|(millis, _)| *millis).collect();
    assert_eq!(hooks, [50, 200], "both have run");
    until(&mut events, |what| matches!(what, What::Backoff { in_a_row: 1, .. }).then_some(())).await;
    assert_ne!(shop.pid().await.expect("the next process"), before);
    plugin.close().await;
}

/// Every call is answered, and was carried out once.
async fn a_restart_under_load_loses_nothing() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("notes");
    let plugin = launch_command(policy(), Command::new(this()).env(NOTES, &path)).await;
    let shop = workshop(&plugin).await;
    let enough = Arc::new(AtomicBool::new(false));
    let callers: Vec<_> = (0..8u64)
        .map(|caller| {
            let (shop, enough) = (shop.clone(), enough.clone());
            tokio::spawn(async move {
                let mut answered = 0;
                while !enough.load(Ordering::Relaxed) {
                    shop.nap(caller % 3 * 5).await?;
                    answered += 1;
                }
                Ok::<_, Error>(answered)
            })
        })
        .collect();
    let mut events = plugin.events();
    for _ in 0..3 {
        plugin.restart();
        let ended = until(&mut events, |what| match what {
            What::Ended(ended) => Some(ended.why),
            _ => None,
        });
        assert_eq!(ended.await, Why::Restart);
        until(&mut events, |what| matches!(what, What::Started { .. }).then_some(())).await;
    }
    enough.store(true, Ordering::Relaxed);
    let mut answered = 0;
    for caller in callers {
        answered += caller.await.expect("no panic").expect("no call is lost");
    }
    plugin.close().await;
    let last_hooks = notes(&path).into_iter().filter(|(millis, _)| *millis == 200);
    let naps: Vec<u64> = last_hooks.map(|(_, naps)| naps).collect();
    assert_eq!(naps.len(), 4, "each process ended in order: {naps:?}");
    assert_eq!(naps.iter().sum::<u64>(), answered, "{naps:?}");
}

async fn a_call_longer_than_the_drain_is_cut_off() {
    let mut policy = policy();
    policy.restart_drain = Duration::from_millis(50);
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
    std::fs::copy(this(), &path).expect("copied");
    let plugin = launch_command(policy(), Command::new(&path)).await;
    let shop = workshop(&plugin).await;
    let before = shop.pid().await.expect("a pid");
    let mut events = plugin.events();
    std::fs::rename(&path, &away).expect("moved");
    signal(before, Signal::KILL);
    for _ in 0..3 {
        let permanent = until(&mut events, |what| match what {
            What::LaunchFailed { permanent, .. } => Some(permanent),
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
        until(&mut events, |what| matches!(what, What::Started { .. }).then_some(())).await;
        let pid = shop.pid().await.expect("a pid");
        assert_ne!(pid, before);
        let program = std::fs::read_link(format!("/proc/{pid}/exe")).expect("Linux");
        assert_eq!(program, path, "from now on, restart {restart}");
        signal(pid, Signal::KILL);
    }
    plugin.close().await;
}

async fn closing_cuts_a_restart_short() {
    let mut policy: RestartPolicy = policy();
    policy.restart_drain = Duration::from_secs(3600);
    policy.timing.drain = Duration::from_millis(10);
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
