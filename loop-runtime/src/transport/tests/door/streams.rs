//! Calls whose response is read message by message: how each may end, and that nothing else looks like its end.

use std::future::poll_fn;

use super::peer::{CANCEL, NO_ERROR, REFUSED_STREAM};
use super::*;
use crate::transport::streaming::{Asked, Exchange};

fn begin(door: &Door) -> Exchange {
    door.connection.exchange("/t/Stream", HeaderMap::new(), None, Asked::One(Bytes::from_static(b"hi"))).unwrap()
}

async fn next(exchange: &mut Exchange) -> Option<Result<Bytes, Failure>> {
    within(poll_fn(|cx| exchange.poll_message(cx))).await
}

/// The messages up to the end, and the failure if that was one.
async fn all(mut exchange: Exchange) -> (Vec<Bytes>, Option<Failure>) {
    let mut messages = Vec::new();
    loop {
        match next(&mut exchange).await {
            Some(Ok(message)) => messages.push(message),
            Some(Err(failure)) => {
                assert!(next(&mut exchange).await.is_none(), "a failure is the last");
                return (messages, Some(failure));
            }
            None => return (messages, None),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn it_ends_with_the_status_ok() {
    let (door, mut peer) = Door::open().await;
    let exchange = begin(&door);
    let stream = peer.takes_call().await;
    peer.begins_answer(stream).await;
    for item in ["one", "", "three"] {
        peer.sends_item(stream, item).await;
    }
    peer.ends_answer(stream, 0).await;
    let (messages, failure) = all(exchange).await;
    assert_eq!(messages, ["one", "", "three"]);
    assert!(failure.is_none(), "{failure:?}");
}

#[tokio::test(start_paused = true)]
async fn another_status_is_an_answer() {
    let (door, mut peer) = Door::open().await;
    let exchange = begin(&door);
    let stream = peer.takes_call().await;
    peer.begins_answer(stream).await;
    peer.sends_item(stream, "one").await;
    peer.ends_answer(stream, 5).await;
    let (messages, failure) = all(exchange).await;
    assert_eq!(messages, ["one"]);
    assert!(
        matches!(&failure, Some(Failure::Answered(status)) if status.code() == tonic::Code::NotFound),
        "{failure:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn nothing_else_looks_like_the_end() {
    for how in ["no status", "a reset", "another reset", "the connection"] {
        let (door, mut peer) = Door::open().await;
        let mut exchange = begin(&door);
        let stream = peer.takes_call().await;
        peer.begins_answer(stream).await;
        peer.sends_item(stream, "one").await;
        assert_eq!(next(&mut exchange).await.unwrap().unwrap(), "one");
        match how {
            "no status" => peer.ends_without_status(stream).await,
            "a reset" => peer.resets(stream, NO_ERROR).await,
            "another reset" => peer.resets(stream, CANCEL).await,
            _ => drop(peer),
        }
        let (messages, failure) = all(exchange).await;
        assert!(messages.is_empty());
        assert!(matches!(failure, Some(Failure::MayHaveRun(_))), "{how}: {failure:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_cut_off_is_none_whatever_the_status() {
    let (door, mut peer) = Door::open().await;
    let exchange = begin(&door);
    let stream = peer.takes_call().await;
    peer.begins_answer(stream).await;
    peer.sends_part_of_an_item(stream).await;
    peer.ends_answer(stream, 0).await;
    let (messages, failure) = all(exchange).await;
    assert!(messages.is_empty());
    assert!(
        matches!(&failure, Some(Failure::Answered(status)) if status.code() == tonic::Code::Internal),
        "{failure:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn one_that_was_refused_unseen_did_not_run() {
    let (door, mut peer) = Door::open().await;
    let exchange = begin(&door);
    let stream = peer.takes_call().await;
    peer.resets(stream, REFUSED_STREAM).await;
    let (_, failure) = all(exchange).await;
    assert!(matches!(failure, Some(Failure::NotRun(_))), "{failure:?}");
}

#[tokio::test(start_paused = true)]
async fn dropping_it_cancels_the_call() {
    let (door, mut peer) = Door::open().await;
    let mut exchange = begin(&door);
    let stream = peer.takes_call().await;
    peer.begins_answer(stream).await;
    peer.sends_item(stream, "one").await;
    assert_eq!(next(&mut exchange).await.unwrap().unwrap(), "one");
    drop(exchange);
    assert_eq!(peer.is_told_off(stream).await, CANCEL);
}
