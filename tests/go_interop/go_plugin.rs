//! A host in Rust runs the plugin in Go, `interop/plugin`.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use libtest_mimic::Trial;
use loop_runtime::host::{Ended, EventKind, LaunchError, RestartPolicy};
use loop_runtime::prelude::*;
use loop_runtime::testing::Faults as _;
use loop_runtime::{CallOptions, ErrorKind, with_timeout};

use crate::mode::Mode;
use crate::probe::{Counter, HANDSHAKE, Probe, RustCounter, TakeError};
use crate::{go, log, runtime, trial};

/// Longer than any case takes.
const LONG: Duration = Duration::from_secs(60);

pub(crate) fn trials(mode: Mode) -> Vec<Trial> {
    macro_rules! trials {
        ($($case:ident),* $(,)?) => {
            vec![$({
                let name = mode.trial("rust_host_go_plugin", stringify!($case));
                trial(&name.clone(), move || run($case(&Cell { mode, name })))
            }),*]
        };
    }
    trials![
        calls,
        big,
        errors,
        details,
        metadata,
        deadline,
        cancellation,
        lent,
        made,
        dials,
        stdio,
        logs,
        ping,
        crash,
        killed,
        versions,
        version_refused,
        cookie_missing,
    ]
}

/// One case in one mode.
struct Cell {
    mode: Mode,
    /// Also the plugin's, by which its log lines are found.
    name: String,
}

fn run(case: impl Future<Output = ()>) {
    runtime().block_on(async { tokio::time::timeout(LONG, case).await.expect("it hangs") });
}

fn host(cell: &Cell) -> Host {
    let policy = RestartPolicy::default().initial_backoff(Duration::ZERO).max_restarts(None);
    cell.mode.of(Host::new(HANDSHAKE.also_versions(&[1]))).name(&cell.name).restart_policy(policy)
}

async fn launch(cell: &Cell) -> (Supervisor, Arc<dyn Probe>) {
    let plugin = host(cell).launch(Command::new(go::program("plugin"))).await.unwrap();
    let probe = plugin.dispense().await.unwrap();
    (plugin, probe)
}

/// Closes the plugin, which must end by itself and leave no process.
async fn close(plugin: Supervisor) {
    let (mut events, pid) = (plugin.events(), plugin.pid().unwrap());
    plugin.close().await;
    assert_eq!(ended(&mut events).await.exit.unwrap().status(), Some(0), "it had to be killed");
    assert!(!Path::new(&format!("/proc/{pid}")).exists());
}

async fn ended(events: &mut loop_runtime::host::Events) -> Ended {
    loop {
        if let EventKind::Ended(ended) = events.next().await.unwrap().kind {
            return ended;
        }
    }
}

async fn calls(cell: &Cell) {
    let (plugin, probe) = launch(cell).await;
    for data in ["", "x", "a longer one"] {
        assert_eq!(probe.echo(data.as_bytes()).await.unwrap(), data.as_bytes());
    }
    close(plugin).await;
}

async fn big(cell: &Cell) {
    let (plugin, probe) = launch(cell).await;
    let data = b"0123456789abcdef".repeat(4 << 20);
    assert!(probe.echo(&data).await.unwrap() == data);
    close(plugin).await;
}

async fn errors(cell: &Cell) {
    let (plugin, probe) = launch(cell).await;
    for code in 1..=16 {
        let text = format!("refused: 100% ü\n{code}");
        let error = probe.fail(code, &text).await.unwrap_err();
        assert_eq!((error.code() as i32, error.message()), (code, text.as_str()));
        assert_eq!(error.kind(), &ErrorKind::Answer, "an answer is no loss, whatever its code");
    }
    close(plugin).await;
}

async fn details(cell: &Cell) {
    let (plugin, probe) = launch(cell).await;
    assert_eq!(probe.take(9).await.unwrap(), 9);
    assert!(matches!(probe.take(10).await, Err(TakeError::TooMany { asked: 10, limit: 9 })));
    assert!(matches!(probe.take(0).await, Err(TakeError::Closed)));
    let Err(TakeError::Boundary(plain)) = probe.take(99).await else { panic!("a plain error became a variant") };
    assert_eq!((plain.code(), plain.message()), (Code::Internal, "no detail"));
    // Code and text are Go's own.
    let error = Error::from(probe.take(11).await.unwrap_err());
    assert_eq!((error.code(), error.message()), (Code::OutOfRange, "11 are more than 9"));
    close(plugin).await;
}

async fn metadata(cell: &Cell) {
    let (plugin, probe) = launch(cell).await;
    let trace = "00-feed-beef-01";
    let options = CallOptions::new().metadata("traceparent", trace).unwrap();
    let seen = options.scope(probe.header("traceparent")).await.unwrap();
    assert_eq!(seen.as_deref(), Some(trace));
    assert_eq!(probe.header("traceparent").await.unwrap(), None);
    close(plugin).await;
}

async fn deadline(cell: &Cell) {
    let (plugin, probe) = launch(cell).await;
    assert_eq!(probe.time_left().await.unwrap(), None);
    let left = with_timeout(Duration::from_secs(3600), probe.time_left()).await.unwrap().unwrap();
    assert!((3_500_000..=3_600_000).contains(&left), "of an hour, {left} ms arrived");
    // Sometimes the deadline expires at Go first, which resets the call without a status.
    for _ in 0..50 {
        let error = with_timeout(Duration::from_millis(5), probe.wait()).await.unwrap_err();
        assert_eq!(error.code(), Code::DeadlineExceeded, "{error:?}");
    }
    probe.given_up().await.unwrap();
    close(plugin).await;
}

async fn cancellation(cell: &Cell) {
    let (plugin, probe) = launch(cell).await;
    let waiting = tokio::spawn({
        let probe = probe.clone();
        async move { probe.wait().await }
    });
    probe.begun().await.unwrap();
    waiting.abort();
    probe.given_up().await.unwrap();
    close(plugin).await;
}

async fn lent(cell: &Cell) {
    let (plugin, probe) = launch(cell).await;
    let open = Arc::new(AtomicU64::new(0));
    for start in 1..=3 {
        let sum = probe.sum(Arc::new(RustCounter::new(start, &open)), 3).await.unwrap();
        assert_eq!(sum, 3 * start + 3);
    }
    // Go clients disconnect when they are idle and redial, so what is lent to one is kept for as long as the callee.
    assert_eq!(open.load(Ordering::Relaxed), 3);
    close(plugin).await;
    assert_eq!(open.load(Ordering::Relaxed), 0);
}

async fn made(cell: &Cell) {
    let (plugin, probe) = launch(cell).await;
    let counter = probe.new_counter(40).await.unwrap();
    for number in 40..43 {
        assert_eq!(counter.next().await.unwrap(), number);
    }
    let another = probe.new_counter(7).await.unwrap();
    assert_eq!(another.next().await.unwrap(), 7);
    assert_eq!(probe.counters().await.unwrap(), 2);
    drop((counter, another));
    while probe.counters().await.unwrap() > 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    close(plugin).await;
}

/// 500 services that the plugin makes, and as many that the host lends: all at once, or one after another where they are
/// multiplexed.
async fn dials(cell: &Cell) {
    /// The last words of a Go plugin that a knock reaches between two lines of its `Accept`.
    const KNOWN_FAULT: &str = "that doesn't have a listener";
    let (plugin, probe) = launch(cell).await;
    let open = Arc::new(AtomicU64::new(0));
    let one = |n: u64| {
        let (probe, open) = (probe.clone(), open.clone());
        async move {
            let counter = probe.new_counter(n).await?;
            assert_eq!(counter.next().await?, n);
            drop(counter);
            assert_eq!(probe.sum(Arc::new(RustCounter::new(n, &open)), 2).await?, 2 * n + 1);
            Ok::<_, Error>(())
        }
    };
    if cell.mode.is_multiplexed() {
        let mut lost = 0;
        for n in 0..500 {
            if let Err(why) = one(n).await {
                assert!(why.loss().is_some(), "{n}: {why}");
                log::until(&cell.name, KNOWN_FAULT).await;
                lost += 1;
            }
        }
        assert_eq!(log::lines(&cell.name, KNOWN_FAULT).len(), lost);
        println!("{}: {lost} of 500 were lost to a fault of go-plugin's", cell.name);
    } else {
        let mut all = tokio::task::JoinSet::new();
        for n in 0..500 {
            all.spawn(one(n));
        }
        for each in all.join_all().await {
            each.unwrap();
        }
    }
    close(plugin).await;
}

async fn stdio(cell: &Cell) {
    let (plugin, probe) = launch(cell).await;
    probe.print("to stdout", "to stderr").await.unwrap();
    log::until(&cell.name, &format!("INFO to stdout {}::stdout", target(cell))).await;
    log::until(&cell.name, &format!("INFO to stderr {}::stderr", target(cell))).await;
    close(plugin).await;
}

/// Under which the plugin's records come.
fn target(cell: &Cell) -> String {
    format!("plugin::{}", cell.name.replace(|c: char| !c.is_ascii_alphanumeric() && !"-_".contains(c), "_"))
}

async fn logs(cell: &Cell) {
    let (plugin, probe) = launch(cell).await;
    probe.log("look here").await.unwrap();
    log::until(&cell.name, "ERROR look here").await;
    let lines = log::lines(&cell.name, "look here");
    let levels: Vec<_> = lines.iter().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(levels, ["TRACE", "DEBUG", "INFO", "WARN", "ERROR"]);
    for line in lines {
        assert!(line.ends_with(" answer=42") && line.contains(&format!(" {}::go-probe ", target(cell))), "{line}");
    }
    close(plugin).await;
}

async fn ping(cell: &Cell) {
    let (plugin, _) = launch(cell).await;
    plugin.ping().await.unwrap();
    plugin.ping().await.unwrap();
    plugin.close().await;
    plugin.ping().await.unwrap_err();
}

/// The process ends in the middle of a call: that call fails, every handle lives on.
async fn crash(cell: &Cell) {
    let (plugin, probe) = launch(cell).await;
    let counter = probe.new_counter(40).await.unwrap();
    counter.next().await.unwrap();
    let (before, mut events) = (plugin.pid(), plugin.events());

    let error = probe.crash().await.unwrap_err();
    assert!(error.loss().is_some_and(|loss| loss.may_have_run), "{error:?}");
    assert_eq!(ended(&mut events).await.exit.unwrap().status(), Some(7));
    assert_eq!(probe.echo(b"again").await.unwrap(), b"again");
    assert_eq!(counter.next().await.unwrap(), 40, "it was made again, in a process that knows nothing of the first");
    assert_ne!(plugin.pid(), before);
    close(plugin).await;
}

/// The process is killed while no call is in flight; an idempotent call does not notice.
async fn killed(cell: &Cell) {
    let (plugin, probe) = launch(cell).await;
    let before = plugin.pid();
    plugin.kill().unwrap();
    assert_eq!(probe.echo(b"again").await.unwrap(), b"again");
    assert_ne!(plugin.pid(), before);
    close(plugin).await;
}

async fn versions(cell: &Cell) {
    for (offers, chosen) in [(&["1", "2"][..], 2), (&["1"], 1), (&["2", "3"], 2)] {
        let plugin = host(cell).launch(Command::new(go::program("plugin")).args(offers)).await.unwrap();
        assert_eq!(plugin.version(), Some(chosen), "of {offers:?}");
        close(plugin).await;
    }
}

async fn version_refused(cell: &Cell) {
    let refused = host(cell).launch(Command::new(go::program("plugin")).args(["4", "3"])).await.unwrap_err();
    let LaunchError::ApplicationVersion { plugin, host, .. } = &refused else { panic!("{refused}") };
    assert_eq!((*plugin, host.as_slice()), (3, &[2, 1][..]));
}

async fn cookie_missing(cell: &Cell) {
    let other = cell.mode.of(Host::new(Handshake::new("ANOTHER_COOKIE", "biscuit").version(2))).name(&cell.name);
    let refused = other.launch(Command::new(go::program("plugin"))).await.unwrap_err();
    let LaunchError::Exited { exit, .. } = &refused else { panic!("{refused}") };
    assert_eq!(exit.status(), Some(1));
    assert!(refused.to_string().contains("This binary is a plugin"), "{refused}");
}
