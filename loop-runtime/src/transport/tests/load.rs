//! Many calls at once.

use std::time::Duration;

use tokio::sync::Barrier;

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_calls_are_in_flight_at_once() {
    const CALLS: usize = 10_000;
    let together = Arc::new(Barrier::new(CALLS));
    let methods = Methods::new().with("/t/Meet", move |_, message| {
        let together = together.clone();
        async move {
            together.wait().await;
            Ok(message)
        }
    });
    let (connection, _served) = connect(methods).await;
    let calls: Vec<_> = (0..CALLS)
        .map(|_| {
            let connection = connection.clone();
            tokio::spawn(async move { connection.call("/t/Meet", vec![1; 100]).await })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap().body.len(), 100);
    }
}

#[tokio::test]
async fn calls_beyond_the_servers_limit_wait_for_their_turn() {
    let mut limits = Limits::server();
    limits.max_in_flight = 2;
    let (methods, mut events) = Methods::new().with_hang();
    let (connection, _served) = connect_with(methods, Limits::client(), limits).await;
    // the limit is known once the server's settings have come
    connection.call("/t/Echo", "").await.unwrap();
    let hang = || {
        let connection = connection.clone();
        tokio::spawn(async move { connection.call("/t/Hang", "").await })
    };
    let (one, _two) = (hang(), hang());
    assert_eq!((events.recv().await, events.recv().await), (Some(Event::Started), Some(Event::Started)));
    let mut third = Box::pin(connection.call("/t/Echo", "third"));
    assert!(tokio::time::timeout(Duration::from_millis(50), third.as_mut()).await.is_err());
    one.abort();
    assert_eq!(third.await.unwrap().body, "third");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancelling_thousands_at_once_is_not_taken_for_an_attack() {
    let (methods, mut events) = Methods::new().with_hang();
    let (connection, _served) = connect(methods).await;
    for round in 0..3 {
        let calls: Vec<_> = (0..5000)
            .map(|_| {
                let connection = connection.clone();
                tokio::spawn(async move { connection.call("/t/Hang", "").await })
            })
            .collect();
        // in the last round some are cancelled before the server has looked at them, some after
        if round < 2 {
            for _ in 0..5000 {
                assert_eq!(events.recv().await, Some(Event::Started));
            }
        }
        calls.iter().for_each(JoinHandle::abort);
        for call in calls {
            assert!(call.await.is_err());
        }
        assert_eq!(connection.call("/t/Echo", "on").await.unwrap().body, "on", "round {round}");
        while round < 2 && events.recv().await != Some(Event::Dropped) {}
        for _ in 1..5000 {
            if round < 2 {
                assert_eq!(events.recv().await, Some(Event::Dropped));
            }
        }
    }
}

#[tokio::test]
async fn cancelling_before_the_server_has_looked_is_no_attack_either() {
    let (dialled, accepted) = sockets().await;
    let (connection, driver) = Connection::open(dialled, &Limits::client()).await.unwrap();
    tokio::spawn(driver);
    let calls: Vec<_> = (0..90)
        .map(|_| {
            let connection = connection.clone();
            tokio::spawn(async move { connection.call("/t/Echo", "").await })
        })
        .collect();
    settle().await;
    calls.iter().for_each(JoinHandle::abort);
    settle().await;
    let (stop, abort) = (CancellationToken::new(), CancellationToken::new());
    tokio::spawn(serve_connection(accepted, Arc::new(Methods::new()), Limits::server(), stop, abort));
    assert_eq!(connection.call("/t/Echo", "on").await.unwrap().body, "on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_messages_share_the_windows() {
    let (connection, _served) = connect(Methods::new()).await;
    let message = Bytes::from(vec![9; 3 << 20]);
    let calls: Vec<_> = (0..64)
        .map(|_| {
            let (connection, message) = (connection.clone(), message.clone());
            tokio::spawn(async move { connection.call("/t/Echo", message).await })
        })
        .collect();
    for call in calls {
        assert!(call.await.unwrap().unwrap().body == message);
    }
}
