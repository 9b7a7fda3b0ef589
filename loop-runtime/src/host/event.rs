//! The state of a plugin, and an event for each change of it.

mod shown;

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{broadcast, watch};

use super::{Exit, LaunchError, StderrTail};
use crate::service::HandleEvent;

/// What a plugin is doing. Readers see the latest state; those before it may be skipped.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum State {
    /// A process is being started.
    Starting {
        /// The number of this attempt since the last success, from 1.
        attempt: u32,
    },
    /// The process runs and its services can be called.
    Running {
        /// How many processes there have been, this one included.
        generation: u64,
        /// Its process id.
        pid: u32,
    },
    /// The process ended, or is being ended; no calls are made any more.
    Stopping {
        /// Its generation.
        generation: u64,
    },
    /// Waiting for the next start.
    Backoff {
        /// When that is.
        until: Instant,
    },
    /// Too many restarts: the breaker is open, calls fail at once.
    Open {
        /// When one more start is tried.
        until: Instant,
    },
    /// No start is attempted until a reset.
    GivenUp {
        /// Why.
        error: Arc<str>,
    },
    /// Being closed by its owner.
    Closing,
    /// Closed: the process is gone.
    Closed,
}

/// One change of a plugin.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Event {
    /// The plugin's name.
    pub plugin: Arc<str>,
    /// When it happened.
    pub at: Instant,
    /// Rises by one with each event: a gap shows a reader that it was too slow and missed some.
    pub seq: u64,
    /// What happened.
    pub kind: EventKind,
}

/// What happened. For each plugin: `Launching`, then `LaunchFailed` or `Started`; for each `Started` exactly one
/// `Ended`, after the process was reaped and before the next `Launching`, except in an upgrade; `Closed` last.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum EventKind {
    /// A process is started.
    Launching {
        /// The number of this attempt since the last success, from 1.
        attempt: u32,
    },
    /// The start failed; the process, if there was one, is gone.
    LaunchFailed {
        /// The number of the attempt.
        attempt: u32,
        /// Whether no other attempt is made until a reset.
        permanent: bool,
        /// Why.
        error: Arc<LaunchError>,
    },
    /// The process runs.
    Started {
        /// How many processes there have been, this one included.
        generation: u64,
        /// Its process id.
        pid: u32,
        /// From the start of the process until its services could be called.
        took: Duration,
    },
    /// No sign of life for three ticks of the health check.
    Suspect {
        /// Its generation.
        generation: u64,
        /// For how many ticks.
        silent: u32,
    },
    /// A sign of life after [`EventKind::Suspect`].
    Recovered {
        /// Its generation.
        generation: u64,
    },
    /// The plugin's health service reports that it does not serve. No action is taken.
    NotServing {
        /// Its generation.
        generation: u64,
    },
    /// An upgrade began: another process is prepared to replace the one that runs; `Launching` follows.
    Upgrading {
        /// The generation that runs.
        generation: u64,
    },
    /// The upgrade failed, after `LaunchFailed`: the process that runs goes on as before.
    UpgradeAborted {
        /// The generation that goes on.
        generation: u64,
        /// Why.
        error: Arc<str>,
    },
    /// All calls go to the new process from now on, after its `Started`. The old one's `Ended` follows.
    Upgraded {
        /// The old generation.
        from: u64,
        /// The new generation.
        to: u64,
    },
    /// No service can be lent to the process, or by it, any more: a plugin in Go limits the age of its connections
    /// ([`MaxConnectionAge`](https://pkg.go.dev/google.golang.org/grpc/keepalive#ServerParameters)), and cut the one of
    /// the broker's stream. Emitted if no service that was asked for needs the broker; else the process is replaced.
    BrokerLost {
        /// Its generation.
        generation: u64,
    },
    /// The process has ended and was reaped.
    Ended(Ended),
    /// A killed process was not reaped within the reap timeout; the runtime goes on without it.
    Unreaped {
        /// Its generation.
        generation: u64,
        /// Its process id.
        pid: u32,
    },
    /// Waiting for the next start.
    Backoff {
        /// When that is.
        until: Instant,
        /// How many ends and failed starts in a row.
        in_a_row: u32,
    },
    /// Too many restarts.
    BreakerOpened {
        /// When one more start is tried.
        until: Instant,
        /// How many times it has opened since the last stable run.
        times: u32,
    },
    /// One start is tried on probation.
    BreakerHalfOpen,
    /// No start is attempted until a reset.
    GaveUp {
        /// Why.
        error: Arc<str>,
    },
    /// The plugin was reset: all failures are forgotten.
    Reset,
    /// The owner closes the plugin.
    Closing,
    /// The plugin is closed.
    Closed {
        /// The time since `Closing`.
        took: Duration,
    },
    /// Something happened to a handle made by a constructor of the plugin.
    Handle(HandleEvent),
}

/// How a process ended.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Ended {
    /// Its generation.
    pub generation: u64,
    /// What the runtime noticed first.
    pub cause: EndCause,
    /// Its exit status or signal, if it was reaped.
    pub exit: Option<Exit>,
    /// The end of its stderr, with the message that says why it ended, if it left one.
    pub stderr: StderrTail,
    /// How long it ran.
    pub uptime: Duration,
    /// How many ends and failed starts in a row, this one included; 0 if the end was requested.
    pub in_a_row: u32,
}

/// Why a generation of a plugin ended: what the runtime noticed first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndCause {
    /// The process exited, or was killed by somebody else.
    Exited,
    /// It shut down by itself, in order: its exit status is 0, or SIGTERM ended it. It had the time that its policy
    /// gives ([`RestartPolicy::shutdown_timeout`](super::RestartPolicy::shutdown_timeout)).
    ShutDown,
    /// Its main connection ended.
    ConnectionLost,
    /// The broker's stream ended: nothing could be lent to it any more. If the connection of that stream had been
    /// retired before, calls in flight were drained, and the process was asked to shut down.
    BrokerLost,
    /// No sign of life for ten ticks of the health check.
    Hung,
    /// A user asked for a restart.
    Restart,
    /// Another process took its place in an upgrade.
    Upgrade,
    /// The owner closed it.
    Closed,
}

/// The events of one plugin, from the subscription on.
#[derive(Debug)]
pub struct Events(pub(super) broadcast::Receiver<Event>);

impl Events {
    /// The next event; `None` once the plugin is closed. A reader that is too slow skips events and sees a gap in
    /// [`Event::seq`]. Cancel safe.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            match self.0.recv().await {
                Ok(event) => return Some(event),
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }
}

/// The state of one plugin, as it changes.
#[derive(Clone, Debug)]
pub struct States(pub(super) watch::Receiver<State>);

impl States {
    /// The current state.
    pub fn now(&self) -> State {
        self.0.borrow().clone()
    }

    /// Waits until `wanted` holds of the state, and returns that state; `None` if the plugin is closed before. States
    /// may be skipped between two polls. Cancel safe.
    pub async fn until(&mut self, wanted: impl FnMut(&State) -> bool) -> Option<State> {
        self.0.wait_for(wanted).await.ok().map(|state| state.clone())
    }
}
