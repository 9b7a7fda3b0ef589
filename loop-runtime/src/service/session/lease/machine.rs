//! When a lease ends: a pure state machine, without sockets, tasks or a clock.

use std::time::{Duration, Instant};

/// How long a peer of this runtime may leave a lent service unconnected. A peer in Go drops idle connections and
/// redials, so its leases end with their owner only.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expiry {
    /// Never dialled.
    pub(crate) unclaimed: Duration,
    /// After its last connection.
    pub(crate) linger: Duration,
}

impl Expiry {
    /// For what a constructor handed out: a host that redials does so within milliseconds.
    pub(crate) const HANDED_OUT: Self = Self { unclaimed: Duration::from_secs(5), linger: Duration::from_secs(2) };
    /// For what an ordinary call lent: the peer disconnects when it is done.
    pub(crate) const ORDINARY_CALL: Self = Self { unclaimed: Duration::from_secs(5), linger: Duration::ZERO };
}

/// An event of a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// A peer connected.
    Accepted,
    /// A connection ended; one that was refused had never been established.
    Disconnected { established: bool },
    /// The time that [`Machine::wake_at`] named has come.
    Woken {
        /// The peer is this runtime. Only such a peer keeps the rules of expiry.
        ours: bool,
    },
    /// No further connections: the owner gives it up, the peer has released the object, or the socket failed.
    Closing,
    /// Its owner's leases have ended: connections end now.
    Cut,
}

/// The state of a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Connections are accepted.
    Open,
    /// No more are accepted; it ends with the last one.
    Closing,
    /// The service may be dropped.
    Ended,
}

/// The state of one lease.
#[derive(Debug)]
pub(crate) struct Machine {
    state: State,
    expiry: Option<Expiry>,
    connections: usize,
    claimed: bool,
    idle_until: Option<Instant>,
}

impl Machine {
    /// A lease that is offered from `now` on; without `expiry`, until its owner ends it.
    pub(crate) fn new(expiry: Option<Expiry>, now: Instant) -> Self {
        let idle_until = expiry.map(|expiry| now + expiry.unclaimed);
        Self { state: State::Open, expiry, connections: 0, claimed: false, idle_until }
    }

    /// When [`Input::Woken`] is due.
    pub(crate) fn wake_at(&self) -> Option<Instant> {
        self.idle_until.filter(|_| self.state == State::Open)
    }

    pub(crate) fn state(&self) -> State {
        self.state
    }

    /// Takes note of `input`.
    pub(crate) fn step(&mut self, input: Input, now: Instant) {
        match input {
            Input::Accepted => {
                self.connections += 1;
                self.idle_until = None;
            }
            Input::Disconnected { established } => {
                self.connections -= 1;
                // A refused connection claims nothing.
                self.claimed |= established;
                if self.connections == 0 && self.state == State::Open {
                    self.idle_until = self.expiry.map(|expiry| match self.claimed {
                        true => now + expiry.linger,
                        false => now + expiry.unclaimed,
                    });
                }
            }
            Input::Woken { ours } if self.idle_until.is_some_and(|until| until <= now) => {
                self.idle_until = None;
                if ours {
                    self.close();
                }
            }
            Input::Woken { .. } => {}
            Input::Closing | Input::Cut => self.close(),
        }
        if self.state == State::Closing && self.connections == 0 {
            self.state = State::Ended;
        }
    }

    fn close(&mut self) {
        if self.state == State::Open {
            self.state = State::Closing;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXPIRY: Expiry = Expiry::HANDED_OUT;

    fn lease(expiry: Option<Expiry>) -> (Machine, Instant) {
        let now = Instant::now();
        (Machine::new(expiry, now), now)
    }

    #[test]
    fn what_nobody_dials_ends_for_a_peer_of_ours_alone() {
        for (ours, ends) in [(true, State::Ended), (false, State::Open)] {
            let (mut lease, now) = lease(Some(EXPIRY));
            assert_eq!(lease.wake_at(), Some(now + EXPIRY.unclaimed));
            lease.step(Input::Woken { ours }, now + EXPIRY.unclaimed - Duration::from_millis(1));
            assert_eq!(lease.state(), State::Open, "a timer that comes early");
            lease.step(Input::Woken { ours }, now + EXPIRY.unclaimed);
            assert_eq!((lease.state(), lease.wake_at()), (ends, None));
        }
    }

    #[test]
    fn a_claimed_lease_lingers_and_a_stranger_claims_nothing() {
        let (mut lease, now) = lease(Some(EXPIRY));
        lease.step(Input::Accepted, now);
        assert_eq!(lease.wake_at(), None, "in use");
        lease.step(Input::Disconnected { established: false }, now);
        assert_eq!(lease.wake_at(), Some(now + EXPIRY.unclaimed));
        lease.step(Input::Accepted, now);
        lease.step(Input::Accepted, now);
        lease.step(Input::Disconnected { established: true }, now);
        assert_eq!(lease.wake_at(), None, "in use");
        lease.step(Input::Disconnected { established: false }, now);
        assert_eq!(lease.wake_at(), Some(now + EXPIRY.linger));
    }

    #[test]
    fn a_lease_that_closes_ends_with_its_last_connection() {
        for end in [Input::Closing, Input::Cut] {
            let (mut lease, now) = lease(None);
            assert_eq!(lease.wake_at(), None);
            lease.step(Input::Accepted, now);
            lease.step(end, now);
            lease.step(end, now);
            assert_eq!(lease.state(), State::Closing);
            lease.step(Input::Disconnected { established: true }, now);
            assert_eq!(lease.state(), State::Ended);
        }
        let (mut lease, now) = lease(None);
        lease.step(Input::Closing, now);
        assert_eq!(lease.state(), State::Ended, "nobody had come");
    }
}
