//! The setters of a restart policy.

use std::time::Duration;

use super::RestartPolicy;

/// When a plugin is restarted.
impl RestartPolicy {
    /// The backoff before the second restart in a row; doubles up to [`max_backoff`](Self::max_backoff). Default 100 ms.
    /// The first restart after a stable run is immediate: a lone crash is sporadic.
    pub fn initial_backoff(mut self, backoff: Duration) -> Self {
        self.initial_backoff = backoff;
        self
    }

    /// The longest backoff before a restart. Default 10 s.
    pub fn max_backoff(mut self, backoff: Duration) -> Self {
        self.max_backoff = backoff;
        self
    }

    /// How much of a backoff is random, from 0 to 1, so that plugins that died together do not start together. Values
    /// outside are clamped. Default 0.5.
    pub fn jitter(mut self, share: f64) -> Self {
        self.jitter = share;
        self
    }

    /// A process that ran for this long clears the failures before it. Default 30 s.
    pub fn stable_after(mut self, uptime: Duration) -> Self {
        self.stable_after = uptime;
        self
    }

    /// How many restarts within [`restart_window`](Self::restart_window) open the breaker: the plugin is not started for a
    /// while, and calls fail at once. `None` switches the breaker off. Default 5.
    pub fn max_restarts(mut self, restarts: Option<u32>) -> Self {
        self.max_restarts = restarts;
        self
    }

    /// The time within which restarts are counted for [`max_restarts`](Self::max_restarts). Default 60 s.
    pub fn restart_window(mut self, window: Duration) -> Self {
        self.restart_window = window;
        self
    }

    /// How long the breaker stays open the first time; doubles up to [`max_breaker_open`](Self::max_breaker_open). One start
    /// is tried then, on probation: if it fails, the breaker opens again. Default 30 s.
    pub fn breaker_open(mut self, time: Duration) -> Self {
        self.breaker_open = time;
        self
    }

    /// The longest time for which the breaker stays open. Default 5 min.
    pub fn max_breaker_open(mut self, time: Duration) -> Self {
        self.max_breaker_open = time;
        self
    }

    /// After how many openings of the breaker the plugin is given up until
    /// [`Supervisor::reset`](crate::host::Supervisor::reset). `None` never gives up: a node must heal by itself after an
    /// outage. Default `None`.
    pub fn give_up_after(mut self, openings: Option<u32>) -> Self {
        self.give_up_after = openings;
        self
    }

    /// Makes lost objects again at the next call instead of at once. Default `false`: objects have background work.
    pub fn lazy_recovery(mut self, on: bool) -> Self {
        self.lazy_recovery = on;
        self
    }
}

/// How long the runtime waits for a process.
impl RestartPolicy {
    /// From the start of the process to the end of its handshake line; a process that takes longer is killed, and the start
    /// has failed. Default 10 s.
    pub fn start_timeout(mut self, timeout: Duration) -> Self {
        self.start_timeout = timeout;
        self
    }

    /// One tick of the health check; `None` switches it off. After two silent ticks the health service is called, after
    /// three the plugin is suspect, after ten it counts as hung and is killed. Ticks are counted, not measured, so that
    /// a host that was stopped does not kill healthy plugins. Default 1 s.
    pub fn health_check_interval(mut self, interval: Option<Duration>) -> Self {
        self.health_check_interval = interval;
        self
    }

    /// When a process is replaced on request, how long calls in flight on it are drained before they are cut off. New
    /// calls wait for the next process meanwhile. Default 5 s.
    pub fn restart_drain_timeout(mut self, timeout: Duration) -> Self {
        self.restart_drain_timeout = timeout;
        self
    }

    /// How long a plugin that was asked to shut down, or does so by itself, may take until it is killed. Counted in
    /// tenths during which this process ran. Default 2 s, as in go-plugin.
    pub fn shutdown_timeout(mut self, timeout: Duration) -> Self {
        self.shutdown_timeout = timeout;
        self
    }

    /// How long a killed process may take to be reaped before the runtime goes on without it. Default 5 s.
    pub fn reap_timeout(mut self, timeout: Duration) -> Self {
        self.reap_timeout = timeout;
        self
    }
}

/// How long the runtime waits for services and objects.
impl RestartPolicy {
    /// How long one run of a constructor may take, from its request to its reply. Default 10 s: longer than
    /// [`forward_timeout`](Self::forward_timeout), so that a constructor that calls a dead plugin gets an answer
    /// instead of being cut off.
    pub fn construct_timeout(mut self, timeout: Duration) -> Self {
        self.timeouts.construct_timeout = timeout;
        self
    }

    /// The first backoff of a constructor that was refused for now; doubles up to
    /// [`max_construct_backoff`](Self::max_construct_backoff). Default 100 ms.
    pub fn construct_backoff(mut self, backoff: Duration) -> Self {
        self.timeouts.construct_backoff = backoff;
        self
    }

    /// The longest backoff of a constructor. Default 5 s.
    pub fn max_construct_backoff(mut self, backoff: Duration) -> Self {
        self.timeouts.max_construct_backoff = backoff;
        self
    }

    /// How long dialling an object again, of which the connection alone was lost, may take before it is made again.
    /// Default 500 ms.
    pub fn redial_timeout(mut self, timeout: Duration) -> Self {
        self.timeouts.redial_timeout = timeout;
        self
    }

    /// How long a call without a deadline of its own waits for a lost service to recover. Default 30 s.
    pub fn recovery_timeout(mut self, timeout: Duration) -> Self {
        self.timeouts.recovery_timeout = timeout;
        self
    }

    /// The same for a call of another plugin, which the host forwards. Default 5 s.
    pub fn forward_timeout(mut self, timeout: Duration) -> Self {
        self.timeouts.forward_timeout = timeout;
        self
    }

    /// How long calls in flight may go on when their handle is closed. Default 1 s.
    pub fn drain_timeout(mut self, timeout: Duration) -> Self {
        self.timeouts.drain_timeout = timeout;
        self
    }

    /// How long the release call of a closed handle may take, and that of an object that nobody wants any more. Default
    /// 1 s.
    pub fn release_timeout(mut self, timeout: Duration) -> Self {
        self.timeouts.release_timeout = timeout;
        self
    }

    /// How long the peer may take to disconnect from what was lent to it, after its object was released. Default 1 s.
    pub fn disconnect_timeout(mut self, timeout: Duration) -> Self {
        self.timeouts.disconnect_timeout = timeout;
        self
    }

    /// How long closing a handle, with everything made through it, may take; the rest goes on in the background.
    /// Default 3 s.
    pub fn close_timeout(mut self, timeout: Duration) -> Self {
        self.timeouts.close_timeout = timeout;
        self
    }
}
