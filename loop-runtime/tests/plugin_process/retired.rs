//! A plugin retires its main connection and lives on; or its main connection is full. Neither is a crash.

use std::sync::Arc;
use std::time::Duration;

use loop_runtime::host::{EndCause, EventKind, Events, Host, RestartPolicy, State, Supervisor};
use loop_runtime::{Result, loop_service};

use crate::process::soon;
use crate::role::{HANDSHAKE, Thing};
use crate::stranger::Stranger;

/// Returns the connection over which it was called.
#[loop_service(package = "stranger")]
pub trait Plain {
    /// At once.
    async fn number(&self) -> Result<u64>;
    /// When the test says so.
    async fn wait(&self) -> Result<u64>;
    /// The same, without reading its argument.
    async fn swallow(&self, data: &[u8]) -> Result<u64>;
}

/// One to which things can be lent.
#[loop_service(package = "stranger")]
pub trait Borrower {
    /// Takes a thing.
    async fn take(&self, thing: Arc<dyn Thing>) -> Result<u64>;
}

/// The limit of a server in Go.
const MANY: u32 = 100;

async fn launch(stranger: &Stranger, tick: Duration) -> (Supervisor, Arc<dyn Plain>) {
    let policy = RestartPolicy::default()
        .initial_backoff(Duration::ZERO)
        .max_restarts(None)
        .shutdown_timeout(Duration::from_millis(100))
        .health_check_interval(Some(tick));
    let plugin = Host::new(HANDSHAKE).name("stranger").restart_policy(policy).launch(stranger.command()).await.unwrap();
    let plain = plugin.dispense().await.unwrap();
    (plugin, plain)
}

const SECOND: Duration = Duration::from_secs(1);

async fn until<T>(events: &mut Events, mut wanted: impl FnMut(EventKind) -> Option<T>) -> T {
    let found = async {
        loop {
            if let Some(found) = wanted(events.next().await.expect("an event before the end").kind) {
                return found;
            }
        }
    };
    soon("the event", found).await
}

/// Waits until calls go over another connection than `last`.
async fn moved(plain: &Arc<dyn Plain>, last: u64) -> u64 {
    soon("another connection", async {
        loop {
            let number = plain.number().await.unwrap();
            if number != last {
                return number;
            }
            tokio::task::yield_now().await;
        }
    })
    .await
}

#[tokio::test]
async fn calls_go_on_over_another_connection() {
    let stranger = Stranger::new(MANY);
    let (plugin, plain) = launch(&stranger, SECOND).await;
    soon("the streams of the host", stranger.streams(2)).await;
    let pid = plugin.pid();
    assert_eq!(plain.number().await.unwrap(), 1);
    let under_way = tokio::spawn({
        let plain = plain.clone();
        async move { plain.wait().await }
    });
    stranger.saw("Wait").await;
    stranger.retire(1);
    assert_eq!(moved(&plain, 1).await, 2);
    plugin.ping().await.unwrap();
    assert_eq!(stranger.saw("Check").await, 2);
    stranger.answer();
    assert_eq!(soon("the answer", under_way).await.unwrap().unwrap(), 1, "over the connection that was retired");

    // The first connection is kept, with the host's streams on it; each was opened once.
    stranger.streams(2).await;
    stranger.retire(2);
    assert_eq!(moved(&plain, 2).await, 3);
    assert_eq!((stranger.all("StartStream"), stranger.all("StreamStdio")), (vec![1], vec![1]));
    assert_eq!(plugin.pid(), pid);
    plugin.close().await;
    assert_eq!(stranger.all("Shutdown"), [3]);
}

/// Also while the first connection takes no new calls, and the second does not exist yet.
#[tokio::test]
async fn a_ping_is_answered_over_whichever_connection() {
    let stranger = Stranger::new(MANY);
    let (plugin, _plain) = launch(&stranger, SECOND).await;
    soon("the streams of the host", stranger.streams(2)).await;
    let pid = plugin.pid();
    stranger.retire(1);
    for n in 0..50 {
        plugin.ping().await.unwrap_or_else(|why| panic!("ping {n}: {why}"));
    }
    assert_eq!(plugin.pid(), pid);
    plugin.close().await;
}

#[tokio::test]
async fn without_announcements_a_plugin_serves_on_if_nothing_is_lent() {
    let stranger = Stranger::new(MANY);
    let (plugin, plain) = launch(&stranger, SECOND).await;
    soon("the streams of the host", stranger.streams(2)).await;
    let (pid, mut events) = (plugin.pid(), plugin.events());
    stranger.retire(1);
    moved(&plain, 1).await;
    stranger.cut(1);
    until(&mut events, |what| matches!(what, EventKind::BrokerLost { generation: 1 }).then_some(())).await;
    assert_eq!(plain.number().await.unwrap(), 2);
    soon("what it prints, over the next", async {
        while stranger.all("StreamStdio") != [1, 2] {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(stranger.all("StartStream"), [1], "the end of the first was the end of its broker");
    assert_eq!(plugin.pid(), pid);

    // Until a service is dispensed that needs them.
    plugin.dispense::<dyn Borrower>().await.unwrap();
    let why =
        until(&mut events, |what| if let EventKind::Ended(ended) = what { Some(ended.cause) } else { None }).await;
    assert_eq!((why, stranger.all("Shutdown")), (EndCause::BrokerLost, vec![2]));
    plugin.close().await;
}

#[tokio::test]
async fn without_announcements_a_plugin_to_which_things_are_lent_is_replaced_in_order() {
    let stranger = Stranger::new(MANY);
    let (plugin, plain) = launch(&stranger, SECOND).await;
    plugin.dispense::<dyn Borrower>().await.unwrap();
    soon("the streams of the host", stranger.streams(2)).await;
    let mut events = plugin.events();
    stranger.retire(1);
    moved(&plain, 1).await;
    let under_way = tokio::spawn({
        let plain = plain.clone();
        async move { plain.wait().await }
    });
    assert_eq!(stranger.saw("Wait").await, 2);
    stranger.cut(1);
    soon("the drain", plugin.states().until(|state| matches!(state, State::Stopping { .. }))).await.unwrap();
    stranger.answer();
    assert_eq!(soon("the answer", under_way).await.unwrap().unwrap(), 2, "it was under way");
    let why =
        until(&mut events, |what| if let EventKind::Ended(ended) = what { Some(ended.cause) } else { None }).await;
    assert_eq!((why, stranger.all("Shutdown")), (EndCause::BrokerLost, vec![2]));
    assert!(soon("the next process", plain.number()).await.unwrap() > 2);
    plugin.close().await;
}

#[tokio::test]
async fn what_takes_no_connections_any_more_may_answer_and_end() {
    let mut stranger = Stranger::new(MANY);
    let (plugin, plain) = launch(&stranger, SECOND).await;
    soon("the streams of the host", stranger.streams(2)).await;
    let (pid, mut events) = (plugin.pid().unwrap(), plugin.events());
    let under_way = tokio::spawn({
        let plain = plain.clone();
        async move { plain.wait().await }
    });
    stranger.saw("Wait").await;
    // Like `GracefulStop` of a server in Go, which then waits for all calls and for the host's streams.
    stranger.refuse();
    stranger.retire(1);
    soon("the drain", plugin.states().until(|state| matches!(state, State::Stopping { .. }))).await.unwrap();
    let waiting = tokio::spawn({
        let plain = plain.clone();
        async move { plain.number().await }
    });
    stranger.answer();
    assert_eq!(soon("the answer", under_way).await.unwrap().unwrap(), 1);
    soon("the end of the host's streams", stranger.streams(0)).await;
    stranger.listens_again();
    let pid = rustix::process::Pid::from_raw(pid as i32).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    let ended = until(&mut events, |what| if let EventKind::Ended(ended) = what { Some(ended) } else { None }).await;
    assert_eq!(ended.cause, EndCause::ShutDown, "{ended}");
    assert!(soon("the next process", waiting).await.unwrap().unwrap() > 1);
    assert!(stranger.all("Shutdown").is_empty(), "nobody takes that any more");
    plugin.close().await;
}

/// The host's two streams and one call are all that the plugin accepts on one connection.
#[tokio::test]
async fn a_plugin_whose_streams_are_used_up_is_not_hung() {
    let stranger = Stranger::new(3);
    let (plugin, plain) = launch(&stranger, Duration::from_millis(20)).await;
    soon("the streams of the host", stranger.streams(2)).await;
    let mut events = plugin.events();
    let call = tokio::spawn(async move { plain.wait().await });
    stranger.saw("Wait").await;
    lives_for_fifty_ticks(&stranger).await;
    stranger.answer();
    assert_eq!(soon("the answer", call).await.unwrap().unwrap(), 1);
    plugin.close().await;
    while let Some(event) = events.next().await {
        assert!(
            !matches!(event.kind, EventKind::Ended(ended) if ended.cause != EndCause::Closed),
            "it was taken for hung"
        );
    }
}

/// A request that the plugin does not read fills the connection's window.
#[tokio::test]
async fn a_plugin_whose_connection_is_full_is_not_hung() {
    let stranger = Stranger::new(MANY);
    let (plugin, plain) = launch(&stranger, Duration::from_millis(20)).await;
    soon("the streams of the host", stranger.streams(2)).await;
    let call = tokio::spawn(async move { plain.swallow(&vec![0; 1 << 20]).await });
    stranger.saw("Swallow").await;
    lives_for_fifty_ticks(&stranger).await;
    stranger.answer();
    assert_eq!(soon("the answer", call).await.unwrap().unwrap(), 1);
    plugin.close().await;
}

/// After ten without a sign of life it would be killed. Probed over another connection, it gives one every third tick
/// at the latest.
async fn lives_for_fifty_ticks(stranger: &Stranger) {
    let asked = stranger.all("Check").len();
    soon("the questions", async {
        while stranger.all("Check").len() < asked + 17 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}
