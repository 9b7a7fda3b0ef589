//! A host in Rust runs plugins in Go that misbehave, `interop/misbehave`: each gives an error that names the cause, in
//! time, and leaves nothing.

mod case;

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use loop_runtime::host::{EventKind, LaunchError, RestartPolicy};
use loop_runtime::prelude::*;
use loop_runtime::testing::Faults as _;

use crate::probe::{Probe, RustCounter};
use crate::{go, log, trial};
use case::{Case, close, close_by_force, close_in_peace, ended, run};

/// What a machine that is busy with other tests may add to any wait.
const BUSY: Duration = Duration::from_secs(5);
/// Far less than the start timeout: nothing was waited for.
const AT_ONCE: Range<Duration> = Duration::ZERO..BUSY;

pub(crate) fn trials() -> Vec<Trial> {
    macro_rules! trials {
        ($($case:ident),* $(,)?) => {
            vec![$(trial(concat!("misbehaving::", stringify!($case)), || run(stringify!($case), $case))),*]
        };
    }
    trials![
        no_handshake_line,
        garbage,
        another_core_version,
        another_application_version,
        a_hang_before_the_handshake,
        an_exit_with_a_message,
        a_panic_before_the_handshake,
        an_exit_that_leaves_its_pipes_to_a_child,
        a_closed_socket,
        a_plugin_that_cannot_multiplex,
        a_plugin_that_knows_no_tls,
        endless_stdout,
        a_log_storm,
        shutdown_ignored,
        shutdown_that_hangs,
        a_child_that_holds_the_pipes,
        a_panic_in_a_call,
        nothing_but_the_service,
        abstract_and_tcp_addresses,
        a_kill_is_noticed_in_time,
        closed_by_many_at_once,
        texts_longer_than_any_header_should_be,
    ]
}

fn first_line(error: &LaunchError) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}

async fn no_handshake_line(case: &Case) {
    let error = case.refused(&case.host(), "no-line", AT_ONCE).await;
    assert_eq!(first_line(&error), format!("plugin exited before its handshake: {}: exit status 0", case.name));
    assert!(!error.is_permanent());
}

async fn garbage(case: &Case) {
    let error = case.refused(&case.host(), "garbage", AT_ONCE).await;
    let LaunchError::Unrecognized { line, .. } = &error else { panic!("{error}") };
    assert_eq!(line, "\"Welcome to the plugin! Loading modules...\"");
    assert!(error.to_string().contains("nothing to stdout before that line"), "{error}");
}

async fn another_core_version(case: &Case) {
    let error = case.refused(&case.host(), "core", AT_ONCE).await;
    assert!(matches!(error, LaunchError::CoreVersion { plugin: 2, .. }) && error.is_permanent(), "{error}");
}

async fn another_application_version(case: &Case) {
    let error = case.refused(&case.host(), "application", AT_ONCE).await;
    let LaunchError::ApplicationVersion { plugin: 9, host, .. } = &error else { panic!("{error}") };
    assert_eq!(host, &[2, 1]);
    assert!(error.is_permanent());
}

async fn a_hang_before_the_handshake(case: &Case) {
    let timeout = Duration::from_secs(1);
    let policy = RestartPolicy::default().start_timeout(timeout);
    let error = case.refused(&case.host().restart_policy(policy), "hang", timeout..timeout + BUSY).await;
    let expected =
        format!("plugin start timed out: {}: no handshake line on stdout within 1s; the process was killed", case.name);
    assert_eq!(first_line(&error), expected);
}

async fn an_exit_with_a_message(case: &Case) {
    let error = case.refused(&case.host(), "exit", AT_ONCE).await;
    let told = "last lines on stderr:\n  | reading plugin.yaml\n  | no licence for this machine\n";
    assert!(first_line(&error).ends_with(": exit status 3") && error.to_string().contains(told), "{error}");
}

async fn a_panic_before_the_handshake(case: &Case) {
    let error = case.refused(&case.host(), "panic-early", AT_ONCE).await;
    let LaunchError::Exited { exit, stderr, .. } = &error else { panic!("{error}") };
    assert_eq!(exit.status(), Some(2));
    let text = stderr.fatal().expect("a panic");
    assert!(text.starts_with("panic: no configuration") && text.contains("goroutine 1"), "{text}");
}

/// The pipes do not end with the process; its end is reported nevertheless, and the child is killed with its group.
async fn an_exit_that_leaves_its_pipes_to_a_child(case: &Case) {
    let error = case.refused(&case.host(), "heir-early", AT_ONCE).await;
    assert!(matches!(&error, LaunchError::Exited { exit, .. } if exit.status() == Some(3)), "{error}");
    assert!(error.to_string().contains("no licence"), "{error}");
}

async fn a_closed_socket(case: &Case) {
    let error = case.refused(&case.host(), "closed", AT_ONCE).await;
    let LaunchError::Connect { source, .. } = &error else { panic!("{error}") };
    assert_eq!(source.kind(), std::io::ErrorKind::ConnectionRefused);
}

async fn a_plugin_that_cannot_multiplex(case: &Case) {
    let error = case.refused(&case.host().multiplexed(), "mini-unix", AT_ONCE).await;
    assert!(matches!(error, LaunchError::NotMultiplexed { .. }) && error.is_permanent(), "{error}");
}

async fn a_plugin_that_knows_no_tls(case: &Case) {
    let error = case.refused(&case.host().auto_mtls(), "mini-unix", AT_ONCE).await;
    assert!(matches!(error, LaunchError::NoCertificate { .. }) && error.is_permanent(), "{error}");
}

async fn endless_stdout(case: &Case) {
    let (plugin, probe) = case.launch("stdout").await;
    for _ in 0..100 {
        assert_eq!(probe.echo(b"through").await.unwrap(), b"through");
    }
    close_in_peace(plugin).await;
}

async fn a_log_storm(case: &Case) {
    let (plugin, probe) = case.launch("logs").await;
    for _ in 0..100 {
        assert_eq!(probe.echo(b"through").await.unwrap(), b"through");
    }
    log::until(case.name, "INFO again").await;
    close_in_peace(plugin).await;
}

async fn shutdown_ignored(case: &Case) {
    let (plugin, probe) = case.launch("ignores-shutdown").await;
    probe.echo(b"x").await.unwrap();
    close_by_force(plugin).await;
}

async fn shutdown_that_hangs(case: &Case) {
    let (plugin, probe) = case.launch("hangs-shutdown").await;
    probe.echo(b"x").await.unwrap();
    close_by_force(plugin).await;
}

/// Go's host would wait for it.
async fn a_child_that_holds_the_pipes(case: &Case) {
    let (plugin, probe) = case.launch("heir").await;
    probe.echo(b"x").await.unwrap();
    let (ended, took) = close(plugin).await;
    assert_eq!(ended.exit.unwrap().status(), Some(0));
    assert!(took < BUSY, "{took:?}");
}

/// In Go that is the end of the process. The caller gets the text, and it is logged as one error.
async fn a_panic_in_a_call(case: &Case) {
    let (plugin, probe) = case.launch("panic").await;
    let mut events = plugin.events();
    let error = probe.echo(b"x").await.unwrap_err();
    assert!(error.loss().is_some_and(|loss| loss.may_have_run), "{error:?}");
    assert!(error.message().contains("panic: the probe is broken"), "{error}");
    let first = ended(&mut events).await;
    assert_eq!(first.exit.unwrap().status(), Some(2));
    assert!(first.stderr.fatal().unwrap().contains("goroutine"));
    let lines = log::lines(case.name, "");
    let panic = lines.iter().find(|line| line.starts_with("ERROR panic: the probe is broken")).expect("logged");
    assert!(panic.contains("goroutine"), "one event: {panic}");
    plugin.close().await;
}

/// No health, no broker, no stdio, no controller, and five fields in the line.
async fn nothing_but_the_service(case: &Case) {
    let (plugin, probe) = case.launch("mini-unix").await;
    assert_eq!(probe.echo(b"x").await.unwrap(), b"x");
    // A missing broker is known when the plugin has answered, which no call waits for: a plugin in Go that has one
    // sends nothing at first.
    let error = loop {
        let error = probe.sum(Arc::new(RustCounter::new(1, &Arc::default())), 1).await.unwrap_err();
        if error.code() != Code::Unimplemented {
            break error;
        }
    };
    assert!(error.message().contains("the plugin has no broker"), "{error}");
    assert_eq!(error.loss(), None, "nothing was lost");
    plugin.ping().await.unwrap_err();
    assert_eq!(probe.echo(b"still there").await.unwrap(), b"still there");
    close_by_force(plugin).await;
}

async fn abstract_and_tcp_addresses(case: &Case) {
    for how in ["mini-tcp", "mini-abstract"] {
        let (plugin, probe) = case.launch(how).await;
        assert_eq!(probe.echo(b"x").await.unwrap(), b"x");
        close_by_force(plugin).await;
    }
}

async fn a_kill_is_noticed_in_time(case: &Case) {
    let plugin = case.host().launch(Command::new(go::program("plugin"))).await.unwrap();
    let (mut events, began) = (plugin.events(), Instant::now());
    plugin.kill().unwrap();
    assert_eq!(ended(&mut events).await.exit.unwrap().signal(), Some(9));
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    plugin.close().await;
}

async fn closed_by_many_at_once(case: &Case) {
    let plugin = case.host().launch(Command::new(go::program("plugin"))).await.unwrap();
    let mut events = plugin.events();
    tokio::join!(plugin.close(), plugin.close(), plugin.close());
    plugin.close().await;
    let mut ends = Vec::new();
    while let Some(event) = events.next().await {
        match event.kind {
            EventKind::Ended(ended) => ends.push(ended),
            EventKind::Launching { .. } => panic!("started again"),
            _ => {}
        }
    }
    assert_eq!(ends.len(), 1);
    assert_eq!(ends[0].exit.unwrap().status(), Some(0), "nothing was forced");
}

/// Go's status messages travel in headers, in frames of 16 KiB, up to the 16 MiB that we advertise. Longer ones Go does
/// not send: it resets the call, and nothing else is lost.
async fn texts_longer_than_any_header_should_be(case: &Case) {
    let plugin = case.host().launch(Command::new(go::program("plugin"))).await.unwrap();
    let probe: Arc<dyn Probe> = plugin.dispense().await.unwrap();
    for times in [20_000, 40_000, 200_000, 3_300_000] {
        let text = "why? ".repeat(times);
        let error = probe.fail(9, &text).await.unwrap_err();
        let start: String = error.message().chars().take(300).collect();
        assert!(error.code() == Code::FailedPrecondition && error.message() == text, "{times}: {start}");
    }
    let error = probe.fail(9, &"why? ".repeat(3_400_000)).await.unwrap_err();
    assert_eq!(error.code(), Code::Unavailable, "{error}");
    let pid = plugin.pid();
    assert_eq!(probe.fail(9, "still here").await.unwrap_err().message(), "still here");
    assert_eq!(plugin.pid(), pid);
    close_in_peace(plugin).await;
}
