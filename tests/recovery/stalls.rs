//! A machine that stalls for a while, on either side, in the middle of large messages: nothing is lost.

use std::time::Duration;

use loop_runtime::host::{RestartPolicy, Supervisor};
use rustix::process::Signal;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::cases::{cases, is_stopped, launch, signal, workshop};
use crate::services::Workshop;

cases![a_plugin_that_stands_still_loses_no_large_message, a_host_that_stands_still_loses_no_large_message,];

/// Shorter than a healthy plugin may be silent, and longer than any frame takes on a machine that runs.
const STALL: Duration = Duration::from_secs(6);

/// The size of a message: 512 frames each way.
const LARGE: usize = 8 << 20;

async fn a_plugin_that_stands_still_loses_no_large_message() {
    let plugin = launch(RestartPolicy::default()).await;
    let pid = plugin.pid().expect("running");
    through(&plugin, async {
        signal(pid, Signal::STOP);
        is_stopped(pid).await;
        tokio::time::sleep(STALL).await;
        signal(pid, Signal::CONT);
    })
    .await;
}

async fn a_host_that_stands_still_loses_no_large_message() {
    let plugin = launch(RestartPolicy::default()).await;
    through(&plugin, async {
        let threads = tokio::runtime::Handle::current().metrics().num_workers();
        let stalled = (0..threads).map(|_| tokio::spawn(async { std::thread::sleep(STALL) })).collect::<Vec<_>>();
        for thread in stalled {
            thread.await.expect("no panic");
        }
    })
    .await;
}

/// Has large messages in flight during `stall`: all are answered, by the same process.
async fn through(plugin: &Supervisor, stall: impl Future<Output = ()>) {
    let before = plugin.pid();
    let shop = workshop(plugin).await;
    let (answered, mut answers) = watch::channel(0);
    let (stop, stopped) = watch::channel(false);
    let mut callers = JoinSet::new();
    for _ in 0..6 {
        let (shop, answered, stopped) = (shop.clone(), answered.clone(), stopped.clone());
        callers.spawn(async move {
            let data = vec![7; LARGE];
            loop {
                assert_eq!(shop.echo(&data).await.expect("an echo").len(), LARGE);
                answered.send_modify(|answers| *answers += 1);
                if *stopped.borrow() {
                    return;
                }
            }
        });
    }
    answers.wait_for(|answers| *answers >= 6).await.expect("callers");
    stall.await;
    stop.send_replace(true);
    while let Some(caller) = callers.join_next().await {
        caller.expect("no call is lost");
    }
    assert_eq!(plugin.pid(), before, "nobody died of it");
    plugin.close().await;
}
