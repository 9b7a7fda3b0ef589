//! The errors of lost objects and of unreadable replies, and from where callers may call.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use loop_runtime::host::{Command, Host, State};
use loop_runtime::{Code, ErrorKind, LoopMessage, Result, loop_service, times_made, with_timeout};
use rustix::process::Signal;

use crate::HANDSHAKE;
use crate::cases::{Lines, MULTIPLEXED, cases, is_there, launch, policy, signal, workshop};
use crate::services::{Bench, Part, Workshop};

cases![
    an_object_that_is_made_again_is_counted,
    what_is_made_once_is_lost_with_its_object,
    a_reply_that_cannot_be_read_is_the_fault_of_the_other_side,
    a_reply_that_is_passed_on_has_a_limit_too,
    handles_work_from_any_thread_and_any_runtime,
    whoever_waits_for_a_handle_hears_that_it_is_closed,
    a_runtime_that_ends_takes_its_plugins_along,
];

/// Holders of a handle elsewhere get an error at once.
async fn a_runtime_that_ends_takes_its_plugins_along() {
    let multiplexed = MULTIPLEXED.get();
    let (plugin, shop, pid) = tokio::task::spawn_blocking(move || {
        let runtime = crate::runtime();
        let launched = MULTIPLEXED.scope(multiplexed, async {
            let plugin = launch(policy()).await;
            let shop = workshop(&plugin).await;
            let pid = shop.pid().await.expect("a process");
            (plugin, shop, pid)
        });
        runtime.block_on(launched)
    })
    .await
    .expect("a plugin");
    let error = shop.pid().await.unwrap_err();
    assert!(!error.may_have_run(), "{error:?}");
    plugin.close().await;
    while is_there(pid) {
        tokio::task::yield_now().await;
    }
}

async fn an_object_that_is_made_again_is_counted() {
    let plugin = launch(policy()).await;
    let shop = workshop(&plugin).await;
    let bench = shop.new_bench("oak", Lines::new().journal()).await.expect("a bench");
    let part = bench.new_part("leg").await.expect("a part");
    assert_eq!((times_made(&shop), times_made(&bench), times_made(&part)), (None, Some(1), Some(1)));
    for n in 2..4 {
        signal(plugin.pid().expect("running"), Signal::KILL);
        part.describe().await.expect("made again");
        assert_eq!((times_made(&bench), times_made(&part)), (Some(n), Some(n)));
    }
    plugin.close().await;
}

async fn what_is_made_once_is_lost_with_its_object() {
    let plugin = launch(policy()).await;
    let shop = workshop(&plugin).await;
    let counter = shop.new_counter().await.expect("a counter");
    let part = counter.new_part("leg").await.expect("a part of it");
    assert_eq!(counter.work().await.expect("work").1, 1);
    signal(plugin.pid().expect("running"), Signal::KILL);
    shop.pid().await.expect("the next process");
    for _ in 0..2 {
        let error =
            with_timeout(Duration::from_secs(20), counter.work()).await.expect_err("it would count from one again");
        assert!(error.loss().is_some_and(|loss| !loss.may_have_run), "{error:?}");
        assert!(error.message().contains("not made again"), "{error}");
        let error = with_timeout(Duration::from_secs(20), part.describe()).await.expect_err("it went with its parent");
        assert!(error.message().contains("Bench") && error.message().contains("not made again"), "{error}");
        plugin.reset();
    }
    assert_eq!(times_made(&counter), Some(1));
    let counter = shop.new_counter().await.expect("the caller makes another");
    assert_eq!(counter.work().await.expect("work").1, 1);
    plugin.close().await;
}

/// The same service as the plugin was built with, except for the reply of `Pid`.
#[loop_service(package = "test.recovery.v1", name = "Workshop")]
trait OlderWorkshop {
    #[rpc(idempotent)]
    async fn pid(&self) -> Result<Kind>;
}

#[derive(Clone, Copy, Debug, LoopMessage)]
#[message(package = "test.recovery.v1")]
enum Kind {
    #[wire(0)]
    Unspecified,
}

async fn a_reply_that_cannot_be_read_is_the_fault_of_the_other_side() {
    let plugin = launch(policy()).await;
    let older = plugin.dispense::<dyn OlderWorkshop>().await.expect("a running plugin");
    let error = older.pid().await.expect_err("a number that is no kind");
    assert_eq!(error.code(), Code::Internal, "{error:?}");
    let text = error.message();
    assert!(text.starts_with("unreadable reply: workshop: /test.recovery.v1.Workshop/Pid: "), "{text}");
    assert!(text.contains("versions") && error.loss().is_none(), "{text}");
    plugin.close().await;
}

async fn a_reply_that_is_passed_on_has_a_limit_too() {
    let program = std::env::current_exe().expect("this test");
    let host = Host::new(HANDSHAKE).name("lender").restart_policy(policy()).max_reply(64 << 10);
    let host = if MULTIPLEXED.get() { host.multiplexed() } else { host };
    let maker = host.launch(Command::new(program)).await.expect("a plugin");
    let user = launch(policy()).await;
    let (lender, borrower) = (workshop(&maker).await, workshop(&user).await);
    let bench = borrower.new_borrower(lender.tool()).await.expect("a bench");
    let before = (maker.pid(), user.pid());
    assert_eq!(bench.fetch(60 << 10).await.expect("short enough"), 60 << 10);
    let error = bench.fetch(1 << 20).await.expect_err("too long for the host");
    assert_eq!(error.code(), Code::ResourceExhausted, "{error:?}");
    assert!(error.message().contains("test.recovery.v1.Tool/Fill"), "{error}");
    assert_eq!(bench.work().await.expect("all else goes on").1, 42);
    assert_eq!((maker.pid(), user.pid()), before);
    user.close().await;
    maker.close().await;
}

async fn whoever_waits_for_a_handle_hears_that_it_is_closed() {
    let policy = policy().initial_backoff(Duration::from_secs(20)).jitter(0.0);
    let plugin = launch(policy).await;
    let shop = workshop(&plugin).await;
    let bench = shop.new_bench("oak", Lines::new().journal()).await.expect("a bench");
    let mut states = plugin.states();
    shop.abort().await.expect_err("it ends");
    shop.abort().await.expect_err("it ends again");
    states.until(|state| matches!(state, State::Backoff { .. })).await.expect("a wait of 20 s");
    let waiting = {
        let bench = bench.clone();
        tokio::spawn(async move { bench.work().await })
    };
    // It waits for the plugin, now or in a moment.
    tokio::task::yield_now().await;
    let _ = with_timeout(Duration::from_millis(100), bench.close()).await;
    let error = tokio::time::timeout(Duration::from_secs(10), waiting).await.expect("at once").expect("no panic");
    assert_eq!(error.expect_err("closed").kind(), &ErrorKind::Closed);
    plugin.close().await;
}

/// Runs `future` on this thread, without a runtime.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(std::thread::Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}

fn other_runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

async fn handles_work_from_any_thread_and_any_runtime() {
    let plugin = launch(policy()).await;
    let shop = workshop(&plugin).await;
    let lines = Lines::new();
    let calls = |shop: Arc<dyn Workshop>, pid: u32| {
        let lines = lines.clone();
        async move {
            let bench = shop.new_bench("oak", lines.journal()).await?;
            bench.work().await?;
            signal(pid, Signal::KILL);
            assert_ne!(shop.pid().await?, pid);
            assert_ne!(bench.work().await?.0, pid);
            shop.pid().await
        }
    };
    let mut pid = plugin.pid().expect("running");
    for nowhere in [true, false] {
        let calls = calls(shop.clone(), pid);
        let run = move || if nowhere { block_on(calls) } else { other_runtime().block_on(calls) };
        pid = tokio::task::spawn_blocking(run).await.expect("no panic").expect("all calls are answered");
    }
    // A handle made in another runtime outlives that.
    let bench = {
        let (shop, lines) = (shop.clone(), lines.clone());
        let make = move || other_runtime().block_on(async move { shop.new_bench("elm", lines.journal()).await });
        tokio::task::spawn_blocking(make).await.expect("no panic").expect("a bench")
    };
    signal(plugin.pid().expect("running"), Signal::KILL);
    bench.work().await.expect("made again");
    plugin.close().await;

    // And a runtime that has ended is reported as such, at once.
    let multiplexed = MULTIPLEXED.get();
    let orphan = std::thread::spawn(move || {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let launched = MULTIPLEXED.scope(multiplexed, async {
            let plugin = launch(policy()).await;
            workshop(&plugin).await
        });
        runtime.block_on(launched)
    });
    let orphan = tokio::task::spawn_blocking(|| orphan.join()).await.expect("no panic").expect("no panic");
    let error = orphan.pid().await.expect_err("its connections went with their runtime");
    assert!(error.message().contains("runtime") && error.loss().is_some(), "{error:?}");
}
