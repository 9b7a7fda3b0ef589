//! Which failures prove that the peer is alive.

use super::*;

/// The peer's kernel or transport may keep the connection up; only what concerns a call is a sign of life.
#[tokio::test(start_paused = true)]
async fn what_keeps_the_connection_up_is_no_word_about_a_call() {
    let (door, mut peer) = Door::open().await;
    let call = door.call();
    let stream = peer.takes_call().await;
    peer.settings(&[]).await;
    peer.opens_window(0, 1000).await;
    peer.opens_window(stream, 1000).await;
    peer.is_heard().await;
    assert!(!call.is_finished());
    drop(peer);
    assert!(!within(call).await.unwrap().unwrap_err().is_from_peer());
    within(door.driver).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_failed_on_this_side_says_nothing_of_the_peer() {
    let (door, mut peer) = Door::open().await;
    // The response violates HTTP/2, which this side detects and the peer does not know: response headers without a
    // `:status`.
    let call = door.call();
    let stream = peer.takes_call().await;
    peer.frame(1, 4, stream, b"\0\x01x\x01y").await;
    let failure = may_have_run(within(call).await.unwrap());
    assert!(!failure.is_from_peer(), "{failure}");
    assert!(door.is(State::Usable));

    let call = door.call();
    peer.takes_call().await;
    door.connection.close();
    assert!(!may_have_run(within(call).await.unwrap()).is_from_peer());
    door.takes_none().await;
    door.goes(peer).await;
}
