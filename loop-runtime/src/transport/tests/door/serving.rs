//! The serving side: how a server stops.

use tokio::sync::watch;

use super::peer::*;
use super::*;

/// Answers calls of `/t/Gate` once the gate is open, and reports each that begins.
fn gated() -> (Methods, watch::Sender<bool>, mpsc::UnboundedReceiver<()>) {
    let (open, gate) = watch::channel(false);
    let (began, begun) = mpsc::unbounded_channel();
    let methods = Methods::new().with("/t/Gate", move |_, message| {
        let (mut gate, began) = (gate.clone(), began.clone());
        async move {
            began.send(()).unwrap();
            gate.wait_for(|open| *open).await.unwrap();
            Ok(message)
        }
    });
    (methods, open, begun)
}

fn serve(methods: Methods, io: DuplexStream) -> Served {
    let (stop, abort) = (CancellationToken::new(), CancellationToken::new());
    let serving = serve_connection(io, Arc::new(methods), Limits::server(), stop.clone(), abort.clone());
    Served { stop, abort, task: tokio::spawn(serving) }
}

#[tokio::test(start_paused = true)]
async fn it_says_so_in_two_steps_and_answers_what_came_before_the_second() {
    let (methods, open, mut begun) = gated();
    let (near, far) = duplex(1 << 16);
    let served = serve(methods, near);
    let mut peer = Peer::client(far).await;
    peer.calls(1, "/t/Gate").await;
    within(begun.recv()).await.unwrap();
    served.stop.cancel();
    assert_eq!(peer.hears_of_the_end().await, (ALL, NO_ERROR));
    // It was in flight when the peer learned of the stop.
    peer.calls(3, "/t/Gate").await;
    within(begun.recv()).await.unwrap();
    peer.answers_ping().await;
    assert_eq!(peer.hears_of_the_end().await, (3, NO_ERROR));
    // The peer has been told by now.
    peer.calls(5, "/t/Gate").await;
    peer.is_heard().await;
    assert!(begun.try_recv().is_err(), "it did not run");
    open.send(true).unwrap();
    let mut answered = [peer.takes_answer().await, peer.takes_answer().await];
    answered.sort_unstable();
    assert_eq!(answered, [1, 3]);
    peer.hears_the_end().await;
    within(served.task).await.unwrap();
    nothing_runs().await;
}

#[tokio::test(start_paused = true)]
async fn its_clients_retire_answers_come_and_later_calls_do_not_run() {
    let (methods, open, mut begun) = gated();
    let (near, far) = duplex(1 << 16);
    let served = serve(methods, far);
    let (connection, driver) = Door::spawn(Connection::open(near, &Limits::client()).await.unwrap());
    let door = Door { connection, driver };
    let calls: Vec<_> = (0..10)
        .map(|_| {
            let connection = door.connection.clone();
            tokio::spawn(async move { connection.call("/t/Gate", "through").await })
        })
        .collect();
    for _ in 0..10 {
        within(begun.recv()).await.unwrap();
    }
    served.stop.cancel();
    within(door.connection.retired().cancelled()).await;
    door.takes_none().await;
    assert!(door.is(State::Retired));
    open.send(true).unwrap();
    for call in calls {
        assert_eq!(within(call).await.unwrap().unwrap().body, "through");
    }
    within(served.task).await.unwrap();
    within(door.connection.ended().cancelled()).await;
    within(door.driver).await.unwrap();
    nothing_runs().await;
}

/// No call is in flight: the end is noticed nevertheless.
#[tokio::test(start_paused = true)]
async fn its_idle_clients_end() {
    let (methods, _open, _begun) = gated();
    let (near, far) = duplex(1 << 16);
    let served = serve(methods, far);
    let (connection, driver) = Door::spawn(Connection::open(near, &Limits::client()).await.unwrap());
    settle().await;
    served.stop.cancel();
    within(connection.retired().cancelled()).await;
    within(connection.ended().cancelled()).await;
    within(driver).await.unwrap();
    within(served.task).await.unwrap();
    nothing_runs().await;
}

#[tokio::test(start_paused = true)]
async fn it_takes_metadata_in_as_many_pieces_as_go_sends() {
    let (near, far) = duplex(1 << 20);
    let (told, mut lengths) = mpsc::unbounded_channel();
    let methods = Methods::new().with("/t/Long", move |headers, message| {
        told.send(headers["x-long"].len()).unwrap();
        async move { Ok(message) }
    });
    let served = serve(methods, near);
    let mut peer = Peer::client(far).await;
    for (call, length) in [200_000, 200, 2_000_000].into_iter().enumerate() {
        let stream = 2 * call as u32 + 1;
        peer.calls_with_metadata(stream, "/t/Long", length).await;
        assert_eq!((peer.takes_answer().await, lengths.recv().await), (stream, Some(length)));
    }
    served.abort.cancel();
    peer.hears_the_end().await;
    within(served.task).await.unwrap();
}
