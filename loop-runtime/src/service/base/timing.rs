//! How long the service layer waits for what.

use std::time::Duration;

/// The waits of the service layer. Every field is a plain bound; the defaults are for plugins on the same machine.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timing {
    /// One run of a constructor, from the request to its reply. Default 10 s: longer than [`Timing::forward_wait`], so
    /// that a constructor that asks a dead neighbour gets an answer instead of being cut off.
    pub recipe: Duration,
    /// Dialling an object again whose connection alone was lost. Default 500 ms.
    pub redial: Duration,
    /// Waiting for a lost service to come back, for a call without a deadline of its own. Default 30 s.
    pub recovery_wait: Duration,
    /// The same on behalf of another plugin, through a forward. Default 5 s.
    pub forward_wait: Duration,
    /// Calls in flight when a handle is closed. Default 1 s.
    pub drain: Duration,
    /// The release call of a closed handle, and the telling of an object that nobody wants. Default 1 s.
    pub release: Duration,
    /// The far side's hanging up on what was lent to it, after its object was released. Default 1 s.
    pub hang_up: Duration,
    /// Closing a handle with everything made through it; the rest goes on behind the caller's back. Default 3 s.
    pub close: Duration,
    /// First backoff of a constructor that was refused for now; doubles up to [`Timing::retry_max`]. Default 100 ms.
    pub retry: Duration,
    /// Longest backoff of a constructor. Default 5 s.
    pub retry_max: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            recipe: Duration::from_secs(10),
            redial: Duration::from_millis(500),
            recovery_wait: Duration::from_secs(30),
            forward_wait: Duration::from_secs(5),
            drain: Duration::from_secs(1),
            release: Duration::from_secs(1),
            hang_up: Duration::from_secs(1),
            close: Duration::from_secs(3),
            retry: Duration::from_millis(100),
            retry_max: Duration::from_secs(5),
        }
    }
}
