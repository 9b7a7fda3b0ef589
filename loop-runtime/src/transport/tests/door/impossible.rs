//! Calls that cannot be sent at all: they fail at once, and nothing is sent to the peer.

use http::{HeaderName, HeaderValue};

use super::*;

fn headers(name: &'static str, value: &str) -> HeaderMap {
    HeaderMap::from_iter([(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())])
}

/// Polled once, so that whatever waits for the peer fails.
#[track_caller]
fn at_once(connection: &Connection, path: &str, headers: HeaderMap) -> String {
    let mut call = std::pin::pin!(connection.unary(path, headers, None, Bytes::new()));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match call.as_mut().poll(&mut context) {
        std::task::Poll::Ready(Err(failure @ Failure::Impossible(_))) => {
            assert!(!failure.is_from_peer());
            failure.to_string()
        }
        other => panic!("{path}: {other:?}"),
    }
}

fn all_impossible(connection: &Connection) {
    for name in ["connection", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade"] {
        let why = at_once(connection, "/a.B/C", headers(name, "x"));
        assert!(why.contains(&format!("`{name}: x`")), "{why}");
    }
    let why = at_once(connection, "/a.B/C", headers("x-long", &"x".repeat(10_000)));
    assert!(why.contains("10000"), "{why}");
    for path in ["/a b", "/\n", "/\u{e9}\0"] {
        let why = at_once(connection, path, HeaderMap::new());
        assert!(why.contains(&format!("{path:?}")), "{why}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_caller_is_told_and_the_connection_works_on() {
    let mut limits = Limits::client();
    limits.max_header_list = 10_000;
    let (door, mut peer) = Door::open_to(limits, None).await;
    all_impossible(&door.connection);
    peer.settings(&[]).await;
    all_impossible(&door.connection);
    assert!(door.is(State::Usable));
    let call = door.call();
    assert_eq!(peer.takes_call().await, 1, "no other came before");
    peer.answers(1, "fine").await;
    within(call).await.unwrap().unwrap();

    // What can never be sent does not depend on this connection.
    door.connection.retire();
    all_impossible(&door.connection);
    within(door.connection.ended().cancelled()).await;
    all_impossible(&door.connection);
    door.goes(peer).await;
}
