//! The load: callers that call one after another, several of them at once.

use std::future::Future;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::Outcome;

/// How long a call takes of which thousands are in flight.
pub(crate) const NAP: Duration = Duration::from_millis(50);

/// How much to call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    /// Of data, in the request and in the reply.
    pub(crate) bytes: usize,
    pub(crate) in_flight: usize,
    /// In all.
    pub(crate) calls: usize,
}

/// A client of one stack. Every caller has a clone of its own.
pub(crate) trait Caller: Clone + Send + 'static {
    /// Sends `data` there and back; gives the length of what came.
    fn echo(&mut self, data: &[u8]) -> impl Future<Output = Outcome<usize>> + Send;
    /// A call that takes [`NAP`] and next to no processor time.
    fn nap(&mut self) -> impl Future<Output = Outcome<()>> + Send;
}

/// Makes the calls and gives the time that all of them took.
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

/// Has `calls` calls in flight at once, and gives the time until all are answered.
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

async fn all(mut callers: JoinSet<Outcome<()>>) -> Outcome<()> {
    while let Some(done) = callers.join_next().await {
        done??;
    }
    Ok(())
}
