//! A peer with few concurrent streams is neither dead nor retired.

use super::peer::*;
use super::*;

const AT_A_TIME: usize = 4;

#[tokio::test(start_paused = true)]
async fn calls_beyond_a_limit_that_was_not_known_did_not_run_and_can_be_sent_again() {
    let (door, mut peer) = Door::open_to(Limits::client(), None).await;
    let mut calls: Vec<_> = (0..12).map(|_| door.call()).collect();
    let mut streams = Vec::new();
    for _ in 0..12 {
        streams.push(peer.takes_call().await);
    }
    peer.settings(&[(MAX_CONCURRENT_STREAMS, AT_A_TIME as u32)]).await;
    for refused in streams.drain(AT_A_TIME..) {
        peer.resets(refused, REFUSED_STREAM).await;
    }
    for call in calls.drain(AT_A_TIME..) {
        assert!(not_run(within(call).await.unwrap()).is_from_peer());
    }
    assert!(door.is(State::Usable));
    let again = door.call();
    for stream in streams {
        peer.answers(stream, "first").await;
    }
    for call in calls {
        assert_eq!(within(call).await.unwrap().unwrap().body, "first");
    }
    let stream = peer.takes_call().await;
    peer.answers(stream, "again").await;
    assert_eq!(within(again).await.unwrap().unwrap().body, "again");
    door.connection.close();
    door.goes(peer).await;
}

#[tokio::test(start_paused = true)]
async fn calls_beyond_a_known_limit_wait_and_say_nothing() {
    let (door, mut peer) = Door::open().await;
    peer.settings(&[(MAX_CONCURRENT_STREAMS, AT_A_TIME as u32)]).await;
    peer.knows_settings().await;
    let calls: Vec<_> = (0..3 * AT_A_TIME).map(|_| door.call()).collect();
    let mut open = std::collections::VecDeque::new();
    for _ in &calls {
        if open.len() == AT_A_TIME {
            peer.is_heard().await;
            assert!(door.is(State::Usable));
            peer.answers(open.pop_front().unwrap(), "fine").await;
        }
        open.push_back(peer.takes_call().await);
    }
    for stream in open {
        peer.answers(stream, "fine").await;
    }
    for call in calls {
        within(call).await.unwrap().unwrap();
    }
    door.connection.close();
    door.goes(peer).await;
}

/// Those queued when the peer sends a GOAWAY have not been sent.
#[tokio::test(start_paused = true)]
async fn calls_that_wait_did_not_run_when_the_peer_goes_away() {
    let (door, mut peer) = Door::open().await;
    peer.settings(&[(MAX_CONCURRENT_STREAMS, 1)]).await;
    peer.knows_settings().await;
    let first = door.call();
    let stream = peer.takes_call().await;
    let waiting: Vec<_> = (0..3).map(|_| door.call()).collect();
    peer.is_heard().await;
    peer.goes_away(stream, NO_ERROR).await;
    for call in waiting {
        not_run(within(call).await.unwrap());
    }
    peer.answers(stream, "fine").await;
    within(first).await.unwrap().unwrap();
    door.goes(peer).await;
}
