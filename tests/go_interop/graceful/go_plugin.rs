//! A host in Rust, and a plugin in Go that ends its connections, its server or itself.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use libtest_mimic::Trial;
use loop_runtime::host::{EndCause, EventKind, State};
use loop_runtime::prelude::*;
use loop_runtime::testing::Faults as _;
use rustix::process::{Signal, kill_process};

use super::case::{Case, EXIT, RELEASE, STOP, close, ended, process, run, signal, started, until};
use super::load::{CALLERS, Call, Load, at_once, hold, lost};
use crate::mode::Mode;
use crate::probe::{Counter, Probe, RustCounter};
use crate::{go, log, trial};

pub(crate) fn trials(mode: Mode) -> impl Iterator<Item = Trial> {
    let fits = move |case| match case {
        "grace_without_broker" | "stop_busy" => !mode.is_multiplexed(),
        "stop_multiplexed_busy" => mode.is_multiplexed(),
        _ => true,
    };
    all(mode).into_iter().filter(move |(case, _)| fits(case)).map(|(_, trial)| trial)
}

/// With their names.
fn all(mode: Mode) -> Vec<(&'static str, Trial)> {
    macro_rules! trials {
        ($($case:ident),* $(,)?) => {
            vec![$({
                let name = mode.trial("graceful_go_plugin", stringify!($case));
                (stringify!($case), trial(&name.clone(), move || run(mode, name, $case)))
            }),*]
        };
    }
    trials![
        age_idle,
        age_busy,
        grace_idle,
        grace_busy,
        grace_without_broker,
        limit_idle,
        limit_busy,
        limit_at_the_start,
        limit_at_a_restart,
        stop_idle,
        stop_busy,
        stop_multiplexed_busy,
        exit_idle,
        exit_busy,
        sigterm_idle,
        sigterm_busy,
        program_away,
    ]
}

/// Everything that goes through a connection works: calls, what is lent, what is made, what is printed.
async fn all_is_well(case: &Case, probe: &Arc<dyn Probe>, text: &str) {
    assert_eq!(probe.echo(text.as_bytes()).await.unwrap(), text.as_bytes());
    let lent = Arc::new(RustCounter::new(5, &Arc::new(AtomicU64::new(0))));
    assert_eq!(probe.sum(lent, 2).await.unwrap(), 11);
    assert_eq!(probe.new_counter(40).await.unwrap().next().await.unwrap(), 40);
    probe.print(text, "").await.unwrap();
    log::until(&case.name, &format!("INFO {text} plugin::")).await;
}

/// The connection is retired again and again while no call is in flight. The process lives, and nothing is lost.
async fn age_idle(case: &mut Case) {
    let (plugin, probe) = case.launch(&["-max-age=150ms"]).await;
    let pid = plugin.pid();
    case.connection(3).await;
    all_is_well(case, &probe, "after two connections").await;
    assert_eq!(plugin.pid(), pid);
    close(plugin).await;
}

async fn age_busy(case: &mut Case) {
    let (plugin, probe) = case.launch(&["-max-age=150ms"]).await;
    let pid = plugin.pid();
    let held = hold(&probe).await;
    let load = Load::start(&probe);
    case.connection(4).await;
    let mut calls = load.stop().await;
    signal(&plugin, RELEASE);
    calls.push(held.await.unwrap());
    all_is_well(case, &probe, "after three connections").await;
    assert_eq!(plugin.pid(), pid);
    close(plugin).await;
    lost(&calls, &case.notes()).is_nothing();
}

/// With its first connection a plugin in Go loses its broker, and this one's contract needs it.
async fn grace_idle(case: &mut Case) {
    let (plugin, probe) = case.launch(&["-max-age=200ms", "-grace=500ms"]).await;
    let mut events = plugin.events();
    let first = ended(&mut events).await;
    assert_eq!(first.exit.unwrap().status(), Some(0), "replaced in order: {first}");
    assert_eq!(started(&mut events).await, 2);
    all_is_well(case, &probe, "in the next process").await;
    close(plugin).await;
}

/// A call that takes longer than the grace period may have run; nothing else is lost.
async fn grace_busy(case: &mut Case) {
    let (plugin, probe) = case.launch(&["-max-age=200ms", "-grace=1s"]).await;
    let mut events = plugin.events();
    let held = hold(&probe).await;
    let load = Load::start(&probe);
    assert_eq!(ended(&mut events).await.exit.unwrap().status(), Some(0));
    assert_eq!(started(&mut events).await, 2);
    let mut calls = vec![held.await.unwrap()];
    calls.extend(load.stop().await);
    all_is_well(case, &probe, "in the next process").await;
    close(plugin).await;
    assert!(calls[0].may_have_run_and_is_lost(), "{:?}", calls[0]);
    lost(&calls, &case.notes()).is_at_most(1);
}

/// A host that uses nothing lent or made does not need the broker: the process lives, and so do its counts.
/// Multiplexed, every connection needs it.
async fn grace_without_broker(case: &mut Case) {
    let command = case.command(&["-max-age=200ms", "-grace=500ms"]);
    let plugin = case.host().launch(command).await.unwrap();
    let counter: Arc<dyn Counter> = plugin.dispense().await.unwrap();
    let mut events = plugin.events();
    assert_eq!(counter.next().await.unwrap(), 0);
    until(&mut events, |what| matches!(what, EventKind::BrokerLost { .. }).then_some(())).await;
    for number in 1..100 {
        assert_eq!(counter.next().await.unwrap(), number);
    }
    close(plugin).await;
}

/// Two of the three are go-plugin's streams; health, stdio, broker and shutdown must work beside a long call.
async fn limit_idle(case: &mut Case) {
    case.policy = case.policy.clone().health_check_interval(Some(Duration::from_millis(50)));
    let (plugin, probe) = case.launch(&["-streams=3"]).await;
    let (pid, mut events) = (plugin.pid(), plugin.events());
    assert_eq!(probe.sum(Arc::new(Slow), 3).await.unwrap(), 3);
    all_is_well(case, &probe, "after a long call").await;
    assert_eq!(plugin.pid(), pid);
    plugin.close().await;
    while let Some(event) = events.next().await {
        assert!(!matches!(event.kind, EventKind::Launching { .. }), "{event:?}");
    }
}

/// A counter that is lent, and takes its time: fifteen ticks of the health check in all.
struct Slow;

impl Counter for Slow {
    async fn next(&self) -> Result<u64> {
        tokio::time::sleep(Duration::from_millis(500)).await;
        Ok(1)
    }

    async fn close(&self) -> Result<()> {
        Ok(())
    }
}

async fn limit_busy(case: &mut Case) {
    case.policy = case.policy.clone().health_check_interval(Some(Duration::from_millis(50)));
    let (plugin, probe) = case.launch(&["-streams=3"]).await;
    let pid = plugin.pid();
    let load = Load::start(&probe);
    for _ in 0..10 {
        all_is_well(case, &probe, "in between").await;
    }
    let calls = load.stop().await;
    assert_eq!(plugin.pid(), pid);
    close(plugin).await;
    lost(&calls, &case.notes()).is_nothing();
}

/// The plugin sends its limit while the first calls are in flight.
async fn limit_at_the_start(case: &mut Case) {
    let mut calls = Vec::new();
    for number in [12, 24, 36, 48] {
        let (plugin, probe) = case.launch(&["-streams=3"]).await;
        calls.extend(at_once(&probe, number).await);
        close(plugin).await;
    }
    lost(&calls, &case.notes()).is_nothing();
}

async fn limit_at_a_restart(case: &mut Case) {
    let (plugin, probe) = case.launch(&["-streams=3"]).await;
    let mut events = plugin.events();
    let mut calls = Vec::new();
    for number in [12, 48] {
        plugin.kill().unwrap();
        assert_eq!(ended(&mut events).await.exit.unwrap().signal(), Some(9));
        calls.extend(at_once(&probe, number).await);
    }
    let load = Load::start(&probe);
    for _ in 0..2 {
        plugin.restart();
        assert_eq!(ended(&mut events).await.exit.unwrap().status(), Some(0));
        started(&mut events).await;
    }
    calls.extend(load.stop().await);
    close(plugin).await;
    lost(&calls, &case.notes()).is_nothing();
}

/// A server that stops waits for go-plugin's two streams, which the host has to end.
async fn stop_idle(case: &mut Case) {
    let (plugin, probe) = case.launch(&[]).await;
    let mut events = plugin.events();
    signal(&plugin, STOP);
    let first = ended(&mut events).await;
    assert_eq!((first.cause, first.exit.unwrap().status()), (EndCause::ShutDown, Some(0)), "{first}");
    assert_eq!(started(&mut events).await, 2);
    all_is_well(case, &probe, "in the next process").await;
    close(plugin).await;
}

/// Calls in flight are answered, others wait for the next process. Nothing is lost.
async fn stop_busy(case: &mut Case) {
    let (plugin, probe) = case.launch(&[]).await;
    let (mut states, first) = (plugin.states(), process(&plugin));
    let stopped = async {
        states.until(|state| !matches!(state, State::Running { .. })).await.unwrap();
        kill_process(first, RELEASE).unwrap();
    };
    let calls = stops(&plugin, &probe, stopped).await;
    all_is_well(case, &probe, "in the next process").await;
    close(plugin).await;
    lost(&calls, &case.notes()).is_nothing();
}

/// The server closes the one socket: what is in flight may have run.
async fn stop_multiplexed_busy(case: &mut Case) {
    let (plugin, probe) = case.launch(&[]).await;
    let calls = stops(&plugin, &probe, async {}).await;
    all_is_well(case, &probe, "in the next process").await;
    close(plugin).await;
    assert!(calls[0].may_have_run_and_is_lost(), "{:?}", calls[0]);
    lost(&calls, &case.notes()).is_at_most(CALLERS / 2 + 1);
}

/// Stops the server under calls. The first of the result was held until `stopped`.
async fn stops(plugin: &Supervisor, probe: &Arc<dyn Probe>, stopped: impl Future<Output = ()>) -> Vec<Call> {
    let mut events = plugin.events();
    let held = hold(probe).await;
    let load = Load::start(probe);
    signal(plugin, STOP);
    stopped.await;
    let first = ended(&mut events).await;
    assert_eq!((first.cause, first.exit.unwrap().status()), (EndCause::ShutDown, Some(0)), "{first}");
    let mut calls = vec![held.await.unwrap()];
    assert_eq!(started(&mut events).await, 2);
    calls.extend(load.stop().await);
    calls
}

/// The process ends by itself, idle: that is no failure, and it is restarted without a call.
async fn exit_idle(case: &mut Case) {
    leaves_idle(case, EXIT, |ended| ended.status() == Some(0)).await;
}

/// The process ends by itself under calls: those may have run, each caller's last.
async fn exit_busy(case: &mut Case) {
    leaves_busy(case, EXIT).await;
}

/// Go ends at SIGTERM, on the spot.
async fn sigterm_idle(case: &mut Case) {
    leaves_idle(case, Signal::TERM, |ended| ended.signal() == Some(15)).await;
}

async fn sigterm_busy(case: &mut Case) {
    leaves_busy(case, Signal::TERM).await;
}

async fn leaves_idle(case: &Case, how: Signal, is: impl Fn(loop_runtime::host::Exit) -> bool) {
    let (plugin, probe) = case.launch(&[]).await;
    let mut events = plugin.events();
    signal(&plugin, how);
    let first = ended(&mut events).await;
    assert!(first.cause == EndCause::ShutDown && is(first.exit.unwrap()), "{first}");
    assert_eq!(started(&mut events).await, 2);
    all_is_well(case, &probe, "in the next process").await;
    close(plugin).await;
}

async fn leaves_busy(case: &Case, how: Signal) {
    let (plugin, probe) = case.launch(&[]).await;
    let mut events = plugin.events();
    let held = hold(&probe).await;
    let load = Load::start(&probe);
    signal(&plugin, how);
    let first = ended(&mut events).await;
    assert_eq!(first.cause, EndCause::ShutDown, "{first}");
    let mut calls = vec![held.await.unwrap()];
    assert_eq!(started(&mut events).await, 2);
    calls.extend(load.stop().await);
    all_is_well(case, &probe, "in the next process").await;
    close(plugin).await;
    assert!(calls[0].may_have_run_and_is_lost(), "{:?}", calls[0]);
    lost(&calls, &case.notes()).is_at_most(CALLERS / 2 + 1);
}

/// A deploy: the program is missing when the next process is to be started, and is then replaced.
async fn program_away(case: &mut Case) {
    let (program, away) = (case.dir.path().join("plugin"), case.dir.path().join("away"));
    // Copied by another process: a file that this one writes may be open in a child that is just being started.
    assert!(std::process::Command::new("cp").arg(go::program("plugin")).arg(&program).status().unwrap().success());
    let (plugin, probe) = case.launch_command(case.command_of(program.clone(), &[])).await;
    let mut events = plugin.events();
    std::fs::rename(&program, &away).unwrap();
    signal(&plugin, EXIT);
    let load = Load::start(&probe);
    for _ in 0..3 {
        let permanent = until(&mut events, |what| match what {
            EventKind::LaunchFailed { permanent, .. } => Some(permanent),
            _ => None,
        });
        assert!(!permanent.await);
    }
    std::fs::rename(&away, &program).unwrap();
    started(&mut events).await;
    let calls = load.stop().await;
    close(plugin).await;
    lost(&calls, &case.notes()).is_at_most(CALLERS / 2);
}
