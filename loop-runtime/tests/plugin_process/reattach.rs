//! A host attaches to a plugin that it did not start.

use std::sync::Arc;
use std::time::{Duration, Instant};

use loop_runtime::host::{EndCause, Ended, EventKind, Host, LaunchError, Reattach, State, Supervisor};
use loop_runtime::testing::Faults as _;
use rustix::process::Signal;
use tonic::codegen::tokio_stream::wrappers::ReceiverStream;

use crate::client::{Two, two};
use crate::process::{Plugin, Start, soon};
use crate::proto::plugin::ConnInfo;
use crate::proto::plugin::grpc_broker_client::GrpcBrokerClient;
use crate::role::{HANDSHAKE, Numbered, Probe, Thing as _};

fn config(plugin: &Plugin) -> Reattach {
    Reattach::new("unix", plugin.socket.clone(), plugin.child.id().unwrap())
}

async fn attach(plugin: &Plugin) -> (Supervisor, Arc<dyn Probe>) {
    let host = Host::new(HANDSHAKE).reattach(config(plugin)).await.unwrap();
    let probe = host.dispense().await.unwrap();
    (host, probe)
}

/// Drops all handles, which disconnects.
async fn drop_all((host, probe): (Supervisor, Arc<dyn Probe>)) {
    let mut states = host.states();
    drop((host, probe));
    soon("the end of the host", states.until(|state| matches!(state, State::Closed))).await.unwrap();
}

async fn ended(host: &Supervisor, cause: impl AsyncFnOnce()) -> Ended {
    let mut events = host.events();
    cause().await;
    loop {
        let event = soon("the end", events.next()).await.expect("an end before the close");
        if let EventKind::Ended(ended) = event.kind {
            return ended;
        }
    }
}

#[tokio::test]
#[cfg_attr(any(loop_portable, not(target_os = "linux")), ignore = "by its number it is there until it is reaped")]
async fn a_host_attaches_calls_and_ends_the_plugin() {
    let mut plugin = Start::new("outlives").up().await;
    let (host, probe) = attach(&plugin).await;
    assert_eq!(probe.echo(b"hello").await.unwrap(), b"hello");
    host.ping().await.unwrap();
    assert_eq!((host.pid(), host.version()), (plugin.child.id(), Some(1)));
    assert_eq!(host.reattach_config(), Some(config(&plugin)), "as it was given");
    let ended = ended(&host, async || host.close().await).await;
    assert_eq!(ended.cause, EndCause::Closed);
    assert_eq!(ended.exit.unwrap().status(), None, "only the parent knows it");
    assert_eq!(plugin.ended().await.0, Some(0), "it obeyed");
    assert_eq!(plugin.notes().last().map(String::as_str), Some("served"));
    assert_eq!(plugin.sockets_left(), 0);
    host.ping().await.unwrap_err();
}

#[tokio::test]
async fn a_plugin_that_does_not_obey_is_killed() {
    let mut plugin = Start::new("outlives").up().await;
    let (host, probe) = attach(&plugin).await;
    probe.echo(b"hello").await.unwrap();
    plugin.signal(Signal::STOP);
    let began = Instant::now();
    host.close().await;
    assert!(began.elapsed() >= Duration::from_secs(2), "it had its time");
    let status = soon("the end of the process", plugin.child.wait()).await.unwrap();
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9));
}

#[tokio::test]
async fn hosts_come_and_go_and_each_lends_and_is_lent() {
    let mut plugin = Start::new("outlives").up().await;
    for number in 1..=3 {
        let (host, probe) = attach(&plugin).await;
        let asked = soon("the answer", probe.ask(Arc::new(Numbered(number)))).await.unwrap();
        assert_eq!(asked, number);
        let thing = soon("a thing", probe.new_thing(10 * number)).await.unwrap();
        assert_eq!(thing.number().await.unwrap(), 10 * number);
        drop(thing);
        drop_all((host, probe)).await;
        let echo: Two = plugin.client().await.call("/probe.Probe/Echo", two("still here", "")).await.unwrap();
        assert_eq!(echo.one, b"still here");
    }
    plugin.shut_down().await;
    assert_eq!(plugin.ended().await.0, Some(0));
}

/// Each host counts from 1: an undialled announcement of the last one must not match what this one lends.
#[tokio::test]
async fn what_the_last_host_announced_is_forgotten() {
    let mut plugin = Start::new("outlives").up().await;
    let (announce, announcements) = tokio::sync::mpsc::channel(1);
    let mut broker = GrpcBrokerClient::new(plugin.client().await);
    let exchange = broker.start_stream(ReceiverStream::new(announcements)).await.unwrap();
    let address = "/nobody/is/there".to_owned();
    let announcement = ConnInfo { service_id: 1, network: "unix".to_owned(), address, knock: None };
    announce.send(announcement).await.unwrap();
    drop(announce);
    let mut exchange = exchange.into_inner();
    while let Ok(Some(_)) = soon("the end of the exchange", exchange.message()).await {}

    let (host, probe) = attach(&plugin).await;
    assert_eq!(soon("the answer", probe.ask(Arc::new(Numbered(7)))).await.unwrap(), 7);
    drop_all((host, probe)).await;
    plugin.shut_down().await;
    assert_eq!(plugin.ended().await.0, Some(0));
}

#[tokio::test]
async fn a_lost_connection_is_dialled_again_and_the_process_lives() {
    let plugin = Start::new("outlives").up().await;
    let (host, probe) = attach(&plugin).await;
    let ended = ended(&host, async || host.cut().unwrap()).await;
    assert_eq!(ended.cause, EndCause::ConnectionLost);
    let echo = soon("the answer of the same process", async {
        loop {
            match probe.echo(b"again").await {
                Ok(echo) => break echo,
                // Sent while the connection was ending.
                Err(error) => assert!(error.loss().is_some(), "{error:?}"),
            }
        }
    });
    assert_eq!(echo.await, b"again");
    assert_eq!(host.pid(), plugin.child.id());
}

#[tokio::test]
#[cfg_attr(any(loop_portable, not(target_os = "linux")), ignore = "by its number it is there until it is reaped")]
async fn the_end_of_the_process_is_noticed_and_it_is_given_up() {
    let plugin = Start::new("outlives").up().await;
    let (host, probe) = attach(&plugin).await;
    let mut states = host.states();
    let began = Instant::now();
    let ended = ended(&host, async || plugin.signal(Signal::KILL)).await;
    assert_eq!(ended.cause, EndCause::Exited);
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    let given_up = states.until(|state| matches!(state, State::GivenUp { .. }));
    soon("giving up", given_up).await.unwrap();
    let error = probe.echo(b"x").await.unwrap_err();
    assert!(error.message().contains("cannot reattach to process"), "{error}");
}

/// The pid may belong to another process by now.
#[tokio::test]
async fn a_process_whose_plugin_does_not_answer_is_left_alone() {
    let mut stranger = tokio::process::Command::new("/bin/sleep").arg("1000").kill_on_drop(true).spawn().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let closed = dir.path().join("closed");
    drop(std::os::unix::net::UnixListener::bind(&closed).unwrap());
    let plugin = Start::new("outlives").up().await;
    let at = |pid, address: String| Reattach::new("unix", address, pid);
    let pid = stranger.id().unwrap();
    let gone = {
        let mut child = std::process::Command::new("/bin/true").spawn().unwrap();
        child.wait().unwrap();
        child.id()
    };
    for missing in [
        at(pid, dir.path().join("none").display().to_string()),
        at(pid, closed.display().to_string()),
        at(gone, plugin.socket.clone()),
        at(0, plugin.socket.clone()),
    ] {
        let error = Host::new(HANDSHAKE).reattach(missing.clone()).await.unwrap_err();
        assert!(matches!(&error, LaunchError::ProcessNotFound { .. }) && error.is_permanent(), "{missing:?}: {error}");
    }
    assert_eq!(stranger.try_wait().unwrap(), None, "it lives");
    stranger.kill().await.unwrap();
}

#[tokio::test]
async fn what_is_not_meant_for_this_host_is_refused() {
    let plugin = Start::new("outlives").up().await;
    let good = config(&plugin);
    let changed = |change: fn(&mut Reattach)| {
        let mut it = good.clone();
        change(&mut it);
        it
    };
    for (wrong, says) in [
        (changed(|it| it.protocol = String::new()), "netrpc"),
        (changed(|it| it.protocol = "netrpc".to_owned()), "netrpc"),
        (changed(|it| it.protocol_version = 7), "application protocol 7, and this host speaks [3, 1]"),
        (changed(|it| it.network = "udp".to_owned()), "udp"),
        (changed(|it| it.address = String::new()), "empty"),
    ] {
        let error = Host::new(HANDSHAKE).reattach(wrong).await.unwrap_err();
        assert!(matches!(&error, LaunchError::Reattach { .. }) && error.is_permanent(), "{error}");
        assert!(error.to_string().contains(says), "{error}");
    }
    let host = Host::new(HANDSHAKE).reattach(changed(|it| it.protocol_version = 3)).await.unwrap();
    assert_eq!(host.version(), Some(3));
}

#[cfg(all(feature = "auto-mtls", feature = "mux"))]
#[tokio::test]
async fn what_is_agreed_at_the_start_of_a_process_cannot_be_had_later() {
    let plugin = Start::new("outlives").up().await;
    for host in [Host::new(HANDSHAKE).auto_mtls(), Host::new(HANDSHAKE).multiplexed()] {
        let error = host.reattach(config(&plugin)).await.unwrap_err();
        assert!(matches!(&error, LaunchError::Reattach { .. }) && error.is_permanent(), "{error}");
    }
}
