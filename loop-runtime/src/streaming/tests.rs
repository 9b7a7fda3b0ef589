//! Streams in process.

use super::*;
use crate::error::Result;

#[tokio::test]
async fn the_first_error_is_the_last_item() {
    let mut stream: Streaming<u32> = Streaming::new(Items(vec![Ok(3), Err(Error::unknown("broken")), Ok(1)]));
    assert_eq!(stream.next().await.unwrap().unwrap(), 1);
    assert_eq!(stream.next().await.unwrap().unwrap_err().message(), "broken");
    assert!(stream.next().await.is_none());
    assert!(stream.next().await.is_none());
    assert_eq!(stream.times_resubscribed(), 0);
}

#[tokio::test]
async fn a_channel_waits_for_room_and_ends_with_its_last_sender() {
    let (sender, mut stream) = Streaming::<u32>::channel(0);
    let other = sender.clone();
    sender.send(1).await.unwrap();
    assert!(std::pin::pin!(sender.send(2)).as_mut().poll(&mut noop()).is_pending());
    assert_eq!(stream.next().await.unwrap().unwrap(), 1);
    other.send(3).await.unwrap();
    drop((sender, other));
    assert_eq!(stream.next().await.unwrap().unwrap(), 3);
    assert!(stream.next().await.is_none());
}

#[tokio::test]
async fn a_sender_hears_that_nobody_reads() {
    let (sender, stream) = Streaming::<&str>::channel(1);
    assert!(!sender.is_closed());
    drop(stream);
    sender.closed().await;
    assert!(sender.is_closed());
    assert_eq!(sender.send("late").await.unwrap_err().into_item(), "late");
}

#[tokio::test]
async fn a_producer_that_panics_does_not_look_finished() {
    let (sender, mut stream) = Streaming::<u32>::channel(4);
    let producer = tokio::spawn(async move {
        sender.send(1).await.unwrap();
        panic!("on purpose");
    });
    assert!(producer.await.is_err());
    assert_eq!(stream.next().await.unwrap().unwrap(), 1);
    assert!(stream.next().await.unwrap().unwrap_err().message().contains("panicked"));
    assert!(stream.next().await.is_none());
}

#[tokio::test]
async fn a_sender_can_end_a_stream_with_an_error() {
    let (sender, mut stream) = Streaming::<u32>::channel(4);
    sender.fail(Error::not_found("no more")).await;
    assert_eq!(stream.next().await.unwrap().unwrap_err().message(), "no more");
    assert!(stream.next().await.is_none());
}

/// Gives its items from the back.
struct Items(Vec<Result<u32>>);

impl Stream for Items {
    type Item = Result<u32>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<u32>>> {
        Poll::Ready(self.0.pop())
    }
}

fn noop() -> Context<'static> {
    Context::from_waker(std::task::Waker::noop())
}
