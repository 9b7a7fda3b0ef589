//! The load: callers that call one after another, several of them at once.

use std::future::Future;
use std::ops::DerefMut;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::Outcome;

/// How long a call takes when thousands are in flight.
pub(crate) const NAP: Duration = Duration::from_millis(50);

/// How much to call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    /// The size of the data, in the request and in the reply.
    pub(crate) bytes: usize,
    pub(crate) in_flight: usize,
    /// In total.
    pub(crate) calls: usize,
}

/// A client of one stack. Every caller has a clone of its own.
pub(crate) trait Caller: Clone + Send + 'static {
    /// Sends `data` there and back; returns the length received.
    fn echo(&mut self, data: &[u8]) -> impl Future<Output = Outcome<usize>> + Send;
    /// A call that takes [`NAP`] and next to no CPU time.
    fn nap(&mut self) -> impl Future<Output = Outcome<()>> + Send;
}

/// Makes the calls and returns the total time.
pub(crate) async fn run(load: Load, caller: &impl Caller) -> Outcome<Duration> {
    let began = Instant::now();
    let mut callers = JoinSet::new();
    for _ in 0..load.in_flight {
        let mut caller = caller.clone();
        callers.spawn(async move {
            let data = vec![7; load.bytes];
            for _ in 0..load.calls / load.in_flight {
                if caller.echo(&data).await? != load.bytes {
                    return Err("another length came back".into());
                }
            }
            Ok(())
        });
    }
    all(callers).await?;
    Ok(began.elapsed())
}

/// Has `calls` calls in flight at once, and returns the time until all are answered.
pub(crate) async fn flood(calls: usize, caller: &impl Caller) -> Outcome<Duration> {
    let began = Instant::now();
    let mut callers = JoinSet::new();
    for _ in 0..calls {
        let mut caller = caller.clone();
        callers.spawn(async move { caller.nap().await });
    }
    all(callers).await?;
    Ok(began.elapsed())
}

/// How many call while the process behind them is replaced.
const MEANWHILE: usize = 4;

/// Calls, with a client from `client` for each call, while `replacing` runs; returns the longest time of a call.
pub(crate) async fn meanwhile<C, F>(
    client: impl Fn() -> F + Clone + Send + 'static,
    replacing: impl Future<Output = Outcome<()>>,
) -> Outcome<Duration>
where
    C: DerefMut<Target: Caller> + Send,
    F: Future<Output = C> + Send,
{
    let stop = Arc::new(AtomicBool::new(false));
    let mut callers = JoinSet::new();
    for _ in 0..MEANWHILE {
        let (client, stop) = (client.clone(), stop.clone());
        callers.spawn(async move {
            let mut longest = Duration::ZERO;
            while !stop.load(Ordering::Relaxed) {
                let began = Instant::now();
                client().await.echo(&[7; 64]).await?;
                longest = longest.max(began.elapsed());
            }
            Outcome::Ok(longest)
        });
    }
    let replaced = replacing.await;
    stop.store(true, Ordering::Relaxed);
    let mut longest = Duration::ZERO;
    while let Some(caller) = callers.join_next().await {
        longest = longest.max(caller??);
    }
    replaced.map(|()| longest)
}

async fn all(mut callers: JoinSet<Outcome<()>>) -> Outcome<()> {
    while let Some(done) = callers.join_next().await {
        done??;
    }
    Ok(())
}
