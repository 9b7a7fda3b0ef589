//! The shutdown of a plugin: requested once, by whoever comes first, and then irrevocable.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

/// From the request to the end of [`Plugin::serve`](super::Plugin::serve). A host waits 2 s before it kills.
pub(crate) const BUDGET: Duration = Duration::from_millis(1400);

/// From the request to the end of the process, whatever still runs in it.
const LAST: Duration = Duration::from_millis(1800);

/// Why a plugin ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The host called Shutdown.
    Shutdown,
    /// SIGTERM.
    Terminated,
    /// The process that started the plugin is gone.
    HostGone,
    /// All connections are gone, and no host dialled again.
    Abandoned,
    /// The listener failed.
    Failed,
    /// It was stopped in test mode.
    Stopped,
}

impl Reason {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Shutdown => "the host called Shutdown",
            Self::Terminated => "it received SIGTERM",
            Self::HostGone => "its host is gone",
            Self::Abandoned => "all connections are closed",
            Self::Failed => "its listener failed",
            Self::Stopped => "the test is over",
        }
    }
}

/// A request to shut down. Clones are the same request.
#[derive(Clone)]
pub(crate) struct Stop(Arc<Inner>);

struct Inner {
    token: CancellationToken,
    asked: OnceLock<(Reason, Instant)>,
    ends_process: bool,
    /// Removed when the timeout ends the process.
    leftover: OnceLock<PathBuf>,
}

impl Stop {
    /// One that ends the process [`LAST`] after the request, even if the runtime's threads are all blocked.
    pub(crate) fn of_process() -> Self {
        Self::new(true)
    }

    /// One that ends nothing but what waits for it.
    pub(crate) fn in_process() -> Self {
        Self::new(false)
    }

    fn new(ends_process: bool) -> Self {
        Self(Arc::new(Inner {
            token: CancellationToken::new(),
            asked: OnceLock::new(),
            ends_process,
            leftover: OnceLock::new(),
        }))
    }

    /// Requests shutdown. Only the first reason counts.
    pub(crate) fn request(&self, reason: Reason) {
        let mut first = false;
        self.0.asked.get_or_init(|| {
            first = true;
            (reason, Instant::now())
        });
        if !first {
            return;
        }
        if self.0.ends_process {
            self.watch_the_clock();
        }
        self.0.token.cancel();
        // Last, because a host that does not read the log blocks whoever writes it.
        tracing::debug!(reason = reason.text(), "the plugin ends");
    }

    /// Names a directory to remove if the timeout ends the process, because nobody else will.
    pub(crate) fn remove_at_last(&self, dir: &Path) {
        let _ = self.0.leftover.set(dir.to_owned());
    }

    /// Ends the process in time even if a handler blocks the runtime, or a runtime waits for a blocking task at its
    /// end.
    fn watch_the_clock(&self) {
        let stop = self.clone();
        // It logs nothing: the lock of stderr may be held by a thread that waits for the host to read.
        let watch = move || {
            std::thread::sleep(LAST);
            if let Some(dir) = stop.0.leftover.get() {
                // It is removed already if only what follows `serve` is slow.
                let _ = std::fs::remove_dir_all(dir);
            }
            std::process::exit(0);
        };
        // Without a thread the host's own timeout is the bound.
        let _ = std::thread::Builder::new().name("loop-end".to_owned()).spawn(watch);
    }

    /// Cancelled once shutdown was requested.
    pub(crate) fn token(&self) -> &CancellationToken {
        &self.0.token
    }

    /// Waits until shutdown is requested.
    pub(crate) async fn requested(&self) -> Reason {
        self.0.token.cancelled().await;
        self.0.asked.get().map_or(Reason::Shutdown, |(reason, _)| *reason)
    }

    /// What is left of [`BUDGET`].
    pub(crate) fn left(&self) -> Duration {
        let spent = self.0.asked.get().map_or(Duration::ZERO, |(_, at)| at.elapsed());
        BUDGET.saturating_sub(spent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_reason_counts() {
        let stop = Stop::in_process();
        assert_eq!(stop.left(), BUDGET);
        stop.request(Reason::Terminated);
        stop.request(Reason::Shutdown);
        assert_eq!(stop.requested().await, Reason::Terminated);
        assert!(stop.left() <= BUDGET);
    }
}
