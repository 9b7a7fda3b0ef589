//! Many concurrent calls.

use std::sync::atomic::{AtomicU32, Ordering};
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
    // the limit is known once the server's SETTINGS are received
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

/// Under paused time: what does not happen by then never does, and no real time passes.
async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(3 * 3600), future).await.expect("it never comes")
}

/// Also before the caller can know that there is a limit.
#[tokio::test(start_paused = true)]
async fn no_call_is_refused_for_the_servers_limit_and_the_order_is_kept() {
    for at_a_time in [0, 1, 4] {
        let mut limits = Limits::server();
        limits.max_in_flight = at_a_time;
        let (running, most) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
        let (began, mut order) = mpsc::unbounded_channel();
        let methods = Methods::new().with("/t/Count", {
            let most = most.clone();
            move |_, message| {
                let (running, most, began) = (running.clone(), most.clone(), began.clone());
                async move {
                    most.fetch_max(running.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
                    began.send(message[0]).unwrap();
                    tokio::task::yield_now().await;
                    running.fetch_sub(1, Ordering::Relaxed);
                    Ok(message)
                }
            }
        });
        let (dialled, accepted) = sockets().await;
        let (connection, driver) = Connection::open(dialled, &Limits::client()).await.unwrap();
        tokio::spawn(driver);
        let calls: Vec<_> = (0..100_u8)
            .map(|n| {
                let connection = connection.clone();
                tokio::spawn(async move { connection.call("/t/Count", vec![n]).await })
            })
            .collect();
        settle().await;
        let (stop, abort) = (CancellationToken::new(), CancellationToken::new());
        tokio::spawn(serve_connection(accepted, Arc::new(methods), limits, stop, abort));
        for (n, call) in calls.into_iter().enumerate() {
            assert_eq!(soon(call).await.unwrap().unwrap().body[..], [n as u8]);
            assert_eq!(soon(order.recv()).await, Some(n as u8));
        }
        assert_eq!(most.load(Ordering::Relaxed), at_a_time.max(1));
    }
}

#[tokio::test(start_paused = true)]
async fn the_runtimes_own_calls_pass_by_those_that_wait() {
    let mut limits = Limits::server();
    limits.max_in_flight = 1;
    let (methods, mut events) = Methods::new().with_hang();
    let (connection, _served) = connect_with(methods, Limits::client(), limits).await;
    let hang = |timeout| {
        let connection = connection.clone();
        tokio::spawn(async move { connection.unary("/t/Hang", HeaderMap::new(), timeout, Bytes::new()).await })
    };
    let first = hang(None);
    assert_eq!(soon(events.recv()).await, Some(Event::Started));
    let (cancelled, late, next) = (hang(None), hang(Some(Duration::from_secs(3600))), hang(None));
    assert_eq!(soon(connection.call("/fixed/Echo", "alive")).await.unwrap().body, "alive");
    cancelled.abort();
    assert_eq!(answered(soon(late).await.unwrap()).0, tonic::Code::DeadlineExceeded);
    assert_eq!(soon(connection.call("/fixed/Echo", "alive")).await.unwrap().body, "alive");
    assert!(events.try_recv().is_err(), "none of those that waited has run");
    first.abort();
    assert_eq!((soon(events.recv()).await, soon(events.recv()).await), (Some(Event::Dropped), Some(Event::Started)));
    next.abort();
    assert_eq!(soon(events.recv()).await, Some(Event::Dropped));
    assert_eq!(soon(connection.call("/t/Echo", "on")).await.unwrap().body, "on");
}

/// Like those of calls that are forwarded to a stalled caller.
#[tokio::test(start_paused = true)]
async fn replies_that_nobody_reads_hold_up_no_other_call() {
    const REPLY: usize = 12 << 20;
    let methods = Methods::new().with("/t/Large", |_, _| async { Ok(vec![1; REPLY].into()) });
    let (connection, _served) = connect(methods).await;
    let mut unread = Vec::new();
    for _ in 0..12 {
        let body = Body::new(http_body_util::Full::new(Bytes::from_static(b"\0\0\0\0\0")));
        let request = Request::post("/t/Large").header("content-type", "application/grpc").body(body).unwrap();
        unread.push(soon(connection.forward(request)).await.unwrap());
    }
    assert_eq!(soon(connection.call("/fixed/Echo", "alive")).await.unwrap().body, "alive");
    for reply in unread {
        let whole = soon(http_body_util::BodyExt::collect(reply.into_body())).await.unwrap();
        assert_eq!(whole.to_bytes().len(), 5 + REPLY);
    }
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
        // in the last round some are cancelled before the server has seen them, some after
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
