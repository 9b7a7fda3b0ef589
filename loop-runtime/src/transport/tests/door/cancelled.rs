//! Dropping a call, in each state of it and of its connection.

use super::peer::*;
use super::*;

/// Aborts a task, and waits until its future is dropped.
async fn cancel<T>(call: JoinHandle<T>) {
    call.abort();
    assert!(call.await.is_err(), "it was under way");
}

#[tokio::test(start_paused = true)]
async fn the_peer_is_told_and_the_connection_works_on() {
    let (door, mut peer) = Door::open().await;
    for answer_began in [false, true] {
        let call = door.call();
        let stream = peer.takes_call().await;
        if answer_began {
            peer.begins_answer(stream).await;
            peer.sends_item(stream, "half").await;
            peer.is_heard().await;
        }
        cancel(call).await;
        assert_eq!(peer.is_told_off(stream).await, CANCEL);
        assert!(door.is(State::Usable));
        // What the peer had sent by then is ignored.
        peer.ends_answer(stream, 0).await;
    }
    // A message that waits for the window.
    let call = door.call_with(vec![0; 1 << 20]);
    let stream = peer.takes_call().await;
    cancel(call).await;
    assert_eq!(peer.is_told_off(stream).await, CANCEL);
    // It used some of the connection's window.
    peer.opens_window(0, 1 << 20).await;
    door.works(&mut peer).await;
    door.connection.close();
    door.goes(peer).await;
}

#[tokio::test(start_paused = true)]
async fn the_last_call_of_a_retired_connection_takes_it_along() {
    for by_us in [false, true] {
        let (door, mut peer) = Door::open().await;
        let call = door.call();
        let stream = peer.takes_call().await;
        if by_us {
            door.connection.retire();
        } else {
            peer.goes_away(ALL, NO_ERROR).await;
            within(door.connection.retired().cancelled()).await;
        }
        cancel(call).await;
        assert_eq!(peer.is_told_off(stream).await, CANCEL);
        door.goes(peer).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_cancelled_by_dropping_its_answer() {
    let (door, mut peer) = Door::open().await;
    let stream = door.stream();
    let id = peer.takes_call().await;
    peer.begins_answer(id).await;
    peer.sends_item(id, "one").await;
    let answer = within(stream).await.unwrap().unwrap();
    peer.is_heard().await;
    drop(answer);
    assert_eq!(peer.is_told_off(id).await, CANCEL);
    door.works(&mut peer).await;
    door.connection.close();
    door.goes(peer).await;
}

/// Its stream id may be used up nevertheless.
#[tokio::test(start_paused = true)]
async fn a_call_that_waits_for_its_turn_is_forgotten_or_taken_back_at_once() {
    let (door, mut peer) = Door::open().await;
    peer.settings(&[(MAX_CONCURRENT_STREAMS, 1)]).await;
    peer.knows_settings().await;
    let first = door.call();
    let stream = peer.takes_call().await;
    let waiting = door.call();
    peer.is_heard().await;
    cancel(waiting).await;
    peer.answers(stream, "fine").await;
    within(first).await.unwrap().unwrap();
    let next = door.call();
    let stream = peer.takes_call_that_stays().await;
    peer.answers(stream, "next").await;
    assert_eq!(within(next).await.unwrap().unwrap().body, "next");
    door.connection.close();
    door.goes(peer).await;
}

#[tokio::test(start_paused = true)]
async fn at_the_end_nobody_is_told() {
    let (door, mut peer) = Door::open().await;
    let call = door.call();
    peer.takes_call().await;
    door.connection.close();
    call.abort();
    let _ = call.await;
    door.goes(peer).await;
}
