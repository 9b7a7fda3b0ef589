//! Usable, retired, ended: every change is an event, and needs no call to be noticed.

use super::peer::*;
use super::*;

#[tokio::test(start_paused = true)]
async fn an_idle_connection_hears_that_the_peer_goes_away_and_ends() {
    for last in [0, ALL] {
        let (door, mut peer) = Door::open().await;
        assert!(door.is(State::Usable));
        peer.goes_away(last, NO_ERROR).await;
        within(door.connection.retired().cancelled()).await;
        peer.hears_of_no_call().await;
        within(door.connection.ended().cancelled()).await;
        assert!(door.connection.went_away(), "whichever call it named: the peer may live on");
        door.takes_none().await;
        within(door.driver).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_only_was_busy_hears_it_too() {
    let (door, mut peer) = Door::open().await;
    for _ in 0..3 {
        door.works(&mut peer).await;
    }
    peer.goes_away(ALL, NO_ERROR).await;
    within(door.connection.retired().cancelled()).await;
    door.goes(peer).await;
}

#[tokio::test(start_paused = true)]
async fn a_goaway_in_pieces_is_one() {
    let (door, mut peer) = Door::open().await;
    let call = door.call();
    let stream = peer.takes_call().await;
    for byte in [0, 0, 8, 7, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0] {
        assert!(door.is(State::Usable));
        peer.bytes(&[byte]).await;
        settle().await;
    }
    peer.bytes(&[0]).await;
    peer.is_heard().await;
    assert!(door.is(State::Retired));
    peer.answers(stream, "fine").await;
    within(call).await.unwrap().unwrap();
    door.goes(peer).await;
}

/// Like the broker's streams, which end with the plugin.
#[tokio::test(start_paused = true)]
async fn a_stream_goes_on_while_the_connection_is_retired_until_the_peer_hangs_up() {
    for by_us in [false, true] {
        let (door, mut peer) = Door::open().await;
        let stream = door.stream();
        let id = peer.takes_call().await;
        peer.begins_answer(id).await;
        let mut items = within(stream).await.unwrap().unwrap().into_body();
        if by_us {
            door.connection.retire();
        } else {
            peer.goes_away(ALL, NO_ERROR).await;
        }
        within(door.connection.retired().cancelled()).await;
        for _ in 0..3 {
            peer.sends_item(id, "news").await;
            let item = within(items.frame()).await.unwrap().unwrap().into_data().unwrap();
            assert_eq!(item, "\0\0\0\0\x04news");
            assert!(door.is(State::Retired));
        }
        drop(peer);
        within(items.frame()).await.unwrap().unwrap_err();
        within(door.connection.ended().cancelled()).await;
        within(door.driver).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn our_own_wish_retires() {
    let (door, mut peer) = Door::open().await;
    let call = door.call();
    let stream = peer.takes_call().await;
    door.connection.retire();
    assert!(door.is(State::Retired));
    door.takes_none().await;
    peer.is_heard().await;
    assert!(door.is(State::Retired));
    peer.answers(stream, "fine").await;
    assert_eq!(within(call).await.unwrap().unwrap().body, "fine");
    door.goes(peer).await;
}

#[tokio::test(start_paused = true)]
async fn our_own_wish_ends_an_idle_connection() {
    let (door, peer) = Door::open().await;
    door.connection.retire();
    within(door.connection.ended().cancelled()).await;
    door.goes(peer).await;

    // Before the peer has sent anything.
    let (door, peer) = Door::open_to(Limits::client(), None).await;
    door.connection.retire();
    door.goes(peer).await;
}

#[tokio::test(start_paused = true)]
async fn a_connection_whose_stream_numbers_run_low_retires() {
    let (door, mut peer) = Door::open_to(Limits::client(), Some(3)).await;
    peer.settings(&[]).await;
    door.works(&mut peer).await;
    let first = door.call();
    let second = peer.takes_call().await;
    assert!(door.is(State::Usable));
    let last = door.call();
    let third = peer.takes_call().await;
    within(door.connection.retired().cancelled()).await;
    door.takes_none().await;
    peer.answers(third, "last").await;
    peer.answers(second, "first").await;
    assert_eq!(within(last).await.unwrap().unwrap().body, "last");
    assert_eq!(within(first).await.unwrap().unwrap().body, "first");
    door.goes(peer).await;
}

#[tokio::test(start_paused = true)]
async fn closing_ends_at_once() {
    let (door, mut peer) = Door::open().await;
    let call = door.call();
    peer.takes_call().await;
    door.connection.close();
    assert!(!door.is(State::Usable));
    may_have_run(within(call).await.unwrap());
    door.takes_none().await;
    door.goes(peer).await;
}

#[tokio::test(start_paused = true)]
async fn closing_ends_a_retired_connection_too() {
    let (door, mut peer) = Door::open().await;
    let call = door.call();
    peer.takes_call().await;
    peer.goes_away(ALL, NO_ERROR).await;
    within(door.connection.retired().cancelled()).await;
    door.connection.close();
    may_have_run(within(call).await.unwrap());
    door.goes(peer).await;
}

#[tokio::test(start_paused = true)]
async fn without_its_driver_it_has_ended() {
    let (door, mut peer) = Door::open().await;
    let call = door.call();
    peer.takes_call().await;
    door.driver.abort();
    may_have_run(within(call).await.unwrap());
    within(door.connection.ended().cancelled()).await;
    assert!(!door.connection.is_usable() && door.connection.retired().is_cancelled());
    peer.hears_the_end().await;
}

/// It ends after the calls that use it, in each state.
#[tokio::test(start_paused = true)]
async fn without_its_last_clone_it_ends() {
    for (busy, retired) in [(false, false), (true, false), (true, true)] {
        let (door, mut peer) = Door::open().await;
        let call = match busy {
            true => Some((door.call(), peer.takes_call().await)),
            false => None,
        };
        let Door { connection, driver } = door;
        let ended = connection.ended().clone();
        if retired {
            peer.goes_away(ALL, NO_ERROR).await;
            within(connection.retired().cancelled()).await;
        }
        drop(connection);
        if let Some((call, stream)) = call {
            peer.is_heard().await;
            assert!(!ended.is_cancelled());
            peer.answers(stream, "fine").await;
            within(call).await.unwrap().unwrap();
        }
        within(ended.cancelled()).await;
        within(driver).await.unwrap();
        peer.hears_the_end().await;
    }
}
