//! Streams: every kind, how each begins, flows and ends.

use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use loop_runtime::plugin::Plugin;
use loop_runtime::prelude::*;
use loop_runtime::{Call, CallOptions, with_timeout};

use crate::journal::{Journal, Lines};
use crate::peer::{Peer, both, refused};
use crate::support;

/// Why a stream ends.
#[derive(Debug, LoopError, thiserror::Error)]
#[message(package = "shapes.streams")]
pub(crate) enum FeedError {
    #[error("dry at {at}")]
    #[wire(1, code = OutOfRange)]
    Dry {
        #[wire(1)]
        at: u64,
    },
    #[error(transparent)]
    #[wire(transport)]
    Boundary(Error),
}

/// An item that is a message.
#[derive(Clone, Debug, PartialEq, LoopMessage)]
#[message(package = "shapes.streams")]
pub(crate) struct Item {
    #[wire(1)]
    number: u64,
    #[wire(2)]
    data: Vec<u8>,
}

/// Streams of every kind.
#[loop_service(package = "shapes.streams")]
pub(crate) trait Feed {
    /// Where notes go, also of streams that have ended.
    #[rpc(replay)]
    async fn open(&self, journal: Arc<dyn Journal>) -> Result<()>;
    /// The numbers below `end`; refused for 0.
    async fn below(&self, end: u64) -> Result<Streaming<u64>>;
    /// Whole messages, of `length` bytes each.
    #[rpc(whole)]
    async fn items(&self, count: u64, length: u64) -> Result<Streaming<Item>>;
    /// Several values an item.
    #[rpc(returns(number = 1, name = 2))]
    async fn pairs(&self, count: u64) -> Result<Streaming<(u64, String)>>;
    /// Two items, then an error.
    async fn dries(&self) -> Result<Streaming<u64>>;
    /// One item, then an error with a type.
    async fn typed(&self) -> Result<Streaming<u64, FeedError>, FeedError>;
    /// One item, then a panic.
    async fn panics(&self) -> Result<Streaming<u64>>;
    /// Notes in the journal when it begins and when it is dropped; sends nothing.
    async fn silent(&self) -> Result<Streaming<u64>>;
    /// Endless; notes how many items were taken from it when it is dropped.
    async fn endless(&self, length: u64) -> Result<Streaming<Vec<u8>>>;
    /// The sum, beside other arguments.
    async fn sum(&self, start: u64, numbers: Streaming<u64>, label: &str) -> Result<String>;
    /// Takes the first item only.
    async fn first(&self, numbers: Streaming<u64>) -> Result<Option<u64>>;
    /// Notes how the stream ended.
    async fn ends(&self, journal: Arc<dyn Journal>, numbers: Streaming<u64>) -> Result<()>;
    /// Sends back what comes.
    async fn echo(&self, items: Streaming<Item>) -> Result<Streaming<Item>>;
    /// The deadline and the metadata, as the stream's body sees them.
    async fn context(&self) -> Result<Streaming<String>>;
    /// Numbers, ten a second; not subscribed to again.
    async fn ticks(&self) -> Result<Streaming<u64>>;
    /// The id of the process, ten times a second; goes on in the next one.
    #[rpc(resubscribe)]
    async fn alerts(&self) -> Result<Streaming<u32>>;
    /// An ordinary method.
    async fn ping(&self) -> Result<u64>;
}

#[derive(Default)]
pub(crate) struct Source(Mutex<Option<Arc<dyn Journal>>>);

impl Source {
    fn journal(&self) -> Result<Arc<dyn Journal>> {
        Ok(self.0.lock().unwrap().clone().ok_or("not opened")?)
    }
}

struct Ending(Arc<dyn Journal>, Arc<AtomicU64>);

impl Drop for Ending {
    fn drop(&mut self) {
        let (journal, line) = (self.0.clone(), format!("dropped after {}", self.1.load(Ordering::Relaxed)));
        tokio::spawn(async move { journal.note(&line).await });
    }
}

impl Feed for Source {
    async fn open(&self, journal: Arc<dyn Journal>) -> Result<()> {
        *self.0.lock().unwrap() = Some(journal);
        Ok(())
    }

    async fn below(&self, end: u64) -> Result<Streaming<u64>> {
        match end {
            0 => Err(Error::invalid_argument("there is nothing below 0")),
            end => Ok(Streaming::iter(0..end)),
        }
    }

    async fn items(&self, count: u64, length: u64) -> Result<Streaming<Item>> {
        Ok(Streaming::iter((0..count).map(move |number| Item { number, data: vec![number as u8; length as usize] })))
    }

    async fn pairs(&self, count: u64) -> Result<Streaming<(u64, String)>> {
        Ok(Streaming::iter((0..count).map(|number| (number, format!("n{number}")))))
    }

    async fn dries(&self) -> Result<Streaming<u64>> {
        let (sender, stream) = Streaming::channel(1);
        tokio::spawn(async move {
            sender.send(0).await?;
            sender.send(1).await?;
            sender.fail(Error::new(Code::OutOfRange, "dry at 2")).await;
            Ok::<_, loop_runtime::streaming::Unread<u64>>(())
        });
        Ok(stream)
    }

    async fn typed(&self) -> Result<Streaming<u64, FeedError>, FeedError> {
        let (sender, stream) = Streaming::channel(2);
        let _ = sender.send(0).await;
        sender.fail(FeedError::Dry { at: 1 }).await;
        Ok(stream)
    }

    async fn panics(&self) -> Result<Streaming<u64>> {
        Ok(Streaming::iter((0..2).map(|number| if number == 1 { panic!("on purpose") } else { number })))
    }

    async fn silent(&self) -> Result<Streaming<u64>> {
        let journal = self.journal()?;
        journal.note("began").await?;
        let ending = Ending(journal, Arc::default());
        Ok(Streaming::new(Silent(ending)))
    }

    async fn endless(&self, length: u64) -> Result<Streaming<Vec<u8>>> {
        let ending = Ending(self.journal()?, Arc::default());
        Ok(Streaming::iter(std::iter::repeat_with(move || {
            ending.1.fetch_add(1, Ordering::Relaxed);
            vec![7; length as usize]
        })))
    }

    async fn sum(&self, start: u64, mut numbers: Streaming<u64>, label: &str) -> Result<String> {
        let mut sum = start;
        while let Some(number) = numbers.next().await {
            sum += number?;
        }
        Ok(format!("{label} {sum}"))
    }

    async fn first(&self, mut numbers: Streaming<u64>) -> Result<Option<u64>> {
        numbers.next().await.transpose()
    }

    async fn ends(&self, journal: Arc<dyn Journal>, mut numbers: Streaming<u64>) -> Result<()> {
        loop {
            match numbers.next().await {
                Some(Ok(number)) => journal.note(&format!("item {number}")).await?,
                Some(Err(error)) => return journal.note(&format!("ended with {}", error.code())).await,
                None => return journal.note("ended").await,
            }
        }
    }

    async fn echo(&self, items: Streaming<Item>) -> Result<Streaming<Item>> {
        Ok(items)
    }

    async fn context(&self) -> Result<Streaming<String>> {
        let mut asked = false;
        Ok(Streaming::iter(std::iter::from_fn(move || {
            let call = Call::current();
            let text = format!("{} {:?}", call.deadline().is_some(), call.metadata("x-tenant"));
            (!std::mem::replace(&mut asked, true)).then_some(text)
        })))
    }

    async fn ticks(&self) -> Result<Streaming<u64>> {
        Ok(every(|number| number))
    }

    async fn alerts(&self) -> Result<Streaming<u32>> {
        Ok(every(|_| std::process::id()))
    }

    async fn ping(&self) -> Result<u64> {
        Ok(1)
    }
}

/// An item every tenth of a second, until nobody reads.
fn every<T: Send + 'static>(item: impl Fn(u64) -> T + Send + 'static) -> Streaming<T> {
    let (sender, stream) = Streaming::channel(1);
    tokio::spawn(async move {
        for number in 0.. {
            if sender.send(item(number)).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    stream
}

/// Sends nothing, and never ends.
struct Silent(#[allow(dead_code, reason = "notes its drop")] Ending);

impl futures_core::Stream for Silent {
    type Item = Result<u64>;

    fn poll_next(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<u64>>> {
        std::task::Poll::Pending
    }
}

pub(crate) async fn plugin(plugin: Plugin) -> ExitCode {
    plugin.serve::<dyn Feed>(Arc::<Source>::default()).await
}

fn feed(case: impl AsyncFn(Arc<dyn Feed>, Lines)) {
    both::<dyn Feed>(
        "streams",
        || Arc::<Source>::default(),
        async |peer: &Peer| {
            let (feed, lines) = (peer.get::<dyn Feed>().await, Lines::new());
            // So that no call is the first one of a connection by accident.
            feed.open(lines.journal()).await.unwrap();
            case(feed, lines).await;
        },
    );
}

async fn all<T, E>(mut stream: Streaming<T, E>) -> (Vec<T>, Option<E>) {
    let mut items = Vec::new();
    loop {
        match stream.next().await {
            Some(Ok(item)) => items.push(item),
            Some(Err(error)) => {
                assert!(stream.next().await.is_none(), "an error is the last item");
                return (items, Some(error));
            }
            None => return (items, None),
        }
    }
}

#[test]
fn items_come_in_order_and_end() {
    feed(async |feed, _| {
        for count in [1, 2, 1000, 100_000] {
            let (items, error) = all(feed.below(count).await.unwrap()).await;
            assert!(error.is_none() && items.iter().copied().eq(0..count), "{count}: {error:?}");
        }
        let (pairs, error) = all(feed.pairs(3).await.unwrap()).await;
        assert!(error.is_none());
        assert_eq!(pairs, [(0, "n0".to_owned()), (1, "n1".to_owned()), (2, "n2".to_owned())]);
        assert!(all(feed.pairs(0).await.unwrap()).await.0.is_empty());
    });
}

#[test]
fn messages_of_any_length_are_items() {
    feed(async |feed, _| {
        for (count, length) in [(100, 0), (100, 64), (100, 16 * 1024), (20, 100_000), (4, 5 << 20)] {
            let (items, error) = all(feed.items(count, length).await.unwrap()).await;
            assert!(error.is_none(), "{error:?}");
            assert_eq!(items.len() as u64, count);
            for (number, item) in items.into_iter().enumerate() {
                assert_eq!(item, Item { number: number as u64, data: vec![number as u8; length as usize] });
            }
        }
    });
}

#[test]
fn a_refusal_comes_before_the_stream() {
    // As the first call of a connection too: nothing is known of the peer then.
    both::<dyn Feed>(
        "streams",
        || Arc::<Source>::default(),
        async |peer: &Peer| {
            let feed = peer.get::<dyn Feed>().await;
            assert_eq!(refused(feed.below(0).await), (Code::InvalidArgument, "there is nothing below 0".to_owned()));
        },
    );
}

#[test]
fn an_error_is_the_last_item() {
    feed(async |feed, _| {
        let (items, error) = all(feed.dries().await.unwrap()).await;
        assert_eq!(items, [0, 1]);
        let error = error.expect("an error");
        assert_eq!((error.code(), error.message()), (Code::OutOfRange, "dry at 2"));
        assert!(error.loss().is_none());
    });
}

#[test]
fn an_error_with_a_type_is_the_last_item() {
    feed(async |feed, _| {
        let (items, error) = all(feed.typed().await.unwrap()).await;
        assert_eq!(items, [0]);
        assert!(matches!(error, Some(FeedError::Dry { at: 1 })), "{error:?}");
    });
}

#[test]
fn a_panic_is_the_last_item_and_the_process_lives() {
    feed(async |feed, _| {
        let (items, error) = all(feed.panics().await.unwrap()).await;
        assert_eq!(items, [0]);
        let error = error.expect("an error");
        assert_eq!(error.code(), Code::Internal);
        assert!(error.message().contains("panicked in /shapes.streams.Feed/Panics: on purpose"), "{error}");
        assert_eq!(feed.ping().await.unwrap(), 1);
    });
}

#[test]
fn a_reader_who_goes_away_ends_a_stream_that_waits() {
    feed(async |feed, lines| {
        let stream = feed.silent().await.unwrap();
        assert_eq!(lines.all(), ["began"]);
        drop(stream);
        lines.has("dropped after 0").await;
    });
}

#[test]
fn a_reader_who_stops_stops_the_producer() {
    feed(async |feed, lines| {
        let mut stream = feed.endless(64 * 1024).await.unwrap();
        stream.next().await.unwrap().unwrap();
        // Others on the connection are not held up meanwhile.
        for _ in 0..200 {
            assert_eq!(feed.ping().await.unwrap(), 1);
        }
        drop(stream);
        let lines = lines.until(|lines| !lines.is_empty()).await;
        let taken: u64 = lines[0].strip_prefix("dropped after ").unwrap().parse().unwrap();
        // One window of 4 MiB, one message, and what was read.
        assert!(taken <= 64 + 4, "{taken} items of 64 KiB were taken for a reader of one");
    });
}

#[test]
fn a_deadline_ends_a_stream_on_both_sides() {
    feed(async |feed, lines| {
        let begun = Instant::now();
        let mut stream = with_timeout(Duration::from_millis(300), feed.silent()).await.unwrap();
        let error = stream.next().await.unwrap().unwrap_err();
        assert_eq!(error.code(), Code::DeadlineExceeded, "{error}");
        assert!(begun.elapsed() >= Duration::from_millis(300));
        assert!(stream.next().await.is_none());
        lines.has("dropped after 0").await;
    });
}

#[test]
fn the_context_of_the_call_is_that_of_its_stream() {
    feed(async |feed, _| {
        let options = CallOptions::new().timeout(Duration::from_secs(600)).metadata("x-tenant", "acme").unwrap();
        let stream = options.scope(feed.context()).await.unwrap();
        assert_eq!(all(stream).await.0, ["true Some(\"acme\")"]);
    });
}

#[test]
fn a_stream_among_the_arguments_arrives_beside_the_others() {
    feed(async |feed, _| {
        for count in [0, 1, 3, 10_000] {
            let sum = feed.sum(5, Streaming::iter(0..count), "sum").await.unwrap();
            assert_eq!(sum, format!("sum {}", 5 + (0..count).sum::<u64>()));
        }
    });
}

#[test]
fn an_early_answer_drops_the_producer() {
    feed(async |feed, _| {
        let (sender, numbers) = Streaming::channel(1);
        let call = tokio::spawn(async move { feed.first(numbers).await });
        sender.send(7).await.unwrap();
        sender.closed().await;
        assert_eq!(call.await.unwrap().unwrap(), Some(7));
    });
}

#[test]
fn the_error_of_a_producer_cancels_the_call_and_is_its_error() {
    feed(async |feed, lines| {
        let (sender, numbers) = Streaming::channel(1);
        let journal = lines.journal();
        let call = tokio::spawn(async move { feed.ends(journal, numbers).await });
        sender.send(7).await.unwrap();
        lines.has("item 7").await;
        sender.fail(Error::not_found("no more numbers")).await;
        let error = call.await.unwrap().unwrap_err();
        assert_eq!((error.code(), error.message()), (Code::NotFound, "no more numbers"));
    });
}

#[test]
fn a_stream_both_ways_answers_item_by_item() {
    feed(async |feed, _| {
        let (sender, items) = Streaming::channel(1);
        let mut echo = feed.echo(items).await.unwrap();
        for number in 0..100 {
            let item = Item { number, data: vec![1; 10] };
            sender.send(item.clone()).await.unwrap();
            assert_eq!(echo.next().await.unwrap().unwrap(), item);
        }
        drop(sender);
        assert!(echo.next().await.is_none());
        // Whoever stops reading stops the sender too.
        let (sender, items) = Streaming::channel(1);
        drop(feed.echo(items).await.unwrap());
        sender.closed().await;
    });
}

#[test]
fn closing_does_not_wait_for_a_subscription() {
    support::test(async |lab| {
        let plugin = lab.launch("streams").await;
        let feed: Arc<dyn Feed> = plugin.dispense().await.unwrap();
        let lines = Lines::new();
        feed.open(lines.journal()).await.unwrap();
        let mut stream = feed.silent().await.unwrap();
        let begun = Instant::now();
        let (end, ()) = tokio::join!(stream.next(), plugin.close());
        let error = end.expect("an error").unwrap_err();
        assert!(error.message().contains("closed"), "{error}");
        assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
        assert!(stream.next().await.is_none());
    });
}

#[test]
fn a_lost_stream_ends_with_a_loss_and_another_goes_on() {
    support::test(async |lab| {
        let plugin = lab.launch("streams").await;
        let feed: Arc<dyn Feed> = plugin.dispense().await.unwrap();
        let mut once = feed.ticks().await.unwrap();
        let mut again = feed.alerts().await.unwrap();
        assert_eq!(once.next().await.unwrap().unwrap(), 0);
        let first = again.next().await.unwrap().unwrap();
        assert_eq!(again.times_resubscribed(), 0);
        plugin.restart();
        let error = loop {
            match once.next().await.expect("a loss is no end") {
                Ok(_) => {}
                Err(error) => break error,
            }
        };
        assert!(error.loss().is_some_and(|loss| loss.may_have_run), "{error:?}");
        assert!(once.next().await.is_none());
        // The process that the items name is another one.
        let second = loop {
            let process = again.next().await.expect("it goes on").unwrap();
            if process != first {
                break process;
            }
        };
        assert_ne!(first, second);
        assert_eq!(again.times_resubscribed(), 1);
        plugin.close().await;
    });
}

/// A host between two plugins passes a stream on, and the reader's end subscribes again.
#[test]
fn a_stream_is_passed_on() {
    support::test(async |lab| {
        let (plugin, reader) = (lab.launch("streams").await, lab.launch("streams: reader").await);
        let feed: Arc<dyn Feed> = plugin.dispense().await.unwrap();
        let reader: Arc<dyn Reader> = reader.dispense().await.unwrap();
        assert_eq!(reader.count(feed.clone(), 10_000).await.unwrap(), 10_000);
        assert_eq!(reader.total(feed.clone(), 1000).await.unwrap(), format!("total {}", 1000 * 999 / 2));
        // Dropped there, it is dropped here.
        let lines = Lines::new();
        feed.open(lines.journal()).await.unwrap();
        reader.peek(feed).await.unwrap();
        lines.until(|lines| lines.iter().any(|line| line.starts_with("dropped after"))).await;
    });
}

/// Reads another plugin's streams.
#[loop_service(package = "shapes.streams")]
pub(crate) trait Reader {
    /// How many items came.
    async fn count(&self, feed: Arc<dyn Feed>, end: u64) -> Result<u64>;
    /// Sends a stream.
    async fn total(&self, feed: Arc<dyn Feed>, end: u64) -> Result<String>;
    /// Reads one item of many.
    async fn peek(&self, feed: Arc<dyn Feed>) -> Result<()>;
}

struct Reading;

impl Reader for Reading {
    async fn count(&self, feed: Arc<dyn Feed>, end: u64) -> Result<u64> {
        let (mut stream, mut count) = (feed.below(end).await?, 0);
        while let Some(item) = stream.next().await {
            item?;
            count += 1;
        }
        Ok(count)
    }

    async fn total(&self, feed: Arc<dyn Feed>, end: u64) -> Result<String> {
        feed.sum(0, Streaming::iter(0..end), "total").await
    }

    async fn peek(&self, feed: Arc<dyn Feed>) -> Result<()> {
        feed.endless(1024).await?.next().await.ok_or("nothing came")??;
        Ok(())
    }
}

pub(crate) async fn reader_plugin(plugin: Plugin) -> ExitCode {
    plugin.serve::<dyn Reader>(Arc::new(Reading)).await
}
