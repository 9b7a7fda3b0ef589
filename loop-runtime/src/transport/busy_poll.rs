//! Busy polling: reading a socket again before going to sleep.
//!
//! A sleeping thread has to be woken: by an interrupt from the sender's core, and after its own core has left its idle
//! state. Between two processes on idle cores this is most of the time of a small call. A reader that polls for a
//! moment, and yields to every other task of its thread meanwhile, needs no wake-up.
//!
//! Whether that pays is measured per connection: if messages do not arrive clearly earlier than at a sleeping reader,
//! the reader sleeps. So it does where messages are rare, where the peer takes long to answer, and where the peer needs
//! this very core to answer. It is measured and not configured: a CPU mask says nothing (with a core each, polling pays
//! the most), and the cost of a wake-up differs by a factor of ten between machines.

use std::time::{Duration, Instant};

/// How long to poll, counted from the last message. A small call with both ends awake takes less.
const WINDOW: Duration = Duration::from_micros(100);

/// A message later than this after the last one is not part of a burst, and says nothing about polling.
const NEAR: Duration = Duration::from_micros(250);

/// Nor is there anything to gain where messages reach a sleeping reader this fast.
const FAST: Duration = Duration::from_micros(8);

/// How many near messages are received asleep before polling is tried: at first, and at most, after it has repeatedly
/// not paid.
const ASLEEP: (u32, u32) = (16, 2048);

/// Within how many messages polling has to prove itself, at first and in each round after; after how many rounds it
/// counts as having paid; and after how many sleeping is measured again.
const TRIAL: u32 = 8;
const ROUND: u32 = 64;
const STEADY: u32 = 8;
const ROUNDS: u32 = 64;

/// When to poll a connection. What follows a message of the peer and what follows one of our own are measured apart: a
/// client waits briefly for a reply and long for its next call, a server the other way round.
#[derive(Debug)]
pub(super) struct BusyPoll {
    after_received: Habit,
    after_sent: Habit,
    last: Instant,
    sent: bool,
    /// Since the last message, the reader found nothing at least once.
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
        // What was there already says nothing about waiting.
        if self.waits {
            self.habit().received(after);
        }
        (self.last, self.sent, self.waits) = (now, false, false);
    }

    /// Something was sent. Returns whether to poll for the peer's answer.
    pub(super) fn sent(&mut self, now: Instant) -> bool {
        (self.last, self.sent) = (now, true);
        self.after_sent.looks()
    }

    /// Nothing is there. Returns whether to poll again.
    pub(super) fn again(&mut self, now: Instant) -> bool {
        self.waits = true;
        let near = now.saturating_duration_since(self.last) <= WINDOW;
        near && self.habit().looks()
    }
}

/// Whether to poll, from how long messages take to arrive either way.
#[derive(Debug)]
struct Habit {
    /// How many sleeps are measured before polling is tried again.
    pause: u32,
    /// How long messages have taken to reach a sleeping reader.
    asleep: Sum,
    looking: Option<Looking>,
}

#[derive(Debug)]
struct Looking {
    /// How long messages take to arrive in this round, and how many it has.
    awake: Sum,
    length: u32,
    rounds: u32,
}

/// A sum of durations.
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

    /// The average duration times `count`.
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
        // Clamped: otherwise one stall of the machine would decide.
        looking.awake.add(after.min(NEAR));
        // A quarter earlier: less is not worth the CPU time.
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

    /// Sleeps, and measures that anew.
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

        /// The answer takes `asleep` to reach a sleeping reader, `awake` to reach a polling one; then nothing happens
        /// for `pause`. Returns how long the reader polled.
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
        // All but those that measure sleeping again.
        assert!(looked > micros(25) * 9_500, "{looked:?}");
    }

    #[test]
    fn between_calls_that_are_far_apart_it_sleeps() {
        let mut connection = Conversation::new();
        connection.exchanges(50, micros(90), micros(25), Duration::from_millis(5));
        for _ in 0..100 {
            // For the answer only.
            let looked = connection.exchange(micros(90), micros(25), Duration::from_millis(5));
            assert!(looked <= micros(26), "{looked:?}");
        }
    }

    #[test]
    fn where_looking_gains_nothing_it_is_given_up() {
        // One core for both ends: polling only delays the peer.
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
        // The peer has become slow: that is noticed within a few messages.
        let looked = connection.exchanges(1_000, Duration::from_millis(3), Duration::from_millis(3), micros(10));
        assert!(looked <= WINDOW * 16, "{looked:?}");
        // And fast again: likewise.
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
