//! The cases. Each makes its own plugins, so that they run in parallel.

use std::future::Future;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use loop_runtime::host::{Command, EndCause, EventKind, Events, Host, RestartPolicy, State, Supervisor};
use loop_runtime::{Code, Result, with_timeout};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use tokio::sync::watch;

use crate::HANDSHAKE;
use crate::services::{Bench, Journal, Part, Workshop};

pub(crate) type Case = fn() -> Pin<Box<dyn Future<Output = ()> + Send>>;

macro_rules! cases {
    ($($name:ident),* $(,)?) => {
        pub(crate) fn all() -> Vec<(&'static str, $crate::cases::Case)> {
            vec![$((stringify!($name), || Box::pin($name()))),*]
        }
    };
}

pub(crate) use cases;

cases![
    a_killed_process_comes_back_behind_the_same_handles,
    a_lost_call_says_that_it_may_have_run_and_how_the_process_ended,
    a_poisonous_idempotent_call_runs_three_times_at_most,
    a_frozen_process_is_hung_then_replaced,
    a_refused_constructor_is_told_at_once,
    a_constructor_that_kills_is_given_up,
    set_up_calls_are_repeated,
    a_forward_survives_the_death_of_either_side,
    a_loss_one_hop_on_is_told_as_such,
    closing_tells_children_first_and_ends_the_process,
    the_last_drop_ends_the_process,
    a_crash_loop_opens_the_breaker_and_a_reset_closes_it,
    a_restart_by_hand_keeps_handles,
    plugins_end_with_a_killed_host,
    callers_have_their_own_deadlines,
    a_set_up_that_fails_is_a_launch_that_fails,
    a_reset_says_nothing_about_later_failures,
    lazy_handles_come_back_when_somebody_calls,
];

tokio::task_local! {
    /// Whether the connections of this case's plugins are streams over one socket.
    pub(crate) static MULTIPLEXED: bool;
}

/// No budget, no backoff: these tests kill often.
pub(crate) fn policy() -> RestartPolicy {
    RestartPolicy::default().max_restarts(None).initial_backoff(Duration::ZERO)
}

pub(crate) async fn launch(policy: RestartPolicy) -> Supervisor {
    launch_command(policy, Command::new(std::env::current_exe().expect("this test"))).await
}

pub(crate) async fn launch_command(policy: RestartPolicy, command: Command) -> Supervisor {
    let host = Host::new(HANDSHAKE).name("workshop").restart_policy(policy);
    let host = if MULTIPLEXED.get() { host.multiplexed() } else { host };
    host.launch(command).await.expect("a plugin")
}

pub(crate) async fn workshop(plugin: &Supervisor) -> Arc<dyn Workshop> {
    plugin.dispense().await.expect("a running plugin")
}

pub(crate) fn signal(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(pid.try_into().expect("a process id")).expect("a process id");
    kill_process(pid, signal).expect("a signal sent");
}

pub(crate) fn is_there(pid: u32) -> bool {
    let pid = Pid::from_raw(pid.try_into().expect("a process id")).expect("a process id");
    test_kill_process(pid).is_ok()
}

/// Waits until the signal has stopped every thread: a reply may still be sent before that.
pub(crate) async fn is_stopped(pid: u32) {
    let threads = format!("/proc/{pid}/task");
    let is_stopped = |thread: std::fs::DirEntry| {
        std::fs::read_to_string(thread.path().join("stat")).is_ok_and(|stat| stat.contains(") T "))
    };
    while !std::fs::read_dir(&threads).expect("Linux").flatten().all(is_stopped) {
        tokio::task::yield_now().await;
    }
}

pub(crate) async fn until<T>(events: &mut Events, mut wanted: impl FnMut(EventKind) -> Option<T>) -> T {
    loop {
        let event = events.next().await.expect("an event before the end");
        if let Some(found) = wanted(event.kind) {
            return found;
        }
    }
}

/// The host's side of a journal.
#[derive(Clone)]
pub(crate) struct Lines(Arc<watch::Sender<Vec<String>>>);

impl Lines {
    pub(crate) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(Vec::new())))
    }

    pub(crate) fn journal(&self) -> Arc<dyn Journal> {
        Arc::new(self.clone())
    }

    pub(crate) fn all(&self) -> Vec<String> {
        self.0.borrow().clone()
    }

    pub(crate) async fn until(&self, line: &str) {
        let mut lines = self.0.subscribe();
        lines.wait_for(|lines| lines.iter().any(|known| known == line)).await.expect("a line");
    }
}

impl Journal for Lines {
    async fn note(&self, line: &str) -> Result<()> {
        self.0.send_modify(|lines| lines.push(line.to_owned()));
        Ok(())
    }
}

async fn a_killed_process_comes_back_behind_the_same_handles() {
    let plugin = launch(policy()).await;
    let shop = workshop(&plugin).await;
    let lines = Lines::new();
    let bench = shop.new_bench("oak", lines.journal()).await.expect("a bench");
    let part = bench.new_part("leg").await.expect("a part");
    let mut last = shop.pid().await.expect("a pid");
    assert_eq!(bench.work().await.expect("work"), (last, 1));
    for _ in 0..5 {
        signal(last, Signal::KILL);
        let now = shop.pid().await.expect("the next process");
        assert_ne!(now, last);
        assert_eq!(bench.work().await.expect("the bench is made again").0, now);
        assert_eq!(part.describe().await.expect("the part too"), ("leg of oak".to_owned(), now));
        last = now;
    }
    assert_eq!(lines.all().iter().filter(|line| *line == "made oak").count(), 6, "once per process");
    plugin.close().await;
    assert!(!is_there(last));
}

async fn a_lost_call_says_that_it_may_have_run_and_how_the_process_ended() {
    let plugin = launch(policy()).await;
    let shop = workshop(&plugin).await;
    let lines = Lines::new();
    let call = {
        let (shop, lines) = (shop.clone(), lines.clone());
        tokio::spawn(async move { shop.note_and_hang("here", lines.journal()).await })
    };
    lines.until("here").await;
    signal(plugin.pid().expect("running"), Signal::KILL);
    let error = call.await.expect("no panic").expect_err("the call is lost");
    assert!(error.may_have_run() && error.loss().is_some(), "{error:?}");
    assert!(error.message().contains("workshop") && error.message().contains("SIGKILL"), "{error}");
    shop.pid().await.expect("the next process");
    plugin.close().await;
}

async fn a_poisonous_idempotent_call_runs_three_times_at_most() {
    let plugin = launch(policy()).await;
    let shop = workshop(&plugin).await;
    let mut events = plugin.events();
    let error = shop.abort_always().await.expect_err("it never answers");
    assert!(error.may_have_run(), "{error:?}");
    shop.pid().await.expect("a process that lives");
    let mut started = 0;
    plugin.close().await;
    while let Some(event) = events.next().await {
        started += usize::from(matches!(event.kind, EventKind::Started { .. }));
    }
    assert_eq!(started, 3, "one restart for each execution");
}

async fn a_frozen_process_is_hung_then_replaced() {
    let policy = policy().health_check_interval(Some(Duration::from_millis(200)));
    let plugin = launch(policy).await;
    let shop = workshop(&plugin).await;
    let frozen = shop.pid().await.expect("a pid");
    let mut events = plugin.events();
    signal(frozen, Signal::STOP);
    is_stopped(frozen).await;
    let call = tokio::spawn({
        let shop = shop.clone();
        async move { shop.pid().await }
    });
    until(&mut events, |what| matches!(what, EventKind::Suspect { .. }).then_some(())).await;
    let why = until(&mut events, |what| match what {
        EventKind::Ended(ended) => Some(ended.cause),
        _ => None,
    });
    assert_eq!(why.await, EndCause::Hung);
    assert_ne!(call.await.expect("no panic").expect("repeated on the next process"), frozen);
    assert!(!is_there(frozen));
    plugin.close().await;
}

async fn a_refused_constructor_is_told_at_once() {
    let plugin = launch(policy()).await;
    let shop = workshop(&plugin).await;
    let error = shop.new_bench("refused", Lines::new().journal()).await.err().expect("a refusal");
    assert_eq!((error.code(), error.message()), (Code::InvalidArgument, "no such bench"));
    plugin.close().await;
}

async fn a_constructor_that_kills_is_given_up() {
    let plugin = launch(policy()).await;
    let shop = workshop(&plugin).await;
    let error = shop.new_bench("abort", Lines::new().journal()).await.err().expect("a loss");
    assert!(error.loss().is_some(), "{error:?}");
    shop.pid().await.expect("a process that lives");
    plugin.close().await;
}

async fn set_up_calls_are_repeated() {
    let plugin = launch(policy()).await;
    let shop = workshop(&plugin).await;
    let lines = Lines::new();
    shop.open(lines.journal()).await.expect("opened");
    shop.write("before").await.expect("written");
    signal(plugin.pid().expect("running"), Signal::KILL);
    shop.write("after").await.expect("written by the next process, without another open");
    assert_eq!(lines.all(), ["before", "after"]);
    plugin.close().await;
}

async fn a_forward_survives_the_death_of_either_side() {
    let (maker, user) = (launch(policy()).await, launch(policy()).await);
    let (lender, borrower) = (workshop(&maker).await, workshop(&user).await);
    let bench = borrower.new_borrower(lender.tool()).await.expect("a bench with a tool of the other plugin");
    assert_eq!(bench.work().await.expect("work").1, 42);
    for _ in 0..3 {
        signal(maker.pid().expect("running"), Signal::KILL);
        assert_eq!(bench.work().await.expect("the lender came back").1, 42);
        signal(user.pid().expect("running"), Signal::KILL);
        assert_eq!(bench.work().await.expect("the borrower came back").1, 42);
        let (a, b) = (maker.pid().expect("running"), user.pid().expect("running"));
        signal(a, Signal::KILL);
        signal(b, Signal::KILL);
        assert_eq!(bench.work().await.expect("both came back").1, 42);
        lender.pid().await.expect("the lender is back");
    }
    user.close().await;
    maker.close().await;
}

async fn a_loss_one_hop_on_is_told_as_such() {
    let (maker, user) = (launch(policy()).await, launch(policy()).await);
    let (lender, borrower) = (workshop(&maker).await, workshop(&user).await);
    let bench = borrower.new_borrower(lender.tool()).await.expect("a bench");
    let before = user.pid();
    let error = bench.new_part("explode").await.err().expect("the tool's process ended");
    assert_eq!(error.code(), Code::Aborted, "{error:?}");
    assert!(error.loss().is_some_and(|loss| loss.downstream && loss.may_have_run), "{error:?}");
    assert_eq!(user.pid(), before, "the plugin that answered is not taken for dead");
    user.close().await;
    maker.close().await;
}

async fn closing_tells_children_first_and_ends_the_process() {
    let plugin = launch(policy()).await;
    let shop = workshop(&plugin).await;
    let lines = Lines::new();
    let bench = shop.new_bench("oak", lines.journal()).await.expect("a bench");
    let kept = shop.new_bench("elm", lines.journal()).await.expect("another");
    let pid = plugin.pid().expect("running");
    bench.close().await.expect("closed by hand");
    assert_eq!(lines.all(), ["made oak", "made elm", "closed oak"]);
    let again = bench.work().await.expect_err("closed");
    assert_eq!(again.kind(), &loop_runtime::ErrorKind::Closed);
    bench.close().await.expect_err("closed once only");
    plugin.close().await;
    assert_eq!(lines.all().last().map(String::as_str), Some("closed elm"), "told while the process still lived");
    assert!(!is_there(pid));
    kept.work().await.expect_err("closed with its plugin");
    shop.pid().await.expect_err("closed with its plugin");
}

async fn the_last_drop_ends_the_process() {
    let plugin = launch(policy()).await;
    let mut states = plugin.states();
    let shop = workshop(&plugin).await;
    let lines = Lines::new();
    let bench = shop.new_bench("oak", lines.journal()).await.expect("a bench");
    let pid = plugin.pid().expect("running");
    drop(plugin);
    drop(shop);
    assert_eq!(bench.work().await.expect("held by the bench").0, pid);
    drop(bench);
    states.until(|state| matches!(state, State::Closed)).await;
    assert!(!is_there(pid));
    assert_eq!(lines.all().last().map(String::as_str), Some("closed oak"));
}

async fn a_crash_loop_opens_the_breaker_and_a_reset_closes_it() {
    let policy = RestartPolicy::default().initial_backoff(Duration::ZERO).max_restarts(Some(2));
    let plugin = launch(policy).await;
    let shop = workshop(&plugin).await;
    let mut events = plugin.events();
    for _ in 0..3 {
        shop.abort().await.expect_err("it ends");
        shop.pid().await.ok();
    }
    until(&mut events, |what| matches!(what, EventKind::BreakerOpened { .. }).then_some(())).await;
    let error = shop.pid().await.expect_err("told at once");
    assert!(!error.may_have_run(), "{error:?}");
    assert!(error.loss().is_some_and(|loss| loss.retry_at.is_some()), "{error:?}");
    assert!(error.message().contains("SIGABRT"), "{error}");
    plugin.reset();
    shop.pid().await.expect("started again");
    plugin.close().await;
}

async fn a_restart_by_hand_keeps_handles() {
    let plugin = launch(policy()).await;
    let shop = workshop(&plugin).await;
    let bench = shop.new_bench("oak", Lines::new().journal()).await.expect("a bench");
    let before = shop.pid().await.expect("a pid");
    let mut events = plugin.events();
    plugin.restart();
    until(&mut events, |what| matches!(what, EventKind::Started { .. }).then_some(())).await;
    let after = bench.work().await.expect("made again").0;
    assert_ne!(before, after);
    plugin.close().await;
}

async fn plugins_end_with_a_killed_host() {
    let program = std::env::current_exe().expect("this test");
    let mut host = tokio::process::Command::new(program)
        .env("RECOVERY_HOST", if MULTIPLEXED.get() { "multiplexed" } else { "plain" })
        .stdout(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("a host");
    let mut out = tokio::io::BufReader::new(host.stdout.take().expect("piped"));
    let mut line = String::new();
    tokio::io::AsyncBufReadExt::read_line(&mut out, &mut line).await.expect("a line");
    let plugin: u32 = line.trim().parse().expect("the pid of its plugin");
    assert!(is_there(plugin));
    host.start_kill().expect("killed");
    host.wait().await.expect("reaped");
    // The plugin holds the other end of the host's stdout: its end is the end of the stream.
    let mut rest = String::new();
    tokio::io::AsyncReadExt::read_to_string(&mut out, &mut rest).await.expect("read to the end");
    while is_there(plugin) {
        tokio::task::yield_now().await;
    }
}

/// Launches a plugin, prints its pid, and waits to be killed.
pub(crate) async fn a_host_of_its_own() -> ExitCode {
    let plugin = launch(policy()).await;
    println!("{}", plugin.pid().expect("running"));
    std::future::pending().await
}

async fn callers_have_their_own_deadlines() {
    let policy = policy().initial_backoff(Duration::from_secs(3600)).max_backoff(Duration::from_secs(3600)).jitter(0.0);
    let plugin = launch(policy).await;
    let shop = workshop(&plugin).await;
    let mut states = plugin.states();
    shop.abort().await.expect_err("it ends");
    shop.abort().await.expect_err("it ends again");
    states.until(|state| matches!(state, State::Backoff { .. })).await;
    // The wait is an hour, known in advance: the caller need not wait for it.
    let error = with_timeout(Duration::from_secs(30), shop.pid()).await.expect_err("not back in time");
    assert!(!error.may_have_run() && error.loss().is_some(), "{error:?}");
    plugin.reset();
    shop.pid().await.expect("started again");
    plugin.close().await;
}

async fn a_set_up_that_fails_is_a_launch_that_fails() {
    let plugin = launch(policy()).await;
    let shop = workshop(&plugin).await;
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("closed");
    shop.prepare(file.to_str().expect("a name")).await.expect("prepared");
    std::fs::write(&file, "").expect("a file");
    let mut events = plugin.events();
    signal(plugin.pid().expect("running"), Signal::KILL);
    until(&mut events, |what| matches!(what, EventKind::Ended(_)).then_some(())).await;
    // From here on: what fails was never started, so that nothing ends.
    let failed = until(&mut events, |what| match what {
        EventKind::LaunchFailed { error, permanent, .. } => Some((error.to_string(), permanent)),
        EventKind::Started { .. } | EventKind::Ended(_) => panic!("not set up: {what:?}"),
        _ => None,
    });
    let (text, permanent) = failed.await;
    assert!(text.contains("not now") && !permanent, "{text}");
    std::fs::remove_file(&file).expect("removed");
    shop.pid().await.expect("set up and started");
    plugin.close().await;
}

async fn a_reset_says_nothing_about_later_failures() {
    let policy = RestartPolicy::default()
        .max_restarts(Some(0))
        .breaker_open(Duration::from_secs(3600))
        .max_breaker_open(Duration::from_secs(3600));
    let plugin = launch(policy).await;
    let shop = workshop(&plugin).await;
    plugin.reset();
    shop.pid().await.expect("it runs");
    let mut events = plugin.events();
    shop.abort().await.expect_err("it ends");
    until(&mut events, |what| matches!(what, EventKind::BreakerOpened { .. }).then_some(())).await;
    let error = shop.pid().await.expect_err("open for an hour");
    assert!(error.loss().is_some_and(|loss| loss.retry_at.is_some()), "{error:?}");
    plugin.close().await;
}

async fn lazy_handles_come_back_when_somebody_calls() {
    let policy = policy().lazy_recovery(true);
    let plugin = launch(policy).await;
    let shop = workshop(&plugin).await;
    let bench = shop.new_bench("oak", Lines::new().journal()).await.expect("a bench");
    let part = bench.new_part("leg").await.expect("a part");
    for _ in 0..5 {
        let last = plugin.pid().expect("running");
        signal(last, Signal::KILL);
        let described = with_timeout(Duration::from_secs(10), part.describe()).await;
        assert_ne!(described.expect("made again, with the bench, for this call").1, last);
    }
    plugin.close().await;
}
