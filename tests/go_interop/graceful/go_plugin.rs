//! A host in Rust, and a plugin in Go that ends its connections, its server or itself.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use libtest_mimic::Trial;
use loop_runtime::host::{State, What, Why};
use loop_runtime::prelude::*;
use rustix::process::{Signal, kill_process};

use super::case::{Case, EXIT, RELEASE, STOP, close, ended, process, run, signal, started, until};
use super::load::{CALLERS, Call, Load, hold, lost};
use crate::mode::Mode;
use crate::probe::{Counter as _, Probe, RustCounter};
use crate::{go, log, trial};

pub(crate) fn trials(mode: Mode) -> impl Iterator<Item = Trial> {
    let fits = move |case| match case {
        "stop_busy" => !mode.is_multiplexed(),
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
    trials![stop_idle, stop_busy, stop_multiplexed_busy, exit_idle, exit_busy, sigterm_idle, sigterm_busy, program_away,]
}

/// Everything that goes through a connection works: calls, what is lent, what is made, what is printed.
async fn all_is_well(case: &Case, probe: &Arc<dyn Probe>, text: &str) {
    assert_eq!(probe.echo(text.as_bytes()).await.unwrap(), text.as_bytes());
    let lent = Arc::new(RustCounter::new(5, &Arc::new(AtomicU64::new(0))));
    assert_eq!(probe.sum(lent, 2).await.unwrap(), 11);
    assert_eq!(probe.new_counter(40).await.unwrap().next().await.unwrap(), 40);
    probe.print(text, "").await.unwrap();
    log::until(&case.name, &format!("stdout={text}")).await;
}

/// A server that stops waits for go-plugin's two streams, which the host has to let go.
async fn stop_idle(case: &mut Case) {
    let (plugin, probe) = case.launch(&[]).await;
    let mut events = plugin.events();
    signal(&plugin, STOP);
    let first = ended(&mut events).await;
    assert_eq!((first.why, first.exit.unwrap().status()), (Why::ShutDown, Some(0)), "{first}");
    assert_eq!(started(&mut events).await, 2);
    all_is_well(case, &probe, "in the next process").await;
    close(plugin).await;
}

/// Calls under way are answered, others wait for the next process. Nothing is lost.
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

/// The server closes the one socket: what is under way may have run.
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
    assert_eq!((first.why, first.exit.unwrap().status()), (Why::ShutDown, Some(0)), "{first}");
    let mut calls = vec![held.await.unwrap()];
    assert_eq!(started(&mut events).await, 2);
    calls.extend(load.stop().await);
    calls
}

/// The process ends by itself, idle: that is no failure, and it is there again without a call.
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
    assert!(first.why == Why::ShutDown && is(first.exit.unwrap()), "{first}");
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
    assert_eq!(first.why, Why::ShutDown, "{first}");
    let mut calls = vec![held.await.unwrap()];
    assert_eq!(started(&mut events).await, 2);
    calls.extend(load.stop().await);
    all_is_well(case, &probe, "in the next process").await;
    close(plugin).await;
    assert!(calls[0].may_have_run_and_is_lost(), "{:?}", calls[0]);
    lost(&calls, &case.notes()).is_at_most(CALLERS / 2 + 1);
}

/// A deploy: the program is away when the next process is to be started, and comes back.
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
            What::LaunchFailed { permanent, .. } => Some(permanent),
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
