//! The reported outcome of a call, and that it is true.

use super::peer::*;
use super::*;

#[tokio::test(start_paused = true)]
async fn an_answer_is_an_answer_whatever_its_code() {
    let (door, mut peer) = Door::open().await;
    door.works(&mut peer).await;
    for code in 1..10 {
        let call = door.call();
        let stream = peer.takes_call().await;
        peer.begins_answer(stream).await;
        peer.ends_answer(stream, code).await;
        let failure = within(call).await.unwrap().unwrap_err();
        assert!(failure.is_from_peer());
        assert_eq!(answered(Err::<(), _>(failure)).0, tonic::Code::from(i32::from(code)));
    }
    assert!(door.is(State::Usable));
    door.connection.close();
    door.goes(peer).await;
}

#[tokio::test(start_paused = true)]
async fn a_refused_call_did_not_run_and_the_next_one_does() {
    let (door, mut peer) = Door::open().await;
    let call = door.call();
    let stream = peer.takes_call().await;
    peer.resets(stream, REFUSED_STREAM).await;
    assert!(not_run(within(call).await.unwrap()).is_from_peer());
    assert!(door.is(State::Usable));
    door.works(&mut peer).await;
    door.connection.close();
    door.goes(peer).await;
}

/// A peer that sends both was wrong at least once.
#[tokio::test(start_paused = true)]
async fn a_call_that_is_refused_in_the_middle_of_its_answer_may_have_run() {
    let (door, mut peer) = Door::open().await;
    let call = door.call();
    let stream = peer.takes_call().await;
    peer.begins_answer(stream).await;
    peer.resets(stream, REFUSED_STREAM).await;
    assert!(may_have_run(within(call).await.unwrap()).is_from_peer());

    let call = door.call();
    let stream = peer.takes_call().await;
    peer.begins_answer(stream).await;
    peer.goes_away(stream - 2, NO_ERROR).await;
    may_have_run(within(call).await.unwrap());
    door.goes(peer).await;
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_reset_may_have_run_and_the_next_one_does() {
    let (door, mut peer) = Door::open().await;
    for code in [NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, CANCEL, ENHANCE_YOUR_CALM] {
        for answer_began in [false, true] {
            let call = door.call();
            let stream = peer.takes_call().await;
            if answer_began {
                peer.begins_answer(stream).await;
                peer.sends_item(stream, "half").await;
            }
            peer.resets(stream, code).await;
            let failure = may_have_run(within(call).await.unwrap());
            assert!(failure.is_from_peer(), "{code}: {failure}");
            assert!(door.is(State::Usable));
        }
    }
    door.works(&mut peer).await;
    door.connection.close();
    door.goes(peer).await;
}

/// As servers do that have responded and do not read the rest of the request.
#[tokio::test(start_paused = true)]
async fn an_answer_counts_though_the_request_is_not_wanted_any_more() {
    let (door, mut peer) = Door::open().await;
    for message in ["short".to_owned(), "longer than any window ".repeat(100_000)] {
        for code in [NO_ERROR, CANCEL] {
            let call = door.call_with(message.clone());
            let stream = peer.takes_call().await;
            peer.answers(stream, "enough").await;
            peer.resets(stream, code).await;
            assert_eq!(within(call).await.unwrap().unwrap().body, "enough");
        }
    }
    door.connection.close();
    door.goes(peer).await;
}

#[tokio::test(start_paused = true)]
async fn a_call_that_ends_without_a_status_may_have_run() {
    let (door, mut peer) = Door::open().await;
    let call = door.call();
    let stream = peer.takes_call().await;
    peer.begins_answer(stream).await;
    peer.sends_item(stream, "all").await;
    peer.ends_without_status(stream).await;
    assert!(may_have_run(within(call).await.unwrap()).is_from_peer());
    assert!(door.is(State::Usable));
    door.connection.close();
    door.goes(peer).await;
}

#[tokio::test(start_paused = true)]
async fn calls_above_the_last_stream_of_a_goaway_did_not_run_and_those_below_are_answered() {
    let (door, mut peer) = Door::open().await;
    let (first, second, third) = (door.call(), door.call(), door.call());
    let streams = [peer.takes_call().await, peer.takes_call().await, peer.takes_call().await];
    peer.goes_away(streams[1], NO_ERROR).await;
    assert!(not_run(within(third).await.unwrap()).is_from_peer());
    assert!(door.is(State::Retired));
    door.takes_none().await;
    peer.answers(streams[1], "two").await;
    assert_eq!(within(second).await.unwrap().unwrap().body, "two");
    assert!(door.is(State::Retired), "one is left");
    peer.answers(streams[0], "one").await;
    assert_eq!(within(first).await.unwrap().unwrap().body, "one");
    door.goes(peer).await;
}

/// As gRPC servers stop: the first GOAWAY only announces it.
#[tokio::test(start_paused = true)]
async fn of_a_goaway_in_two_steps_the_second_says_which_calls_did_not_run() {
    let (door, mut peer) = Door::open().await;
    let (first, second) = (door.call(), door.call());
    let streams = [peer.takes_call().await, peer.takes_call().await];
    peer.goes_away(ALL, NO_ERROR).await;
    within(door.connection.retired().cancelled()).await;
    door.takes_none().await;
    peer.is_heard().await;
    assert!(!first.is_finished() && !second.is_finished());
    peer.goes_away(streams[0], NO_ERROR).await;
    assert!(not_run(within(second).await.unwrap()).is_from_peer());
    peer.answers(streams[0], "one").await;
    assert_eq!(within(first).await.unwrap().unwrap().body, "one");
    door.goes(peer).await;
}

#[tokio::test(start_paused = true)]
async fn after_a_goaway_and_the_end_calls_below_may_have_run_and_those_above_did_not() {
    for steps in [&[ALL, 1][..], &[1]] {
        let (door, mut peer) = Door::open().await;
        let (below, above) = (door.call(), door.call());
        assert_eq!((peer.takes_call().await, peer.takes_call().await), (1, 3));
        for last in steps {
            peer.goes_away(*last, NO_ERROR).await;
        }
        drop(peer);
        assert!(!may_have_run(within(below).await.unwrap()).is_from_peer());
        assert!(not_run(within(above).await.unwrap()).is_from_peer());
        within(door.driver).await.unwrap();
    }
}

/// The peer is about to disconnect; should it not do so, the connection ends nevertheless.
#[tokio::test(start_paused = true)]
async fn a_goaway_with_an_error_ends_the_connection() {
    for code in [PROTOCOL_ERROR, INTERNAL_ERROR, ENHANCE_YOUR_CALM] {
        let (door, mut peer) = Door::open().await;
        let (answered, below, above) = (door.call(), door.call(), door.call());
        let streams = [peer.takes_call().await, peer.takes_call().await, peer.takes_call().await];
        peer.answers(streams[0], "before").await;
        peer.goes_away(streams[1], code).await;
        assert_eq!(within(answered).await.unwrap().unwrap().body, "before");
        let failure = may_have_run(within(below).await.unwrap());
        assert!(failure.to_string().contains("the peer ended the connection: "), "{failure}");
        not_run(within(above).await.unwrap());
        assert!(!door.connection.went_away(), "the peer has a complaint");
        door.takes_none().await;
        door.goes(peer).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_under_way_at_the_end_may_have_run_and_the_next_does_not() {
    let (door, mut peer) = Door::open().await;
    let call = door.call();
    peer.takes_call().await;
    drop(peer);
    assert!(!may_have_run(within(call).await.unwrap()).is_from_peer(), "an end is no word");
    door.takes_none().await;
    within(door.driver).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_breaks_the_rules_loses_the_connection() {
    let (door, mut peer) = Door::open().await;
    let call = door.call();
    peer.takes_call().await;
    // A response on a stream that was never opened.
    peer.begins_answer(99).await;
    assert!(!may_have_run(within(call).await.unwrap()).is_from_peer());
    door.goes(peer).await;
}
