//! Looking at a socket again instead of going to sleep at once.
//!
//! A thread that sleeps has to be woken: by an interrupt from the core of whoever sends to it, and after the core that
//! it slept on has left its idle state. Between two processes on idle cores these are most of the time of a small call.
//! A reader that looks again and again for a moment, and lets every other task of its thread have its turn meanwhile,
//! needs no waking.
//!
//! Whether that pays is measured, by each connection for itself: if messages do not come clearly earlier than they come
//! to a reader that sleeps, the reader sleeps. So it does where messages are rare, where the peer takes long to answer,
//! and where the peer needs this very core to answer. Measured and not set: a processor mask says nothing (with a core
//! each, looking pays the most), and what a wake-up costs differs by a factor of ten between machines.

use std::time::{Duration, Instant};

/// How long to look, counted from the last message. A small call with both ends awake takes less.
const WINDOW: Duration = Duration::from_micros(100);

/// A message that comes later than this after the last one is not one of many, and says nothing about looking.
const NEAR: Duration = Duration::from_micros(250);

/// Nor is there anything to gain where messages come so fast to a reader that sleeps.
const FAST: Duration = Duration::from_micros(8);

/// How many near messages are received asleep before looking is tried: at first, and at most, after it has not paid
/// again and again.
const ASLEEP: (u32, u32) = (16, 2048);

/// In how many messages looking has to prove itself at first, and again and again after that; after how many of these
/// rounds it counts as having paid; and after how many sleeping is measured again.
const TRIAL: u32 = 8;
const ROUND: u32 = 64;
const STEADY: u32 = 8;
const ROUNDS: u32 = 64;

/// When to look at a connection again. What follows a message of the peer's and what follows one of our own are
/// measured apart: a client waits briefly for an answer and at length for its next call, a server the other way round.
#[derive(Debug)]
pub(super) struct BusyPoll {
    after_received: Habit,
    after_sent: Habit,
    last: Instant,
    sent: bool,
    /// Since something was received, the reader found nothing at least once.
    waits: bool,
}

impl BusyPoll {
    pub(super) fn new(now: Instant) -> Self {
        Self { after_received: Habit::new(), after_sent: Habit::new(), last: now, sent: false, waits: false }
    }

    fn habit(&mut self) -> &mut Habit {
        if self.sent { &mut self.after_sent } else { &mut self.after_received }
    }

    /// Something was received.
    pub(super) fn received(&mut self, now: Instant) {
        let after = now.saturating_duration_since(self.last);
        // What was there already when the reader came says nothing about waiting.
        if self.waits {
            self.habit().received(after);
        }
        (self.last, self.sent, self.waits) = (now, false, false);
    }

    /// Something was sent. Says whether to look for what the peer makes of it.
    pub(super) fn sent(&mut self, now: Instant) -> bool {
        (self.last, self.sent) = (now, true);
        self.after_sent.looks()
    }

    /// Nothing is there. Says whether to look again.
    pub(super) fn again(&mut self, now: Instant) -> bool {
        self.waits = true;
        let near = now.saturating_duration_since(self.last) <= WINDOW;
        near && self.habit().looks()
    }
}

/// Whether to look, from how long messages take to come either way.
#[derive(Debug)]
struct Habit {
    /// How many sleeps are measured before looking is tried again.
    pause: u32,
    /// How long messages have taken to come to a reader that sleeps.
    asleep: Sum,
    looking: Option<Looking>,
}

#[derive(Debug)]
struct Looking {
    /// What messages take to come in this round, of so many.
    awake: Sum,
    length: u32,
    rounds: u32,
}

/// Of times.
#[derive(Debug, Default)]
struct Sum {
    count: u32,
    total: Duration,
}

impl Sum {
    fn add(&mut self, time: Duration) {
        self.count += 1;
        self.total += time;
    }

    /// The average for `count` times.
    fn of(&self, count: u32) -> Duration {
        self.total * count / self.count.max(1)
    }
}

impl Habit {
    fn new() -> Self {
        Self { pause: ASLEEP.0, asleep: Sum::default(), looking: None }
    }

    fn looks(&self) -> bool {
        self.looking.is_some()
    }

    fn received(&mut self, after: Duration) {
        if self.looks() {
            self.received_awake(after);
        } else if after < NEAR {
            self.received_asleep(after);
        }
    }

    fn received_asleep(&mut self, after: Duration) {
        self.asleep.add(after);
        if self.asleep.count < self.pause {
            return;
        }
        if self.asleep.of(1) < FAST {
            self.asleep = Sum::default();
        } else {
            self.looking = Some(Looking { awake: Sum::default(), length: TRIAL, rounds: 0 });
        }
    }

    fn received_awake(&mut self, after: Duration) {
        let Some(looking) = &mut self.looking else { return };
        // How late a late one is would say too much: one stall of the machine.
        looking.awake.add(after.min(NEAR));
        // A quarter earlier: less is not worth the processor time.
        if looking.awake.total >= self.asleep.of(looking.length) * 3 / 4 {
            self.sleep();
            self.pause = (self.pause * 2).min(ASLEEP.1);
        } else if looking.awake.count == looking.length {
            if looking.rounds == STEADY {
                self.pause = ASLEEP.0;
            }
            if looking.rounds == ROUNDS {
                self.sleep();
            } else {
                *looking = Looking { awake: Sum::default(), length: ROUND, rounds: looking.rounds + 1 };
            }
        }
    }

    /// Sleeps, and measures it anew.
    fn sleep(&mut self) {
        (self.looking, self.asleep) = (None, Sum::default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn micros(count: u64) -> Duration {
        Duration::from_micros(count)
    }

    /// A connection on which one message is sent and one comes back, again and again.
    struct Conversation {
        now: Instant,
        busy_poll: BusyPoll,
    }

    impl Conversation {
        fn new() -> Self {
            let now = Instant::now();
            Self { now, busy_poll: BusyPoll::new(now) }
        }

        /// The answer takes `asleep` to come to a reader that sleeps, `awake` to one that looks; then nothing happens
        /// for `pause`. Gives how long the reader looked.
        fn exchange(&mut self, asleep: Duration, awake: Duration, pause: Duration) -> Duration {
            self.busy_poll.sent(self.now);
            let began = self.now;
            let mut looked = Duration::ZERO;
            while self.busy_poll.again(began + looked) && looked < awake {
                looked += micros(1);
            }
            self.now += if looked < awake { asleep.max(looked) } else { awake };
            self.busy_poll.received(self.now);
            let received = self.now;
            let mut idle = Duration::ZERO;
            while self.busy_poll.again(received + idle) && idle < pause {
                idle += micros(1);
            }
            self.now += pause;
            looked + idle
        }

        fn exchanges(&mut self, count: u32, asleep: Duration, awake: Duration, pause: Duration) -> Duration {
            (0..count).map(|_| self.exchange(asleep, awake, pause)).sum()
        }
    }

    #[test]
    fn it_looks_for_answers_that_come_earlier_to_who_looks() {
        let mut connection = Conversation::new();
        connection.exchanges(50, micros(90), micros(25), micros(10));
        let looked = connection.exchanges(10_000, micros(90), micros(25), micros(10));
        // All but those by which sleeping is measured again.
        assert!(looked > micros(25) * 9_500, "{looked:?}");
    }

    #[test]
    fn between_calls_that_are_far_apart_it_sleeps() {
        let mut connection = Conversation::new();
        connection.exchanges(50, micros(90), micros(25), Duration::from_millis(5));
        for _ in 0..100 {
            // For the answer alone.
            let looked = connection.exchange(micros(90), micros(25), Duration::from_millis(5));
            assert!(looked <= micros(26), "{looked:?}");
        }
    }

    #[test]
    fn where_looking_gains_nothing_it_is_given_up() {
        // One core for both ends: looking only delays the peer.
        for (asleep, awake) in [(20, 20), (20, 120), (80, 75)] {
            let mut connection = Conversation::new();
            connection.exchanges(20_000, micros(asleep), micros(awake), micros(5));
            let looked = connection.exchanges(20_000, micros(asleep), micros(awake), micros(5));
            let passed = micros(asleep + 5) * 20_000;
            assert!(looked < passed / 50, "{asleep} {awake}: {looked:?} of {passed:?}");
        }
    }

    #[test]
    fn slow_answers_and_very_fast_ones_are_not_looked_for() {
        for (asleep, awake) in [(5_000, 4_950), (260, 90), (6, 1)] {
            let mut connection = Conversation::new();
            let looked = connection.exchanges(10_000, micros(asleep), micros(awake), micros(2));
            assert_eq!(looked, Duration::ZERO, "{asleep} {awake}");
        }
    }

    #[test]
    fn it_stops_when_it_does_not_pay_any_more() {
        let mut connection = Conversation::new();
        connection.exchanges(500, micros(90), micros(25), micros(10));
        // The peer has become slow: it is noticed within a few messages.
        let looked = connection.exchanges(1_000, Duration::from_millis(3), Duration::from_millis(3), micros(10));
        assert!(looked <= WINDOW * 16, "{looked:?}");
        // And fast again: so is that.
        connection.exchanges(100, micros(90), micros(25), micros(10));
        let looked = connection.exchanges(1_000, micros(90), micros(25), micros(10));
        assert!(looked > micros(25) * 900, "{looked:?}");
    }

    #[test]
    fn what_is_there_at_once_is_not_counted() {
        let mut now = Instant::now();
        let mut busy_poll = BusyPoll::new(now);
        for _ in 0..10_000 {
            now += micros(50);
            busy_poll.received(now);
        }
        assert!(!busy_poll.again(now));
        assert_eq!(busy_poll.after_received.asleep.count, 0);
    }
}
