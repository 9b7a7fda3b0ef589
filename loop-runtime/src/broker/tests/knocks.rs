//! Multiplexed connections: two brokers over one in-memory pair of sockets, and brokers with a scripted peer.

use tokio::io::DuplexStream;
use tokio::sync::mpsc::UnboundedReceiver;

use super::*;
use crate::broker::knocks::Knocks;
use crate::proto::plugin::conn_info::Knock;
use crate::transport::{MuxSession, MuxStream};

/// One side: its broker, what it sends, and the streams for which no knock came.
struct Side {
    broker: Broker,
    knocks: Knocks,
    session: MuxSession,
    says: mpsc::Receiver<ConnInfo>,
    main: UnboundedReceiver<MuxStream>,
}

fn side(io: DuplexStream, client: bool) -> Side {
    let (send, says) = mpsc::channel(8);
    let knocks = Knocks::new();
    let broker = Broker::new(BrokerTransport::Multiplexed(knocks.clone()), Security::None, DIAL_TIMEOUT, send);
    let (unclaimed, main) = mpsc::unbounded_channel();
    let mut route = knocks.router();
    let incoming = move |stream| {
        if let Some(stream) = route(stream) {
            let _ = unclaimed.send(stream);
        }
    };
    let session = match client {
        true => {
            let (session, drive) = MuxSession::client(io, incoming);
            tokio::spawn(drive);
            session
        }
        false => {
            let (session, drive) = MuxSession::server(io, incoming);
            tokio::spawn(drive);
            session
        }
    };
    knocks.attach(session.clone());
    Side { broker, knocks, session, says, main }
}

/// What is left of a side that is joined to its peer.
struct Rest {
    knocks: Knocks,
    session: MuxSession,
    main: UnboundedReceiver<MuxStream>,
}

/// Two joined sides, host and plugin.
fn joined() -> (Broker, Broker, [Rest; 2]) {
    let (one, other) = tokio::io::duplex(64 * 1024);
    let (host, plugin) = (side(one, true), side(other, false));
    for (mut says, to) in [(host.says, plugin.broker.clone()), (plugin.says, host.broker.clone())] {
        tokio::spawn(async move {
            while let Some(message) = says.recv().await {
                to.received(message);
            }
        });
    }
    let of_host = Rest { knocks: host.knocks, session: host.session, main: host.main };
    let of_plugin = Rest { knocks: plugin.knocks, session: plugin.session, main: plugin.main };
    (host.broker, plugin.broker, [of_host, of_plugin])
}

/// A side whose peer is the test; the peer's end of the socket is a session too.
fn scripted() -> (Side, Side) {
    let (one, other) = tokio::io::duplex(64 * 1024);
    (side(one, false), side(other, true))
}

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(30);

/// The next stream for which no knock came; there must be one.
async fn unclaimed(main: &mut UnboundedReceiver<MuxStream>) -> MuxStream {
    tokio::time::timeout(LONG, main.recv()).await.expect("no stream comes").expect("a session")
}

/// The next message of a side; there must be one.
async fn said(says: &mut mpsc::Receiver<ConnInfo>) -> ConnInfo {
    tokio::time::timeout(LONG, says.recv()).await.expect("nothing is said").expect("a broker")
}

fn knock(service_id: u32) -> ConnInfo {
    message(service_id, false, "")
}

fn ack(service_id: u32, error: &str) -> ConnInfo {
    message(service_id, true, error)
}

fn message(service_id: u32, ack: bool, error: &str) -> ConnInfo {
    let knock = Some(Knock { knock: true, ack, error: error.to_owned() });
    ConnInfo { service_id, network: String::new(), address: String::new(), knock }
}

/// Dials and sends its id, so that the peer answers.
async fn greet(broker: &Broker, id: u32) -> u32 {
    let (mut stream, _) = broker.dial(id).await.unwrap();
    stream.write_u32(id).await.unwrap();
    stream.read_u32().await.unwrap()
}

/// Accepts one connection after another, and answers whatever comes with its id.
fn serve(id: u32, listener: Listener) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            let mut stream = accept(&listener).await;
            assert_eq!(stream.read_u32().await.unwrap(), id, "the stream of another id");
            stream.write_u32(id).await.unwrap();
        }
    })
}

#[tokio::test]
async fn same_ids_both_ways_again_and_again() {
    let (host, plugin, rest) = joined();
    for n in 1..=3 {
        for (acceptor, dialler) in [(&host, &plugin), (&plugin, &host)] {
            let (id, listener) = acceptor.listen().await.unwrap();
            assert_eq!(id, n);
            let server = serve(id, listener);
            assert_eq!(greet(dialler, id).await, id);
            let (stream, to) = dialler.dial(id).await.unwrap();
            assert_eq!(to, Destination::Id(id));
            drop(stream);
            server.abort();
            let _ = server.await;
            let before = Instant::now();
            let error = dialler.redial(&to).await.unwrap_err();
            assert_eq!(error.to_string(), "failed to knock: nothing is served there any more");
            assert!(before.elapsed() < Duration::from_secs(1), "it is known at once that nobody will come");
        }
    }
    for side in &rest {
        assert_eq!(side.knocks.sizes(), [0; 4]);
    }
}

#[tokio::test]
async fn hundreds_at_once_in_both_directions_reach_their_own() {
    let (host, plugin, _rest) = joined();
    let mut dials = tokio::task::JoinSet::new();
    for _ in 0..200 {
        for (acceptor, dialler) in [(&host, &plugin), (&plugin, &host)] {
            let (id, listener) = acceptor.listen().await.unwrap();
            serve(id, listener);
            let dialler = dialler.clone();
            dials.spawn(async move { assert_eq!(greet(&dialler, id).await, id) });
        }
    }
    assert_eq!(dials.join_all().await.len(), 400);
}

#[tokio::test(start_paused = true)]
async fn a_knock_may_come_before_its_listener() {
    let (host, plugin, _rest) = joined();
    let early = tokio::spawn({
        let host = host.clone();
        async move { greet(&host, 1).await }
    });
    tokio::time::sleep(DIAL_TIMEOUT - Duration::from_millis(10)).await;
    let (id, listener) = plugin.listen().await.unwrap();
    serve(id, listener);
    assert_eq!(early.await.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_knock_without_a_listener_times_out_and_is_forgotten() {
    let (host, plugin, mut rest) = joined();
    let before = Instant::now();
    let error = host.dial(1).await.unwrap_err();
    assert_eq!(error.to_string(), "timeout waiting for multiplexing knock handshake");
    assert_eq!(before.elapsed(), DIAL_TIMEOUT);
    assert!(matches!(host.dial(0).await, Err(BrokerError::NoId)));

    // The listener comes too late: it must not take the stream of the next one.
    let (_, _late) = plugin.listen().await.unwrap();
    let (id, listener) = plugin.listen().await.unwrap();
    serve(id, listener);
    assert_eq!(greet(&host, id).await, id);
    assert!(rest[1].main.try_recv().is_err());
    let [_, early, expected, _] = rest[1].knocks.sizes();
    assert_eq!((early, expected), (0, 0));
}

#[tokio::test]
async fn streams_without_a_knock_are_given_back() {
    let (_host, _plugin, mut rest) = joined();
    let _stream = rest[0].session.open().await.unwrap();
    unclaimed(&mut rest[1].main).await;
}

#[tokio::test(start_paused = true)]
async fn an_ack_whose_stream_does_not_come_expires() {
    let (mut ours, mut peer) = scripted();
    let (id, listener) = ours.broker.listen().await.unwrap();
    ours.broker.received(knock(id));
    assert_eq!(said(&mut ours.says).await, ack(id, ""));
    tokio::time::sleep(DIAL_TIMEOUT).await;
    let _stream = peer.session.open().await.unwrap();
    unclaimed(&mut ours.main).await;

    ours.broker.received(knock(id));
    assert_eq!(said(&mut ours.says).await, ack(id, ""));
    tokio::time::sleep(DIAL_TIMEOUT - Duration::from_millis(1)).await;
    let _stream = peer.session.open().await.unwrap();
    listener.accept().await.unwrap();
    assert!(peer.main.try_recv().is_err());
}

#[tokio::test]
async fn a_dial_that_nobody_waits_for_is_finished() {
    let (mut ours, mut peer) = scripted();
    let mut dial = Box::pin(ours.broker.dial(7));
    assert!(poll_once(dial.as_mut()).await.is_none());
    assert_eq!(said(&mut ours.says).await, knock(7));
    drop(dial);
    // The next one waits until the first is done with.
    let next = tokio::spawn({
        let broker = ours.broker.clone();
        async move { broker.dial(8).await.map(|(stream, _)| stream) }
    });
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    assert!(ours.says.try_recv().is_err());

    ours.broker.received(ack(7, ""));
    let mut first = unclaimed(&mut peer.main).await;
    assert_eq!(first.read(&mut [0]).await.unwrap(), 0, "reset, for nobody wants it");
    assert_eq!(said(&mut ours.says).await, knock(8));
    ours.broker.received(ack(8, ""));
    let mut second = unclaimed(&mut peer.main).await;
    let mut stream = next.await.unwrap().unwrap();
    second.write_u8(8).await.unwrap();
    assert_eq!(stream.read_u8().await.unwrap(), 8);
}

#[tokio::test]
async fn the_next_knock_waits_for_an_answer_on_the_last_stream() {
    let (mut ours, mut peer) = scripted();
    let dials: Vec<_> = [1, 2]
        .map(|id| {
            let broker = ours.broker.clone();
            tokio::spawn(async move {
                let (mut stream, _) = broker.dial(id).await.unwrap();
                assert_eq!(stream.read_u32().await.unwrap(), id);
            })
        })
        .into();
    assert_eq!(said(&mut ours.says).await, knock(1));
    ours.broker.received(ack(1, ""));
    let mut first = unclaimed(&mut peer.main).await;
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    assert!(ours.says.try_recv().is_err(), "who accepts may not have taken the stream yet");
    first.write_u32(1).await.unwrap();
    assert_eq!(said(&mut ours.says).await, knock(2));
    ours.broker.received(ack(2, ""));
    unclaimed(&mut peer.main).await.write_u32(2).await.unwrap();
    for dial in dials {
        dial.await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn an_ack_that_comes_too_late_gets_its_stream() {
    let (mut ours, mut peer) = scripted();
    assert!(matches!(ours.broker.dial(7).await, Err(BrokerError::NoAnswer)));
    assert_eq!(said(&mut ours.says).await, knock(7));
    ours.broker.received(ack(7, ""));
    let mut stream = unclaimed(&mut peer.main).await;
    assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
    // Only once, and not for an error.
    ours.broker.received(ack(7, ""));
    assert!(matches!(ours.broker.dial(9).await, Err(BrokerError::NoAnswer)));
    ours.broker.received(ack(9, "no"));
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(peer.main.try_recv().is_err());
    assert_eq!(ours.knocks.sizes(), [0; 4]);
}

#[tokio::test(start_paused = true)]
async fn a_go_host_that_is_not_ready_is_asked_again() {
    let (mut ours, mut peer) = scripted();
    let dial = tokio::spawn({
        let broker = ours.broker.clone();
        async move { broker.dial(3).await.map(|(stream, _)| stream) }
    });
    for _ in 0..4 {
        assert_eq!(said(&mut ours.says).await, knock(3));
        ours.broker.received(ack(3, "no listener for id 3"));
    }
    assert_eq!(said(&mut ours.says).await, knock(3));
    ours.broker.received(ack(3, ""));
    dial.await.unwrap().unwrap();
    unclaimed(&mut peer.main).await;

    let refused = tokio::spawn({
        let broker = ours.broker.clone();
        async move { broker.dial(4).await.unwrap_err().to_string() }
    });
    assert_eq!(said(&mut ours.says).await, knock(4));
    ours.broker.received(ack(4, &"ü".repeat(10_000)));
    assert_eq!(refused.await.unwrap(), format!("failed to knock: {}", "ü".repeat(200)));
}

#[tokio::test(start_paused = true)]
async fn a_storm_of_knocks_costs_little() {
    let (mut ours, _peer) = scripted();
    let (id, _listener) = ours.broker.listen().await.unwrap();
    let mut refused = 0;
    for n in 0..20_000 {
        for message in [knock(id), knock(1000 + n), ack(n, ""), ack(n, "x"), at(n, "unix", "/tmp/a")] {
            ours.broker.received(message);
            while let Ok(answer) = ours.says.try_recv() {
                refused += usize::from(!answer.knock.unwrap().error.is_empty());
            }
        }
    }
    assert_eq!(ours.knocks.sizes(), [1, 256, 256, 0]);
    assert_eq!(refused, 2 * (20_000 - 256), "each one is told");

    // A peer that does not read its answers gets none.
    for _ in 0..100 {
        ours.broker.received(knock(0));
    }
    assert_eq!(ours.says.len(), 8);
    while ours.says.try_recv().is_ok() {}

    tokio::time::sleep(DIAL_TIMEOUT).await;
    ours.broker.received(knock(id));
    assert_eq!(ours.says.try_recv().unwrap(), ack(id, ""), "it is over");
    assert_eq!(ours.knocks.sizes(), [1, 0, 1, 0]);
}

#[tokio::test]
async fn what_is_closed_dials_no_more() {
    let (host, plugin, _rest) = joined();
    let waiting = tokio::spawn({
        let host = host.clone();
        async move { host.dial(1).await.map(drop) }
    });
    tokio::task::yield_now().await;
    host.closed("the plugin was killed");
    assert_eq!(waiting.await.unwrap().unwrap_err().to_string(), "the broker is closed: the plugin was killed");
    assert!(matches!(host.dial(2).await, Err(BrokerError::Closed(_))));
    assert!(matches!(host.listen().await, Err(BrokerError::Closed(_))));
    drop(plugin);

    // A session that is not attached yet, or has ended, is no panic.
    let (ours, peer) = scripted();
    peer.session.close();
    ours.session.ended().cancelled().await;
    let dial = ours.broker.dial(1);
    let answer = async {
        tokio::task::yield_now().await;
        ours.broker.received(ack(1, ""));
    };
    let (dialled, ()) = tokio::join!(dial, answer);
    assert!(matches!(dialled, Err(BrokerError::Stream(_))));
}

/// A peer that knocks ahead: streams are told apart only by their order.
#[tokio::test]
async fn streams_go_to_the_acked_ids_in_their_order() {
    let (mut ours, peer) = scripted();
    let (one, first) = ours.broker.listen().await.unwrap();
    let (two, second) = ours.broker.listen().await.unwrap();
    let mut streams = Vec::new();
    for id in [one, two, two, one] {
        ours.broker.received(knock(id));
        assert_eq!(said(&mut ours.says).await, ack(id, ""));
    }
    for n in 0..4 {
        let mut stream = peer.session.open().await.unwrap();
        stream.write_u32(n).await.unwrap();
        streams.push(stream);
    }
    for (listener, n) in [(&first, 0), (&second, 1), (&second, 2), (&first, 3)] {
        assert_eq!(accept(listener).await.read_u32().await.unwrap(), n);
    }
    assert!(ours.main.try_recv().is_err());
}
