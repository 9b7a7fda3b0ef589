mod exchange;
mod idle;
#[cfg(feature = "mux")]
mod knocks;
#[cfg(feature = "auto-mtls")]
mod secured;

use std::fs;
use std::path::Path;
use std::time::Duration;

use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::time::{Instant, advance};

use super::*;
use crate::sys::os;
use crate::transport;

/// Two sides of one plugin, joined without a connection.
fn pair(dir: &Path) -> (Broker, Broker) {
    secured_pair(dir, Security::None, Security::None)
}

fn secured_pair(dir: &Path, of_host: Security, of_plugin: Security) -> (Broker, Broker) {
    let side = |security| {
        let (send, receive) = mpsc::channel(8);
        (Broker::new(BrokerTransport::sockets(dir), security, DIAL_TIMEOUT, send), receive)
    };
    let ((host, from_host), (plugin, from_plugin)) = (side(of_host), side(of_plugin));
    for (mut from, to) in [(from_host, plugin.clone()), (from_plugin, host.clone())] {
        tokio::spawn(async move {
            while let Some(announcement) = from.recv().await {
                to.received(announcement);
            }
        });
    }
    (host, plugin)
}

fn alone(dir: &Path) -> (Broker, mpsc::Receiver<ConnInfo>) {
    let (send, receive) = mpsc::channel(1);
    (Broker::new(BrokerTransport::sockets(dir), Security::None, DIAL_TIMEOUT, send), receive)
}

async fn accept(listener: &Listener) -> Stream {
    listener.accept().await.unwrap().establish().await.unwrap()
}

/// Why it cannot be dialled again.
async fn refusal(broker: &Broker, to: &Destination) -> io::ErrorKind {
    match broker.redial(to).await.unwrap_err() {
        BrokerError::Connect { source, .. } => source.kind(),
        other => panic!("{other}"),
    }
}

fn at(service_id: u32, network: &str, address: impl Into<String>) -> ConnInfo {
    ConnInfo { service_id, network: network.into(), address: address.into(), knock: None }
}

fn files(dir: &Path) -> usize {
    fs::read_dir(dir).unwrap().count()
}

async fn assert_connected(mut one: Stream, mut other: Stream) {
    one.write_all(b"ping").await.unwrap();
    let mut came = [0; 4];
    other.read_exact(&mut came).await.unwrap();
    assert_eq!(&came, b"ping");
}

#[tokio::test]
async fn same_ids_both_ways_in_either_order() {
    let dir = tempfile::tempdir().unwrap();
    let (host, plugin) = pair(dir.path());
    for n in 1..=3 {
        // the host is dialled after it announced, the plugin before
        let (id, listener) = host.listen().await.unwrap();
        assert_eq!(id, n);
        let (early, late) = (
            plugin.dial(id).await,
            tokio::spawn({
                let host = host.clone();
                async move { host.dial(n).await }
            }),
        );
        assert_connected(early.unwrap().0, accept(&listener).await).await;
        tokio::task::yield_now().await;
        let (id, listener) = plugin.listen().await.unwrap();
        assert_eq!(id, n);
        assert_connected(late.await.unwrap().unwrap().0, accept(&listener).await).await;
    }
    assert_eq!(files(dir.path()), 0, "every listener removed its socket");
}

#[tokio::test]
async fn a_listener_accepts_again_and_again() {
    let dir = tempfile::tempdir().unwrap();
    let (host, plugin) = pair(dir.path());
    let (id, listener) = host.listen().await.unwrap();
    let (first, address) = plugin.dial(id).await.unwrap();
    assert_connected(first, accept(&listener).await).await;
    for _ in 0..3 {
        let again = plugin.redial(&address).await.unwrap();
        assert_connected(again, accept(&listener).await).await;
    }
    drop(listener);
    assert_eq!(refusal(&plugin, &address).await, io::ErrorKind::NotFound);
}

#[tokio::test]
async fn sockets_are_private() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let listener = transport::Listener::bind_in(dir.path()).unwrap();
    let mode = fs::metadata(listener.address().to_string()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn tcp_and_abstract_addresses_are_dialled() {
    let dir = tempfile::tempdir().unwrap();
    let (broker, _announced) = alone(dir.path());

    let tcp = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    broker.received(at(1, "tcp", tcp.local_addr().unwrap().to_string()));
    let (dialled, accepted) = tokio::join!(broker.dial(1), tcp.accept());
    let (stream, address) = dialled.unwrap();
    assert_connected(stream, Stream::Tcp(accepted.unwrap().0)).await;
    drop(tcp);
    assert_eq!(refusal(&broker, &address).await, io::ErrorKind::ConnectionRefused);

    let name = format!("loop-runtime-{}", std::process::id());
    if let Some(path) = os::abstract_path(&name) {
        let unix = tokio::net::UnixListener::bind(path).unwrap();
        broker.received(at(2, "unix", format!("@{name}")));
        let (dialled, accepted) = tokio::join!(broker.dial(2), unix.accept());
        assert_connected(dialled.unwrap().0, Stream::unix(accepted.unwrap().0).unwrap()).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_announcement_is_kept_five_seconds() {
    let dir = tempfile::tempdir().unwrap();
    let (broker, _announced) = alone(dir.path());
    let listener = transport::Listener::bind_in(dir.path()).unwrap();
    let address = listener.address().to_string();

    broker.received(at(1, "unix", &address));
    advance(Duration::from_millis(4_999)).await;
    broker.dial(1).await.unwrap();

    broker.received(at(1, "unix", &address));
    advance(DIAL_TIMEOUT).await;
    let before = Instant::now();
    let error = broker.dial(1).await.unwrap_err();
    assert_eq!(error.to_string(), "timeout waiting for connection info");
    assert_eq!(before.elapsed(), DIAL_TIMEOUT);
    assert_eq!(broker.0.pending.sizes(), (0, 0));

    // and is bound again
    broker.received(at(1, "unix", &address));
    broker.dial(1).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_timeout_is_configurable() {
    let (send, _announced) = mpsc::channel(1);
    let broker = Broker::new(BrokerTransport::sockets("/nonexistent"), Security::None, Duration::from_millis(70), send);
    let before = Instant::now();
    assert!(matches!(broker.dial(9).await, Err(BrokerError::Timeout)));
    assert_eq!(before.elapsed(), Duration::from_millis(70));
}

#[tokio::test(start_paused = true)]
async fn one_announcement_is_kept_per_id_and_serves_one_dial() {
    let dir = tempfile::tempdir().unwrap();
    let (broker, _announced) = alone(dir.path());
    let (first, second) =
        (transport::Listener::bind_in(dir.path()).unwrap(), transport::Listener::bind_in(dir.path()).unwrap());
    broker.received(at(7, "unix", first.address().to_string()));
    broker.received(at(7, "unix", second.address().to_string()));
    assert_eq!(broker.dial(7).await.unwrap().1, Destination::Socket(first.address()));
    assert!(matches!(broker.dial(7).await, Err(BrokerError::Timeout)));

    // consumed, so that the next one counts
    broker.received(at(7, "unix", second.address().to_string()));
    assert_eq!(broker.dial(7).await.unwrap().1, Destination::Socket(second.address()));
}

#[tokio::test(start_paused = true)]
async fn racing_dials_get_one_announcement_each() {
    let dir = tempfile::tempdir().unwrap();
    let (broker, _announced) = alone(dir.path());
    let listener = transport::Listener::bind_in(dir.path()).unwrap();
    let dials: Vec<_> = (0..4)
        .map(|_| {
            let broker = broker.clone();
            tokio::spawn(async move { broker.dial(7).await.is_ok() })
        })
        .collect();
    for _ in 0..3 {
        tokio::task::yield_now().await;
        broker.received(at(7, "unix", listener.address().to_string()));
    }
    let mut connected = 0;
    for dial in dials {
        connected += usize::from(dial.await.unwrap());
    }
    assert_eq!(connected, 3);
    assert_eq!(broker.0.pending.sizes().0, 0);
}

#[tokio::test(start_paused = true)]
async fn a_dial_that_is_dropped_takes_nothing_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let (broker, _announced) = alone(dir.path());
    let listener = transport::Listener::bind_in(dir.path()).unwrap();
    let mut first = Box::pin(broker.dial(3));
    let mut second = Box::pin(broker.dial(3));
    assert!(poll_once(first.as_mut()).await.is_none());
    assert!(poll_once(second.as_mut()).await.is_none());
    broker.received(at(3, "unix", listener.address().to_string()));
    // woken, and dropped before it runs
    drop(first);
    assert_eq!(second.await.unwrap().1, Destination::Socket(listener.address()));
    assert_eq!(broker.0.pending.sizes().0, 0);
}

/// Polls once.
async fn poll_once<F: Future>(mut future: std::pin::Pin<&mut F>) -> Option<F::Output> {
    std::future::poll_fn(|cx| match future.as_mut().poll(cx) {
        std::task::Poll::Ready(output) => std::task::Poll::Ready(Some(output)),
        std::task::Poll::Pending => std::task::Poll::Ready(None),
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn nonsense_fails_the_dial_with_what_is_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let (broker, _announced) = alone(dir.path());
    let long = format!("/{}", "x".repeat(107));
    let huge = "y".repeat(1 << 20);
    for (network, address, says) in [
        ("", "/tmp/a", "the network is \"\""),
        ("unix", "", "the address is empty"),
        ("carrier pigeon", "/tmp/a", "\"carrier pigeon\""),
        ("unix", "/tmp/\0", "zero byte"),
        ("unix", &long, "108 bytes"),
        ("unix", &huge, "1048576 bytes"),
        ("tcp", "nowhere", "\"nowhere\" is not host:port"),
        ("unix", "/nonexistent/socket", "cannot connect to /nonexistent/socket: No such file"),
        ("unix", "@nobody-listens-here", "cannot connect to @nobody-listens-here"),
    ] {
        broker.received(at(5, network, address));
        let error = broker.dial(5).await.unwrap_err().to_string();
        assert!(error.contains(says), "{network} {address:.40}: {error:.200}");
        assert!(error.len() < 400, "{} bytes of text", error.len());
    }

    broker.received(at(0, "unix", "/tmp/a"));
    assert!(matches!(broker.dial(0).await, Err(BrokerError::NoId)));
    let knock = Some(crate::proto::plugin::conn_info::Knock { knock: true, ack: false, error: String::new() });
    broker.received(ConnInfo { knock, ..at(6, "", "") });
    assert!(matches!(broker.dial(6).await, Err(BrokerError::Timeout)));
    assert_eq!(broker.0.pending.sizes().0, 0);
}

#[tokio::test(start_paused = true)]
async fn announcements_that_nobody_dials_cost_nothing_in_the_end() {
    let (broker, _announced) = alone(Path::new("/nonexistent"));
    for id in 1..=10_000 {
        broker.received(at(id, "unix", "/tmp/a"));
    }
    assert_eq!(broker.0.pending.sizes(), (10_000, 10_000));
    advance(DIAL_TIMEOUT).await;
    broker.received(at(1, "unix", "/tmp/a"));
    assert_eq!(broker.0.pending.sizes(), (1, 1));
}

#[tokio::test]
async fn a_closed_broker_ends_every_wait() {
    let dir = tempfile::tempdir().unwrap();
    let (broker, announced) = alone(dir.path());
    let (_id, _kept) = broker.listen().await.unwrap();
    // the channel holds one announcement, so that this one waits
    let spawned: [_; 2] = [true, false].map(|listen| {
        let broker = broker.clone();
        tokio::spawn(async move {
            match listen {
                true => broker.listen().await.map(drop),
                false => broker.dial(1).await.map(drop),
            }
        })
    });
    while files(dir.path()) < 2 || broker.0.pending.sizes().0 < 1 {
        tokio::task::yield_now().await;
    }
    broker.closed("the plugin was killed");
    broker.closed("a consequence of that");
    for wait in spawned {
        assert_eq!(wait.await.unwrap().unwrap_err().to_string(), "the broker is closed: the plugin was killed");
    }
    assert!(matches!(broker.listen().await, Err(BrokerError::Closed(_))));
    assert!(matches!(broker.dial(2).await, Err(BrokerError::Closed(_))));
    assert_eq!(files(dir.path()), 1, "only the listener that lives on has a socket");
    drop(announced);
}

#[tokio::test]
async fn a_listen_that_fails_or_is_dropped_leaves_no_socket() {
    let dir = tempfile::tempdir().unwrap();
    let (broker, announced) = alone(dir.path());
    let _kept = broker.listen().await.unwrap();
    {
        let mut waiting = Box::pin(broker.listen());
        assert!(poll_once(waiting.as_mut()).await.is_none());
        assert_eq!(files(dir.path()), 2);
    }
    assert_eq!(files(dir.path()), 1);
    drop(announced);
    assert!(matches!(broker.listen().await, Err(BrokerError::Closed(_))));
    assert_eq!(files(dir.path()), 1);
}

/// The peer ends between the first check and the bind.
#[tokio::test]
async fn a_directory_that_went_with_the_peer_is_no_failure_to_listen() {
    let dir = tempfile::tempdir().unwrap();
    let (broker, _announcements) = alone(&dir.path().join("removed"));
    assert!(matches!(broker.open(1).await, Err(BrokerError::Listen(_))));
    broker.closed("the plugin was killed");
    assert!(matches!(broker.open(2).await, Err(BrokerError::Closed(_))));
}

#[tokio::test]
async fn a_long_directory_is_named_with_the_limit() {
    let dir = tempfile::tempdir().unwrap();
    let deep = dir.path().join("d".repeat(120));
    fs::create_dir(&deep).unwrap();
    let (broker, _announced) = alone(&deep);
    let error = broker.listen().await.unwrap_err().to_string();
    assert!(error.contains(deep.to_str().unwrap()), "{error}");
    assert!(error.contains(&format!("the system's limit is {}", os::SOCKET_PATH_MAX)), "{error}");
    assert!(error.contains("set PLUGIN_UNIX_SOCKET_DIR to a shorter path"), "{error}");

    let (broker, _announced) = alone(&dir.path().join("gone"));
    let error = broker.listen().await.unwrap_err().to_string();
    assert!(error.starts_with("cannot listen at ") && error.contains("gone/plugin"), "{error}");
}

#[test]
fn ids_end_instead_of_starting_over() {
    let (broker, _announced) = alone(Path::new("/"));
    assert_eq!(broker.next_id().unwrap(), 1);
    broker.0.last_id.store(u32::MAX - 1, Ordering::Relaxed);
    assert_eq!(broker.next_id().unwrap(), u32::MAX);
    assert!(matches!(broker.next_id(), Err(BrokerError::IdsExhausted)));
    assert!(matches!(broker.next_id(), Err(BrokerError::IdsExhausted)));
}

proptest! {
    #[test]
    fn no_announcement_crashes_it(bytes in proptest::collection::vec(any::<u8>(), 0..64), id in 0..3_u32,
                                  network in "unix|tcp|\\PC{0,8}", address in "/nonexistent/\\PC{0,120}") {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let (broker, _announced) = alone(Path::new("/"));
            if let Ok(announcement) = <ConnInfo as prost::Message>::decode(bytes.as_slice()) {
                broker.received(announcement);
            }
            broker.received(at(id, &network, address));
            assert!(broker.dial(id).await.is_err());
        });
    }
}
