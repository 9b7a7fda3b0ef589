//! The LOOP services between this project and code that tonic generates from `proto/`, in both directions.
//!
//! In the first case a host made of tonic alone drives a plugin of ours, a process; in the second our host drives a
//! plugin made of tonic alone. What either lends is called by the other side, so that in the end each method was called
//! by a tonic client and answered by a tonic server. Every argument and every reply is compared with values that are
//! written down twice, in the types of either side: nothing is taken from one and put into the other.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod broker;
mod bytes;
mod ours;
mod theirs;
mod wire;

use std::collections::BTreeSet;
use std::process::{ExitCode, Stdio};

use libtest_mimic::{Arguments, Trial};
use loop_runtime::Handshake;
use loop_runtime::host::{Command, Host};
use loop_runtime::plugin::Plugin;
use tokio::io::{AsyncBufReadExt, BufReader};

use broker::Broker;
use ours::{Ours, Root};
use theirs::Theirs;

const COOKIE: &str = "LOOP_PEERS_COOKIE";
const HANDSHAKE: Handshake = Handshake::new(COOKIE, "yes, a test");

fn main() -> ExitCode {
    if std::env::var_os(COOKIE).is_some() {
        return runtime().block_on(Plugin::new(HANDSHAKE).serve::<dyn Root>(std::sync::Arc::new(Ours::default())));
    }
    let trials = vec![
        Trial::test("a_tonic_host_drives_our_plugin", || run(a_tonic_host_drives_our_plugin)),
        Trial::test("our_host_drives_a_tonic_plugin", || run(our_host_drives_a_tonic_plugin)),
        Trial::test("every_method_went_both_ways", || run(every_method_went_both_ways)),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

fn run(case: impl AsyncFnOnce()) -> Result<(), libtest_mimic::Failed> {
    let bound = std::time::Duration::from_secs(60);
    runtime().block_on(async { tokio::time::timeout(bound, case()).await })?;
    Ok(())
}

async fn a_tonic_host_drives_our_plugin() {
    let dir = tempfile::Builder::new().prefix("peers-").tempdir().unwrap();
    let mut plugin = tokio::process::Command::new(std::env::current_exe().unwrap())
        .env(COOKIE, "yes, a test")
        .env("PLUGIN_PROTOCOL_VERSIONS", "0")
        .env("PLUGIN_UNIX_SOCKET_DIR", dir.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(plugin.stdout.take().unwrap()).lines();
    let line = lines.next_line().await.unwrap().expect("a handshake line");
    let fields: Vec<_> = line.split('|').collect();
    assert_eq!((&fields[..3], fields[4]), (&["1", "0", "unix"][..], "grpc"), "{line}");

    let peer = wire::connect(fields[3]).await;
    let broker = Broker::host(peer.clone(), dir.path());
    theirs::calls::service(peer.clone(), true).await;
    theirs::calls::plugin_relayer(peer.clone(), &broker).await;
    theirs::calls::plugin_median(peer.clone(), &broker).await;
    theirs::calls::service(peer.clone(), false).await;
    wire::plugin::grpc_controller_client::GrpcControllerClient::new(peer).shutdown(wire::plugin::Empty {}).await.ok();
    assert!(plugin.wait().await.unwrap().success());
}

async fn our_host_drives_a_tonic_plugin() {
    let dir = tempfile::Builder::new().prefix("peers-").tempdir().unwrap();
    let socket = dir.path().join("main");
    let _serving = Theirs::plugin(&socket);
    // The server is in this process; what is launched only says where.
    let script = format!("echo '1|0|unix|{}|grpc|'; exec sleep 3600", socket.display());
    let plugin = Host::new(HANDSHAKE).launch(Command::new("/bin/sh").args(["-c", &script])).await.unwrap();
    let root = plugin.dispense::<dyn Root>().await.unwrap();
    ours::calls::lifecycle(root.clone()).await;
    ours::calls::plugin_relayer(&root).await;
    ours::calls::plugin_median(&root).await;
    drop(root);
    plugin.close().await;
}

async fn every_method_went_both_ways() {
    a_tonic_host_drives_our_plugin().await;
    our_host_drives_a_tonic_plugin().await;
    let declared = wire::declared();
    assert!(declared.len() >= 59, "{} methods", declared.len());
    for (by, seen) in [("called by tonic", &wire::CALLED), ("answered by tonic", &wire::ANSWERED)] {
        let seen = seen.lock().unwrap();
        let missing: BTreeSet<_> = declared.difference(&seen).collect();
        assert!(missing.is_empty(), "never {by}: {missing:?}");
    }
}
