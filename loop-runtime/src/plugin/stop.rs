//! The end of a plugin: asked for once, by whoever comes first, and then not to be stopped.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

/// From the wish to end to the end of [`Plugin::serve`](super::Plugin::serve). A host waits 2 s before it kills.
pub(crate) const BUDGET: Duration = Duration::from_millis(1500);

/// From the wish to end to the end of the process, whatever still runs in it.
const LAST: Duration = Duration::from_millis(1750);

/// Why a plugin ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The host called Shutdown.
    Shutdown,
    /// SIGTERM.
    Terminated,
    /// The process that started the plugin is gone.
    HostGone,
    /// All connections are gone, and nobody came back.
    Abandoned,
    /// The listener failed.
    Failed,
}

impl Reason {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Shutdown => "the host asked for it",
            Self::Terminated => "it was told to by a signal",
            Self::HostGone => "its host is gone",
            Self::Abandoned => "its host has hung up",
            Self::Failed => "it can accept no connections any more",
        }
    }
}

/// The wish to end. Clones are the same wish.
#[derive(Clone)]
pub(crate) struct Stop(Arc<Inner>);

struct Inner {
    token: CancellationToken,
    asked: OnceLock<(Reason, Instant)>,
    ends_process: bool,
}

impl Stop {
    /// A wish that ends the process [`LAST`] after it was uttered, even if the runtime's threads are all blocked.
    pub(crate) fn of_process() -> Self {
        Self::new(true)
    }

    /// A wish that ends nothing but what waits for it.
    pub(crate) fn in_process() -> Self {
        Self::new(false)
    }

    fn new(ends_process: bool) -> Self {
        Self(Arc::new(Inner { token: CancellationToken::new(), asked: OnceLock::new(), ends_process }))
    }

    /// Asks for the end. Only the first reason counts.
    pub(crate) fn request(&self, reason: Reason) {
        let mut first = false;
        self.0.asked.get_or_init(|| {
            first = true;
            (reason, Instant::now())
        });
        if !first {
            return;
        }
        tracing::debug!(reason = reason.text(), "the plugin ends");
        if self.0.ends_process {
            watch_the_clock();
        }
        self.0.token.cancel();
    }

    /// Cancelled once the end was asked for.
    pub(crate) fn token(&self) -> &CancellationToken {
        &self.0.token
    }

    /// Waits until the end is asked for.
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

/// Ends the process in time even if a handler blocks the runtime, or a runtime waits for a blocking task at its end.
fn watch_the_clock() {
    let watch = || {
        std::thread::sleep(LAST);
        crate::stdio::writer::write_stderr(b"[WARN]  plugin: something does not end; the process ends without it\n");
        std::process::exit(0);
    };
    // Without a thread the host's own patience is the bound.
    let _ = std::thread::Builder::new().name("loop-end".to_owned()).spawn(watch);
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
