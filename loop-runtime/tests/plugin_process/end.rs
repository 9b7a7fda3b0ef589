//! How a plugin ends.

use std::time::{Duration, Instant};

use rustix::process::Signal;
use tokio::net::UnixStream;
use tonic::codegen::tokio_stream::wrappers::ReceiverStream;

use crate::client::{Number, Two, two};
use crate::process::{Plugin, Start, soon};
use crate::proto::plugin::Empty;
use crate::proto::plugin::grpc_broker_client::GrpcBrokerClient;
use crate::proto::plugin::grpc_stdio_client::GrpcStdioClient;

/// A host sends SIGKILL after this time.
const HOSTS_PATIENCE: Duration = Duration::from_secs(2);

/// The same for an end that is forced by a timeout, on a machine that is busy with other tests.
const FORCED: Duration = Duration::from_secs(4);

/// After this time a plugin exits whether it is done or not.
const CLOCK: Duration = Duration::from_millis(1800);

/// The notes of a clean end.
const CLEAN: [&str; 4] = ["dropped", "first hook", "second hook", "served"];

async fn assert_clean(plugin: &mut Plugin, began: Instant) {
    assert_eq!(plugin.ended().await, (Some(0), String::new()));
    assert!(began.elapsed() < HOSTS_PATIENCE, "{:?}", began.elapsed());
    assert_eq!(plugin.notes(), CLEAN);
    assert_eq!(plugin.sockets_left(), 0);
}

#[tokio::test]
async fn shutdown_is_answered_and_then_obeyed() {
    let mut plugin = Start::new("").up().await;
    let client = plugin.client().await;
    let began = Instant::now();
    client.call::<_, Empty>("/plugin.GRPCController/Shutdown", Empty {}).await.unwrap();
    assert_clean(&mut plugin, began).await;
}

#[tokio::test]
async fn open_streams_do_not_hold_it() {
    for how in ["", "one-thread"] {
        let mut plugin = Start::new(how).up().await;
        let client = plugin.client().await;
        let _stdio = GrpcStdioClient::new(client.clone()).stream_stdio(()).await.unwrap();
        let (_announce, announcements) = tokio::sync::mpsc::channel(1);
        let _broker =
            GrpcBrokerClient::new(client.clone()).start_stream(ReceiverStream::new(announcements)).await.unwrap();
        let _silent = UnixStream::connect(&plugin.socket).await.unwrap();
        let began = Instant::now();
        client.call::<_, Empty>("/plugin.GRPCController/Shutdown", Empty {}).await.unwrap();
        assert_clean(&mut plugin, began).await;
    }
}

#[tokio::test]
async fn sigterm_is_shutdown() {
    let mut plugin = Start::new("").up().await;
    let began = Instant::now();
    plugin.signal(Signal::TERM);
    assert_clean(&mut plugin, began).await;
}

#[tokio::test]
async fn sigterm_ends_a_start_that_takes_long() {
    let mut plugin = Start::new("slow").spawn();
    plugin.stderr(|text| text.contains("taking its time")).await;
    plugin.signal(Signal::TERM);
    assert_eq!(plugin.ended().await, (Some(0), String::new()));
    assert_eq!(plugin.sockets_left(), 0);
}

#[tokio::test]
async fn sigint_and_sighup_are_ignored() {
    let plugin = Start::new("").up().await;
    let client = plugin.client().await;
    for _ in 0..3 {
        plugin.signal(Signal::INT);
        plugin.signal(Signal::HUP);
        client.call::<_, Two>("/probe.Probe/Echo", two("alive", "")).await.unwrap();
    }
}

#[tokio::test]
async fn a_call_in_flight_may_finish() {
    let mut plugin = Start::new("").up().await;
    let client = plugin.client().await;
    let nap = tokio::spawn(async move { client.call::<_, Two>("/probe.Probe/Nap", Number { n: 300 }).await });
    plugin.stderr(|text| text.contains("napping")).await;
    let began = Instant::now();
    plugin.signal(Signal::TERM);
    soon("the answer", nap).await.unwrap().unwrap();
    assert_clean(&mut plugin, began).await;
}

#[tokio::test]
async fn a_call_that_does_not_finish_is_cut() {
    let mut plugin = Start::new("").up().await;
    let client = plugin.client().await;
    let nap = tokio::spawn(async move { client.call::<_, Two>("/probe.Probe/Nap", Number { n: 600_000 }).await });
    plugin.stderr(|text| text.contains("napping")).await;
    let began = Instant::now();
    plugin.signal(Signal::TERM);
    soon("the loss", nap).await.unwrap().unwrap_err();
    assert_eq!(plugin.ended().await, (Some(0), String::new()));
    let took = began.elapsed();
    assert!(took < FORCED, "{took:?}");
    // The call had its second, and the rest takes a tenth of one. On too busy a machine, the timeout ends it.
    if took < CLOCK {
        assert_eq!(plugin.notes(), CLEAN);
    }
    assert_eq!(plugin.sockets_left(), 0);
}

#[tokio::test]
async fn a_blocked_thread_does_not_hold_it() {
    let mut plugin = Start::new("").up().await;
    let client = plugin.client().await;
    tokio::spawn(async move { client.call::<_, Two>("/probe.Probe/Block", Number { n: 0 }).await });
    plugin.stderr(|text| text.contains("blocking")).await;
    let began = Instant::now();
    plugin.signal(Signal::TERM);
    assert_eq!(plugin.ended().await.0, Some(0));
    assert!(began.elapsed() < FORCED, "{:?}", began.elapsed());
    assert_eq!(plugin.sockets_left(), 0);
}

#[tokio::test]
async fn a_cleanup_that_hangs_is_left_behind() {
    let mut plugin = Start::new("hangs").up().await;
    let began = Instant::now();
    plugin.shut_down().await;
    assert_eq!(plugin.ended().await.0, Some(0));
    assert!(began.elapsed() < FORCED, "{:?}", began.elapsed());
    // Whether `serve` still returns depends on how busy the machine is: the process exits at the timeout.
    assert_eq!(plugin.notes()[..3], CLEAN[..3]);
    assert_eq!(plugin.sockets_left(), 0);
}

/// Nobody can remove the sockets of a process that is killed, but the next one does.
#[tokio::test]
async fn what_a_killed_plugin_leaves_goes_when_the_next_one_starts() {
    let shared = tempfile::tempdir().unwrap();
    let start = || Start::new("").env("TMPDIR", shared.path().to_str().unwrap());
    let mut killed = start().up().await;
    let left = std::path::Path::new(&killed.socket).parent().unwrap().to_owned();
    killed.child.kill().await.unwrap();
    assert!(left.exists());
    let mut next = start().up().await;
    let gone = async {
        while left.exists() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    soon("the end of the directory", gone).await;
    next.shut_down().await;
    assert_eq!(next.ended().await.0, Some(0));
    assert_eq!(shared.path().read_dir().unwrap().count(), 0);
}

/// Kills the host of a plugin that runs below one, and waits until the plugin has closed its stdout.
async fn kill_host(plugin: &mut Plugin) -> Instant {
    let began = Instant::now();
    plugin.child.kill().await.unwrap();
    began
}

#[tokio::test]
async fn it_ends_with_its_host() {
    let mut plugin = Start::new("").below_a_host().up().await;
    let client = plugin.client().await;
    client.call::<_, Two>("/probe.Probe/Echo", two("hello", "")).await.unwrap();
    let began = kill_host(&mut plugin).await;
    let (_, rest) = plugin.ended().await;
    assert!(began.elapsed() < HOSTS_PATIENCE, "{:?}", began.elapsed());
    assert_eq!((rest.as_str(), plugin.notes()), ("", CLEAN.map(str::to_owned).to_vec()));
    assert_eq!(plugin.sockets_left(), 0);
}

#[tokio::test]
async fn a_blocked_runtime_ends_with_its_host() {
    let mut plugin = Start::new("one-thread").below_a_host().up().await;
    let client = plugin.client().await;
    tokio::spawn(async move { client.call::<_, Two>("/probe.Probe/Block", Number { n: 0 }).await });
    plugin.stderr(|text| text.contains("blocking")).await;
    let began = kill_host(&mut plugin).await;
    plugin.ended().await;
    assert!(began.elapsed() < FORCED, "{:?}", began.elapsed());
    assert_eq!(plugin.sockets_left(), 0);
}

#[tokio::test]
async fn it_outlives_its_host_if_it_is_meant_to() {
    let mut plugin = Start::new("outlives").below_a_host().up().await;
    kill_host(&mut plugin).await;
    for _ in 0..3 {
        let echo: Two = plugin.client().await.call("/probe.Probe/Echo", two("alive", "")).await.unwrap();
        assert_eq!(echo.one, b"alive");
    }
    plugin.shut_down().await;
    plugin.ended().await;
    assert_eq!(plugin.notes(), CLEAN);
}
