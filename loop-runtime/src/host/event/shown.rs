//! States and events as text, for logs and readiness pages.

use std::fmt;
use std::time::Instant;

use super::{EndCause, Ended, Event, EventKind, State};
use crate::service::HandleEvent;

/// One line, such as `running: process 4711, generation 2`.
impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Starting { attempt } => write!(f, "starting: attempt {attempt}"),
            Self::Running { generation, pid } => write!(f, "running: process {pid}, generation {generation}"),
            Self::Stopping { generation } => write!(f, "stopping: generation {generation}"),
            Self::Backoff { until } => write!(f, "backing off: the next start is in {}", In(*until)),
            Self::Open { until } => write!(f, "breaker open: one start is tried in {}", In(*until)),
            Self::GivenUp { error } => write!(f, "given up: {error}"),
            Self::Closing => f.write_str("closing"),
            Self::Closed => f.write_str("closed"),
        }
    }
}

/// `kv: started as process 4711, generation 2, in 0.031 s`.
impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.plugin, self.kind)
    }
}

/// One line, but for the end of a plugin's stderr in those that have it.
impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Launching { attempt } => write!(f, "launching: attempt {attempt}"),
            Self::LaunchFailed { attempt, permanent: false, error } => write!(f, "attempt {attempt} failed: {error}"),
            Self::LaunchFailed { attempt, permanent: true, error } => {
                write!(f, "attempt {attempt} failed, and is not repeated before a reset: {error}")
            }
            Self::Started { generation, pid, took } => {
                write!(f, "started as process {pid}, generation {generation}, in {:.3} s", took.as_secs_f64())
            }
            Self::Suspect { generation, silent } => {
                write!(f, "suspect: generation {generation} gave no sign of life for {silent} ticks")
            }
            Self::Recovered { generation } => write!(f, "recovered: a sign of life of generation {generation}"),
            Self::NotServing { generation } => write!(f, "generation {generation} reports that it is not serving"),
            Self::Upgrading { generation } => write!(f, "upgrading: generation {generation} is to be replaced"),
            Self::UpgradeAborted { generation, error } => {
                write!(f, "upgrade aborted, generation {generation} goes on: {error}")
            }
            Self::Upgraded { from, to } => write!(f, "upgraded from generation {from} to {to}"),
            Self::BrokerLost { generation } => {
                write!(f, "broker lost: generation {generation} can lend nothing any more, and be lent nothing")
            }
            Self::Ended(ended) => ended.fmt(f),
            Self::Unreaped { generation, pid } => {
                write!(f, "process {pid}, generation {generation}, was killed and could not be reaped in time")
            }
            Self::Backoff { until, in_a_row } => {
                write!(f, "backing off after {in_a_row} failures in a row: the next start is in {}", In(*until))
            }
            Self::BreakerOpened { until, times } => {
                write!(f, "breaker opened for the {}: one start is tried in {}", Nth(*times), In(*until))
            }
            Self::BreakerHalfOpen => f.write_str("breaker half open: one start is tried"),
            Self::GaveUp { error } => write!(f, "given up: {error}"),
            Self::Reset => f.write_str("reset: earlier failures are forgotten"),
            Self::Closing => f.write_str("closing"),
            Self::Closed { took } => write!(f, "closed in {:.3} s", took.as_secs_f64()),
            Self::Handle(event) => event.fmt(f),
        }
    }
}

/// `acme.kv.v1.Kv #3 made`, with what is known of it.
impl fmt::Display for HandleEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost { handle, generation } => write!(f, "{handle} lost with generation {generation}"),
            Self::Made { handle, generation, redialled: true, .. } => {
                write!(f, "{handle} connected again in generation {generation}")
            }
            Self::Made { handle, generation, object, took, .. } => {
                let took = took.as_secs_f64();
                write!(f, "{handle} made in generation {generation} as object {object}, in {took:.3} s")
            }
            Self::Failed { handle, error, run, retry_at, .. } => {
                write!(f, "{handle} could not be made, run {run}: {error}")?;
                retry_at.map_or(Ok(()), |at| write!(f, "; the next run is in {}", In(at)))
            }
            Self::Closed { handle, told: true } => write!(f, "{handle} closed"),
            Self::Closed { handle, told: false } => write!(f, "{handle} closed, and the plugin could not be told"),
            Self::Resubscribed { handle, method, count } => {
                write!(
                    f,
                    "a stream of {method} of {handle} goes on after a loss, {}",
                    Nth(u32::try_from(*count).unwrap_or(u32::MAX))
                )
            }
            Self::DuplicatePossible { handle, generation, count } => {
                write!(f, "{handle} may exist {count} times more than it is used in generation {generation}")
            }
        }
    }
}

/// The time until then.
struct In(Instant);

impl fmt::Display for In {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} s", self.0.saturating_duration_since(Instant::now()).as_secs_f64())
    }
}

/// `1st time`, `12th time`.
struct Nth(u32);

impl fmt::Display for Nth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ending = match (self.0 % 100, self.0 % 10) {
            (11..=13, _) => "th",
            (_, 1) => "st",
            (_, 2) => "nd",
            (_, 3) => "rd",
            _ => "th",
        };
        write!(f, "{}{ending} time", self.0)
    }
}

/// What happened, to which plugin, and by whom, in one line whose first words are the same in every release; then the end
/// of its stderr, and what to do. At most 15 lines.
impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let signal = self.exit.and_then(|exit| exit.signal());
        match (&self.cause, self.exit) {
            (EndCause::Exited, Some(exit)) if signal.is_some() => write!(f, "plugin killed by {exit}"),
            (EndCause::Exited, exit) => match exit.and_then(|exit| exit.status()) {
                Some(status) => write!(f, "plugin exited with status {status}"),
                None => f.write_str("plugin exited with an unknown status"),
            },
            (EndCause::ShutDown, _) => f.write_str("plugin shut down by itself"),
            (EndCause::ConnectionLost, _) => f.write_str("plugin closed its main connection"),
            (EndCause::BrokerLost, _) => f.write_str("plugin closed its broker stream"),
            (EndCause::Hung, _) => f.write_str("plugin not responding to health checks"),
            (EndCause::Restart, _) => f.write_str("plugin restarted by this host"),
            (EndCause::Upgrade, _) => f.write_str("plugin replaced in an upgrade"),
            (EndCause::Closed, _) => f.write_str("plugin closed by this host"),
        }?;
        match self.exit {
            _ if self.cause == EndCause::Exited => {}
            Some(exit) if exit.signal() == Some(libc::SIGKILL) => f.write_str(", killed by this host")?,
            Some(exit) => write!(f, ", ended with {exit}")?,
            None => f.write_str(", not reaped")?,
        }
        write!(f, "{}, after {:.3} s", self.stderr.named(), self.uptime.as_secs_f64())?;
        if self.in_a_row > 1 {
            write!(f, ", {} times in a row", self.in_a_row)?;
        }
        write!(f, "{}", self.stderr)?;
        match self.advice() {
            Some(advice) => write!(f, "\nhelp: {advice}"),
            None => Ok(()),
        }
    }
}

impl Ended {
    /// What to do about it, where its stderr does not say that.
    fn advice(&self) -> Option<&'static str> {
        let exit = self.exit?;
        match (&self.cause, exit.status(), exit.signal()) {
            (EndCause::Exited, _, Some(libc::SIGKILL)) => Some(
                "this host did not send it: the kernel does when memory runs out (see `dmesg`), or the limit of a container; \
                 or somebody by hand",
            ),
            (EndCause::Exited, _, Some(libc::SIGTERM | libc::SIGINT | libc::SIGHUP)) => {
                Some("this host did not send it: a service manager does, or somebody by hand")
            }
            (EndCause::Exited, None, None) => {
                Some("its status went to somebody else: this program ignores SIGCHLD, or waits for all children")
            }
            (EndCause::Exited, _, Some(_)) | (EndCause::Exited, Some(2 | 101), _) => Some(
                "this is a mistake in the plugin; with `RUST_BACKTRACE=1` in the environment of this host, which passes it \
                 on, a Rust plugin tells where",
            ),
            (EndCause::Exited, Some(_), _) => Some("it ended by itself; a plugin ends only when its host asks for it"),
            (EndCause::ShutDown, ..) => {
                Some("a plugin ends only when its host asks for it: a service manager ended it, or its own code")
            }
            (EndCause::ConnectionLost | EndCause::BrokerLost, ..) => {
                Some("a plugin keeps both open until its host asks it to end")
            }
            (EndCause::Hung, ..) => Some(
                "a handler that blocks the threads of its runtime looks like this; `RestartPolicy::health_check_interval` says how \
                 long is too long",
            ),
            (EndCause::Restart | EndCause::Upgrade | EndCause::Closed, ..) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn states_and_events_are_one_line() {
        let until = Instant::now() + Duration::from_millis(90_040);
        let kind = EventKind::BreakerOpened { until, times: 12 };
        let text = Event { plugin: "kv".into(), at: until, seq: 1, kind }.to_string();
        assert_eq!(text, "kv: breaker opened for the 12th time: one start is tried in 90.0 s");
        assert_eq!(Nth(1).to_string() + &Nth(22).to_string() + &Nth(113).to_string(), "1st time22nd time113th time");
        assert_eq!(State::Running { generation: 2, pid: 7 }.to_string(), "running: process 7, generation 2");
    }
}
