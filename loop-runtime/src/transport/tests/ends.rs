//! How calls and connections end before a response.

use tokio::io::AsyncWriteExt;

use super::*;

#[tokio::test]
async fn dropping_the_callers_future_drops_the_handlers() {
    let (methods, mut events) = Methods::new().with_hang();
    let (connection, _served) = connect(methods).await;
    for message in ["small".into(), Bytes::from(vec![0; 8 << 20])] {
        let call = tokio::spawn({
            let connection = connection.clone();
            async move { connection.call("/t/Hang", message).await }
        });
        assert_eq!(events.recv().await, Some(Event::Started));
        call.abort();
        assert_eq!(events.recv().await, Some(Event::Dropped));
    }
    assert_eq!(connection.call("/t/Echo", "on").await.unwrap().body, "on");
}

#[tokio::test]
async fn a_call_in_flight_is_lost_with_the_server_and_the_next_is_not_sent() {
    let (methods, mut events) = Methods::new().with_hang();
    let (connection, served) = connect(methods).await;
    let call = tokio::spawn({
        let connection = connection.clone();
        async move { connection.call("/t/Hang", "").await }
    });
    assert_eq!(events.recv().await, Some(Event::Started));
    assert!(connection.is_usable());
    served.abort.cancel();
    assert!(assert_lost(call.await.unwrap()).starts_with("the connection was lost: "));
    connection.ended().cancelled().await;
    assert!(!connection.is_usable());
    assert_eq!(assert_not_run(connection.call("/t/Echo", "").await), "the connection has ended");

    served.task.await.unwrap();
    assert_eq!(events.try_recv(), Ok(Event::Dropped), "no handler outlives serve_connection");
}

#[tokio::test]
async fn closing_loses_the_calls_in_flight() {
    let (methods, mut events) = Methods::new().with_hang();
    let (connection, served) = connect(methods).await;
    let calls: Vec<_> = (0..50)
        .map(|_| {
            let connection = connection.clone();
            tokio::spawn(async move { connection.call("/t/Hang", "").await })
        })
        .collect();
    for _ in 0..50 {
        assert_eq!(events.recv().await, Some(Event::Started));
    }
    connection.close();
    assert!(!connection.is_usable());
    for call in calls {
        assert_lost(call.await.unwrap());
    }
    connection.ended().cancelled().await;
    served.task.await.unwrap();
    for _ in 0..50 {
        assert_eq!(events.try_recv(), Ok(Event::Dropped));
    }
    assert_not_run(connection.call("/t/Echo", "").await);
}

#[tokio::test]
async fn closing_does_not_wait_for_a_peer_that_reads_nothing() {
    let (near, _far) = tokio::io::duplex(64);
    // too small even for the preface, so that opening is what hangs
    let limits = Limits::client();
    let mut opening = Box::pin(Connection::open(near, &limits));
    tokio::select! {
        biased;
        _ = opening.as_mut() => {}
        () = tokio::task::yield_now() => {}
    }
    drop(opening);

    let (near, mut far) = tokio::io::duplex(1000);
    let (connection, driver) = Connection::open(near, &Limits::client()).await.unwrap();
    let driver = tokio::spawn(driver);
    // SETTINGS and a ping, which have to be answered before anything else is read
    far.write_all(b"\0\0\0\x04\0\0\0\0\0\0\0\x08\x06\0\0\0\0\0pingping").await.unwrap();
    let call = tokio::spawn({
        let connection = connection.clone();
        async move { connection.call("/t/Echo", vec![0; 1 << 20]).await }
    });
    settle().await;
    far.write_all(b"\0\0\x08\x06\0\0\0\0\0pingping").await.unwrap();
    settle().await;
    connection.close();
    driver.await.unwrap();
    assert!(connection.ended().is_cancelled());
    assert!(matches!(call.await.unwrap(), Err(Failure::MayHaveRun(_) | Failure::NotRun(_))));
}

#[tokio::test]
async fn dropping_the_driver_closes() {
    let (methods, mut events) = Methods::new().with_hang();
    let (dialled, accepted) = sockets().await;
    let (stop, abort) = (CancellationToken::new(), CancellationToken::new());
    let serving = tokio::spawn(serve_connection(accepted, Arc::new(methods), Limits::server(), stop, abort));
    let (connection, driver) = Connection::open(dialled, &Limits::client()).await.unwrap();
    let driver = tokio::spawn(driver);
    let call = tokio::spawn({
        let connection = connection.clone();
        async move { connection.call("/t/Hang", "").await }
    });
    assert_eq!(events.recv().await, Some(Event::Started));
    driver.abort();
    assert_lost(call.await.unwrap());
    connection.ended().cancelled().await;
    serving.await.unwrap();
}

#[tokio::test]
async fn the_last_clone_closes_after_its_calls() {
    let (go, gate) = tokio::sync::oneshot::channel::<()>();
    let gate = Arc::new(tokio::sync::Mutex::new(Some(gate)));
    let (started, mut starts) = mpsc::unbounded_channel();
    let methods = Methods::new().with("/t/Gate", move |_, message| {
        let (gate, started) = (gate.clone(), started.clone());
        async move {
            started.send(()).unwrap();
            let gate = gate.lock().await.take().unwrap();
            gate.await.unwrap();
            Ok(message)
        }
    });
    let (connection, served) = connect(methods).await;
    let ended = connection.ended().clone();
    let call = tokio::spawn(async move { connection.call("/t/Gate", "through").await });
    starts.recv().await.unwrap();
    assert!(!ended.is_cancelled());
    go.send(()).unwrap();
    assert_eq!(call.await.unwrap().unwrap().body, "through");
    ended.cancelled().await;
    served.task.await.unwrap();
}

#[tokio::test]
async fn a_graceful_stop_answers_what_is_in_flight() {
    let (go, gate) = tokio::sync::watch::channel(false);
    let (started, mut starts) = mpsc::unbounded_channel();
    let methods = Methods::new().with("/t/Gate", move |_, message| {
        let (mut gate, started) = (gate.clone(), started.clone());
        async move {
            started.send(()).unwrap();
            gate.wait_for(|open| *open).await.unwrap();
            Ok(message)
        }
    });
    let (connection, served) = connect(methods).await;
    let calls: Vec<_> = (0..10)
        .map(|_| {
            let connection = connection.clone();
            tokio::spawn(async move { connection.call("/t/Gate", "through").await })
        })
        .collect();
    for _ in 0..10 {
        starts.recv().await.unwrap();
    }
    served.stop.cancel();
    // refused once the GOAWAY has arrived; answered until then
    while connection.call("/t/Echo", "").await.is_ok() {}
    assert_not_run(connection.call("/t/Echo", "").await);
    assert!(!served.task.is_finished());
    go.send(true).unwrap();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap().body, "through");
    }
    served.task.await.unwrap();
    connection.ended().cancelled().await;
}

#[tokio::test]
async fn a_silent_peer_is_waited_for_until_abort() {
    let (_dialled, accepted) = sockets().await;
    let (stop, abort) = (CancellationToken::new(), CancellationToken::new());
    let serving = serve_connection(accepted, Arc::new(Methods::new()), Limits::server(), stop.clone(), abort.clone());
    let serving = tokio::spawn(serving);
    stop.cancel();
    tokio::task::yield_now().await;
    assert!(!serving.is_finished());
    abort.cancel();
    serving.await.unwrap();
}

/// Something else was written into the connection: a frame header, after which all replies are its payload.
#[tokio::test(start_paused = true)]
async fn a_call_behind_a_frame_that_never_ends_is_lost() {
    let (near, mut far) = tokio::io::duplex(1 << 16);
    let (connection, driver) = Connection::open(near, &Limits::client()).await.unwrap();
    tokio::spawn(driver);
    far.write_all(&[0x10, 0, 0, 0, 0, 0, 0, 0, 1]).await.unwrap();
    let lost = assert_lost(connection.call("/t/Hang", "").await);
    assert!(lost.contains("the peer began a frame and does not end it"), "{lost}");
    assert!(!connection.is_usable());
}

/// The same on the serving side: it disconnects, and the caller sees that.
#[tokio::test(start_paused = true)]
async fn a_server_hangs_up_on_a_frame_that_never_ends() {
    let (methods, _) = Methods::new().with_hang();
    let (near, mut far) = tokio::io::duplex(1 << 16);
    let (stop, abort) = (CancellationToken::new(), CancellationToken::new());
    let serving = tokio::spawn(serve_connection(near, Arc::new(methods), Limits::server(), stop, abort));
    far.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
    far.write_all(&[0x10, 0, 0, 0, 0, 0, 0, 0, 1]).await.unwrap();
    serving.await.unwrap();
}
