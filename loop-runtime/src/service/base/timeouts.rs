//! How long the runtime waits for services and objects.

use std::time::Duration;

/// The timeouts of calls, constructors and releases, from [`RestartPolicy`](crate::host::RestartPolicy).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Timeouts {
    pub(crate) construct_timeout: Duration,
    pub(crate) construct_backoff: Duration,
    pub(crate) max_construct_backoff: Duration,
    pub(crate) redial_timeout: Duration,
    pub(crate) recovery_timeout: Duration,
    pub(crate) forward_timeout: Duration,
    pub(crate) drain_timeout: Duration,
    pub(crate) release_timeout: Duration,
    pub(crate) disconnect_timeout: Duration,
    pub(crate) close_timeout: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            construct_timeout: Duration::from_secs(10),
            construct_backoff: Duration::from_millis(100),
            max_construct_backoff: Duration::from_secs(5),
            redial_timeout: Duration::from_millis(500),
            recovery_timeout: Duration::from_secs(30),
            forward_timeout: Duration::from_secs(5),
            drain_timeout: Duration::from_secs(1),
            release_timeout: Duration::from_secs(1),
            disconnect_timeout: Duration::from_secs(1),
            close_timeout: Duration::from_secs(3),
        }
    }
}
