//! The service that the two languages offer each other, and Rust's answer to it.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use loop_runtime::Call;
use loop_runtime::plugin::sync_stderr;
use loop_runtime::prelude::*;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Semaphore;

use crate::notes;

/// Of the plugins in Rust and in Go alike.
pub(crate) const HANDSHAKE: Handshake = Handshake::new("INTEROP_COOKIE", "biscuit").version(2);

/// Why something was not taken.
#[derive(Debug, LoopError, thiserror::Error)]
#[message(package = "interop.probe.v1")]
pub enum TakeError {
    /// Fewer would do.
    #[error("{asked} are more than {limit}")]
    #[wire(1, code = OutOfRange)]
    TooMany {
        /// How many were asked for.
        #[wire(1)]
        asked: u64,
        /// How many there are.
        #[wire(2)]
        limit: u64,
    },
    /// None would do either.
    #[error("closed")]
    #[wire(2, code = FailedPrecondition)]
    Closed,
    /// What the boundary says.
    #[error(transparent)]
    #[wire(transport)]
    Boundary(Error),
}

/// What one side asks of the other.
#[loop_service(package = "interop.probe.v1")]
pub trait Probe {
    /// Gives `data` back.
    #[rpc(idempotent)]
    async fn echo(&self, data: &[u8]) -> Result<Vec<u8>>;
    /// Answers the error with gRPC's number `code` and with `text`.
    async fn fail(&self, code: i32, text: &str) -> Result<()>;
    /// Takes up to 9; none is refused as closed, 99 with a plain error.
    async fn take(&self, asked: u64) -> Result<u64, TakeError>;
    /// Never answers: the caller gives up.
    async fn wait(&self) -> Result<()>;
    /// Answers when one more call of `Wait` has begun.
    async fn begun(&self) -> Result<()>;
    /// Answers when one more call of `Wait` has been given up.
    async fn given_up(&self) -> Result<()>;
    /// How many milliseconds this call has left; nothing if it has no deadline.
    async fn time_left(&self) -> Result<Option<u64>>;
    /// The header `name` of this call.
    async fn header(&self, name: &str) -> Result<Option<String>>;
    /// Makes a counter on a connection of its own, whose first number is `start`.
    async fn new_counter(&self, start: u64) -> Result<Arc<dyn Counter>>;
    /// How many counters are open.
    async fn counters(&self) -> Result<u64>;
    /// Calls a counter of the caller's `times` times, and adds up what it gave.
    async fn sum(&self, counter: Arc<dyn Counter>, times: u32) -> Result<u64>;
    /// Prints a line on the standard output and one on the standard error.
    async fn print(&self, stdout: &str, stderr: &str) -> Result<()>;
    /// Logs `text` once at each level, with the number 42 as the field `answer`.
    async fn log(&self, text: &str) -> Result<()>;
    /// Ends the process with status 7, now.
    async fn crash(&self) -> Result<()>;
    /// Notes the number `job`, and gives it back after `millis`.
    async fn work(&self, job: u64, millis: u64) -> Result<u64>;
    /// The same, which may be done again.
    #[rpc(idempotent)]
    async fn look(&self, job: u64, millis: u64) -> Result<u64>;
    /// Notes the number `job`, and gives it back when the process has got SIGUSR1. Counted as begun, as a call of `Wait` is.
    async fn hold(&self, job: u64) -> Result<u64>;
}

/// Counts.
#[loop_service(package = "interop.probe.v1")]
pub trait Counter {
    /// The next number.
    async fn next(&self) -> Result<u64>;
    /// Nobody needs it any more.
    #[rpc(release)]
    async fn close(&self) -> Result<()>;
}

/// A probe in Rust.
pub(crate) struct RustProbe {
    begun: Semaphore,
    given_up: Arc<Semaphore>,
    counters: Arc<AtomicU64>,
    broken: bool,
}

impl Default for RustProbe {
    fn default() -> Self {
        let (begun, given_up) = (Semaphore::new(0), Arc::new(Semaphore::new(0)));
        Self { begun, given_up, counters: Arc::default(), broken: false }
    }
}

impl RustProbe {
    /// One whose every echo panics.
    pub(crate) fn broken() -> Self {
        Self { broken: true, ..Self::default() }
    }
}

impl Probe for RustProbe {
    async fn echo(&self, data: &[u8]) -> Result<Vec<u8>> {
        assert!(!self.broken, "the probe is broken");
        Ok(data.to_vec())
    }

    async fn fail(&self, code: i32, text: &str) -> Result<()> {
        Err(Error::new(Code::from_i32(code), text))
    }

    async fn take(&self, asked: u64) -> Result<u64, TakeError> {
        match asked {
            0 => Err(TakeError::Closed),
            1..=9 => Ok(asked),
            99 => Err(TakeError::Boundary(Error::new(Code::Internal, "no detail"))),
            _ => Err(TakeError::TooMany { asked, limit: 9 }),
        }
    }

    async fn wait(&self) -> Result<()> {
        /// Dropped with the call's future.
        struct Call(Arc<Semaphore>);
        impl Drop for Call {
            fn drop(&mut self) {
                self.0.add_permits(1);
            }
        }
        let _call = Call(self.given_up.clone());
        self.begun.add_permits(1);
        std::future::pending().await
    }

    async fn begun(&self) -> Result<()> {
        self.begun.acquire().await.map_err(Error::other)?.forget();
        Ok(())
    }

    async fn given_up(&self) -> Result<()> {
        self.given_up.acquire().await.map_err(Error::other)?.forget();
        Ok(())
    }

    async fn time_left(&self) -> Result<Option<u64>> {
        let left = Call::current().deadline().map(|at| at.saturating_duration_since(Instant::now()));
        Ok(left.map(|left| u64::try_from(left.as_millis()).unwrap_or(u64::MAX)))
    }

    async fn header(&self, name: &str) -> Result<Option<String>> {
        Ok(Call::current().metadata(name).map(str::to_owned))
    }

    async fn new_counter(&self, start: u64) -> Result<Arc<dyn Counter>> {
        Ok(Arc::new(RustCounter::new(start, &self.counters)))
    }

    async fn counters(&self) -> Result<u64> {
        Ok(self.counters.load(Ordering::Relaxed))
    }

    async fn sum(&self, counter: Arc<dyn Counter>, times: u32) -> Result<u64> {
        let mut sum = 0;
        for _ in 0..times {
            sum += counter.next().await?;
        }
        Ok(sum)
    }

    async fn print(&self, stdout: &str, stderr: &str) -> Result<()> {
        println!("{stdout}");
        writeln!(sync_stderr(), "{stderr}").map_err(Error::other)
    }

    async fn log(&self, text: &str) -> Result<()> {
        tracing::trace!(answer = 42, "{text}");
        tracing::debug!(answer = 42, "{text}");
        tracing::info!(answer = 42, "{text}");
        tracing::warn!(answer = 42, "{text}");
        tracing::error!(answer = 42, "{text}");
        Ok(())
    }

    async fn crash(&self) -> Result<()> {
        std::process::exit(7)
    }

    async fn work(&self, job: u64, millis: u64) -> Result<u64> {
        notes::job(job);
        tokio::time::sleep(Duration::from_millis(millis)).await;
        Ok(job)
    }

    async fn look(&self, job: u64, millis: u64) -> Result<u64> {
        self.work(job, millis).await
    }

    async fn hold(&self, job: u64) -> Result<u64> {
        let mut signal = signal(SignalKind::user_defined1()).map_err(Error::other)?;
        notes::job(job);
        self.begun.add_permits(1);
        signal.recv().await;
        Ok(job)
    }
}

/// A counter in Rust, counted itself for as long as it exists.
pub(crate) struct RustCounter {
    next: AtomicU64,
    all: Arc<AtomicU64>,
}

impl RustCounter {
    pub(crate) fn new(start: u64, all: &Arc<AtomicU64>) -> Self {
        all.fetch_add(1, Ordering::Relaxed);
        Self { next: start.into(), all: all.clone() }
    }
}

impl Drop for RustCounter {
    fn drop(&mut self) {
        self.all.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Counter for RustCounter {
    async fn next(&self) -> Result<u64> {
        Ok(self.next.fetch_add(1, Ordering::Relaxed))
    }

    async fn close(&self) -> Result<()> {
        Ok(())
    }
}
