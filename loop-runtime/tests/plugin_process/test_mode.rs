//! A plugin that this process serves itself.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use loop_runtime::host::{Host, State, Supervisor};
use loop_runtime::plugin::{Plugin, TestMode};

use crate::client::Client;
use crate::process::soon;
use crate::proto::plugin::Empty;
use crate::role::{HANDSHAKE, Impl, Numbered, Probe, Thing as _};

async fn serve(plugin: Plugin) -> TestMode {
    plugin.test_mode::<dyn Probe>(Arc::new(Impl::default())).await.unwrap()
}

async fn attach(plugin: &TestMode) -> (Supervisor, Arc<dyn Probe>) {
    let host = Host::new(HANDSHAKE).reattach(plugin.reattach().clone()).await.unwrap();
    let probe = host.dispense().await.unwrap();
    (host, probe)
}

async fn is_gone(path: &str) {
    let gone = async {
        while Path::new(path).exists() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    soon("the end of the socket", gone).await;
}

#[tokio::test]
async fn hosts_call_it_and_cannot_end_it() {
    let hooks = Arc::new(AtomicU32::new(0));
    let count = hooks.clone();
    let plugin = Plugin::new(HANDSHAKE).on_shutdown(move || async move {
        count.fetch_add(1, Ordering::Relaxed);
    });
    let plugin = serve(plugin).await;
    let config = plugin.reattach().clone();
    assert_eq!((config.pid, config.test, config.protocol_version), (std::process::id(), true, 1));
    for number in 1..=2 {
        let (host, probe) = attach(&plugin).await;
        assert_eq!((host.pid(), host.version()), (Some(std::process::id()), Some(1)));
        assert_eq!(host.reattach_config(), Some(config.clone()));
        assert_eq!(probe.echo(b"hello").await.unwrap(), b"hello");
        assert_eq!(probe.ask(Arc::new(Numbered(number))).await.unwrap(), number);
        assert_eq!(probe.new_thing(7).await.unwrap().number().await.unwrap(), 7);
        host.close().await;
        assert!(tokio::time::timeout(Duration::ZERO, plugin.ended()).await.is_err(), "closing only hangs up");
    }
    let (host, probe) = attach(&plugin).await;
    let mut states = host.states();
    plugin.stop().await;
    plugin.stop().await;
    assert_eq!(hooks.load(Ordering::Relaxed), 1);
    assert!(!Path::new(&config.address).parent().unwrap().exists(), "its directory goes with it");
    soon("giving up", states.until(|state| matches!(state, State::GivenUp { .. }))).await.unwrap();
    probe.echo(b"x").await.unwrap_err();
    Host::new(HANDSHAKE).reattach(config).await.unwrap_err();
}

#[tokio::test]
async fn dropping_it_ends_it() {
    let plugin = serve(Plugin::new(HANDSHAKE)).await;
    let address = plugin.reattach().address.clone();
    drop(plugin);
    is_gone(&address).await;
}

#[tokio::test]
async fn shutdown_is_obeyed_by_a_client_that_calls_it_all_the_same() {
    let plugin = serve(Plugin::new(HANDSHAKE)).await;
    let client = Client::connect(&plugin.reattach().address).await;
    let _ = client.call::<_, Empty>("/plugin.GRPCController/Shutdown", Empty {}).await;
    soon("the end", plugin.ended()).await;
}
