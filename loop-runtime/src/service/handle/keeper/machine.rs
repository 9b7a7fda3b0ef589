//! What a keeper does next: decided without links, tasks or a clock.
//!
//! The shell passes the machine a [`View`], carries out the one [`Step`] that it returns, then reports the outcome and
//! passes the next view. Everything is decided anew from each view, so nothing depends on having noticed a change: a
//! spurious wake-up does no harm, and none can be missed for good.

mod messages;

use std::time::{Duration, Instant};

pub(crate) use messages::{Effect, Failure, FailureKind, LinkState, Over, Ran, Rules, Step, View};

/// How far reconnecting to the last object has been tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tried {
    Nothing,
    Dialled,
    Settled,
}

/// The state of one keeper.
#[derive(Debug)]
pub(crate) struct Machine {
    rules: Rules,
    /// Its link takes calls, as far as is known.
    live: bool,
    /// `Made` was emitted, `Lost` not yet.
    told: bool,
    /// A caller waits for the handle.
    wanted: bool,
    /// It does not recover.
    gone: bool,
    /// The last object is not ours any more.
    left: bool,
    tried: Tried,
    failed: Option<Failure>,
    resets: u64,
    /// Consecutive links that ended before a call was answered over them.
    unsteady: u32,
    /// A session, and the number of constructor calls in it whose outcome is unknown.
    duplicates: (u64, u64),
    /// The session in which the last run was cut off and may have made an object, which ends with the session.
    cut_off: Option<u64>,
}

impl Machine {
    /// A keeper whose handle is live; `resets` is the number of resets until now.
    pub(crate) fn new(rules: Rules, resets: u64) -> Self {
        Self {
            rules,
            live: true,
            told: true,
            wanted: false,
            gone: false,
            left: false,
            tried: Tried::Nothing,
            failed: None,
            resets,
            unsteady: 0,
            duplicates: (0, 0),
            cut_off: None,
        }
    }

    /// Somebody asked for the handle.
    pub(crate) fn wish(&mut self) {
        self.wanted = true;
    }

    /// What to do next, given `view`.
    pub(crate) fn next(&mut self, view: &View, now: Instant, effects: &mut Vec<Effect>) -> Step {
        const WAIT: Step = Step::Wait { until: None, wish: false };
        if view.closed {
            return Step::Release;
        }
        if view.adopted {
            return Step::Adopt;
        }
        if view.link == LinkState::Usable && self.live {
            return WAIT;
        }
        self.note_loss(view, now, effects);
        if std::mem::replace(&mut self.resets, view.resets) != view.resets && self.failed.take().is_some() {
            self.unsteady = 0;
            effects.push(Effect::Vacant);
        }
        if self.gone {
            return WAIT;
        }
        let object_lives = view.object_lives && !self.left;
        if !self.rules.owned {
            return self.next_of_lent(view, now, effects);
        }
        if self.rules.once && (!object_lives || view.session_over) {
            return self.give_up(effects);
        }
        if self.rules.lazy && !self.wanted {
            return WAIT;
        }
        let Some(parent) = view.parent else { return Step::Wait { until: None, wish: true } };
        // No run is needed while the object can be redialled. While the session lives, that object is a child of the
        // parent's current object: an older one ended before this one existed, and all that it made with it.
        let needs_run = !object_lives || view.session_over;
        let is_told = self.failed.is_some_and(|failed| failed.permanent && failed.parent == parent);
        if view.quarantined && needs_run && !is_told {
            let failed = Failure { why: FailureKind::Quarantined, parent, permanent: true, in_a_row: 1, retry_at: now };
            self.fail(failed, effects);
        }
        match self.failed.filter(|failed| failed.parent == parent) {
            Some(failed) if failed.permanent => return WAIT,
            Some(failed) if failed.retry_at > now => return Step::Wait { until: Some(failed.retry_at), wish: false },
            Some(_) => {}
            None => self.failed = None,
        }
        if !object_lives {
            return Step::Run;
        }
        if view.session_over {
            return Step::Leave;
        }
        match self.tried {
            Tried::Nothing => Step::Dial,
            Tried::Dialled => Step::Settle,
            Tried::Settled => Step::Displace,
        }
    }

    /// What a peer lent does not outlive the session, even if the handle is still held; while that lives it can be
    /// redialled, and nothing else.
    fn next_of_lent(&mut self, view: &View, now: Instant, effects: &mut Vec<Effect>) -> Step {
        if view.session_ended || !view.object_lives || self.tried != Tried::Nothing {
            return self.give_up(effects);
        }
        match self.failed {
            _ if view.session_over => Step::Wait { until: None, wish: false },
            Some(failed) if failed.retry_at > now => Step::Wait { until: Some(failed.retry_at), wish: false },
            _ => Step::Dial,
        }
    }

    /// Takes note of the end of the link, once.
    fn note_loss(&mut self, view: &View, now: Instant, effects: &mut Vec<Effect>) {
        if !std::mem::take(&mut self.live) {
            return;
        }
        effects.push(Effect::Unusable);
        // Retired is not lost: nothing happened to the object.
        if view.link == LinkState::Ended {
            self.tell_lost(effects);
        }
        if view.answered || view.age >= self.rules.steady {
            self.unsteady = 0;
        } else if view.link == LinkState::Ended && !view.session_over {
            self.unsteady = self.unsteady.saturating_add(1);
        }
        // The first is sporadic; the second in a row backs off.
        if self.unsteady > 1 {
            let in_a_row = self.unsteady - 1;
            let retry_at = now + self.backoff(in_a_row);
            let failed =
                Failure { why: FailureKind::Unsteady, parent: view.made_under, permanent: false, in_a_row, retry_at };
            self.fail(failed, effects);
        }
    }

    fn tell_lost(&mut self, effects: &mut Vec<Effect>) {
        if std::mem::take(&mut self.told) {
            effects.push(Effect::Lost);
        }
    }

    fn give_up(&mut self, effects: &mut Vec<Effect>) -> Step {
        // A reset has nothing to clear any more.
        (self.gone, self.failed) = (true, None);
        self.tell_lost(effects);
        effects.push(Effect::Gone);
        Step::Wait { until: None, wish: false }
    }

    fn fail(&mut self, failed: Failure, effects: &mut Vec<Effect>) {
        self.failed = Some(failed);
        self.wanted = false;
        effects.push(Effect::Failed(failed));
    }

    /// The prepared link is about to be installed.
    pub(crate) fn adopts(&mut self, effects: &mut Vec<Effect>) {
        self.tell_lost(effects);
    }

    /// The prepared link was installed; its object was made for it.
    pub(crate) fn adopted(&mut self, effects: &mut Vec<Effect>) {
        (self.failed, self.unsteady) = (None, 0);
        self.live(1, false, effects);
    }

    /// The last object was redialled, or was unreachable.
    pub(crate) fn dialled(&mut self, reached: bool, effects: &mut Vec<Effect>) {
        if reached {
            self.live(0, true, effects);
        } else {
            self.tried = Tried::Dialled;
        }
    }

    /// The moment in which the parent could have ended has passed.
    pub(crate) fn settled(&mut self) {
        self.tried = Tried::Settled;
    }

    /// The last object was ended, or left to end with its session.
    pub(crate) fn displaced(&mut self, effects: &mut Vec<Effect>) {
        (self.tried, self.left) = (Tried::Nothing, true);
        self.tell_lost(effects);
        if self.rules.once && !self.gone {
            self.give_up(effects);
        }
    }

    /// A run begins.
    pub(crate) fn runs(&mut self, effects: &mut Vec<Effect>) {
        self.tell_lost(effects);
        effects.push(Effect::Making);
    }

    /// A run has ended.
    pub(crate) fn ran(&mut self, ran: Ran, over: Over, now: Instant, effects: &mut Vec<Effect>) {
        self.tried = Tried::Nothing;
        // Only a connection was lost: the session lives, with what the previous run may have made.
        if ran != Ran::NotBegun && self.cut_off.take() == Some(over.session) {
            self.count_duplicate(over.session, effects);
        }
        let permanent = match ran {
            Ran::NotBegun => return,
            Ran::Made => {
                let run =
                    self.failed.filter(|failed| failed.why == FailureKind::Run).map_or(1, |failed| failed.in_a_row + 1);
                self.failed = None;
                return self.live(run, false, effects);
            }
            Ran::TooLate => return effects.push(Effect::Vacant),
            Ran::Refused { permanent } => permanent,
            Ran::NotRun | Ran::MayHaveRun => false,
        };
        if !over.usable {
            // It ended with the parent: not counted, and recreated under the next one.
            self.cut_off = (ran == Ran::MayHaveRun).then_some(over.session);
            effects.extend([Effect::CutOff { session: over.session }, Effect::Vacant]);
            return;
        }
        if ran == Ran::MayHaveRun {
            self.count_duplicate(over.session, effects);
        }
        let in_a_row = self.failed.map_or(1, |failed| failed.in_a_row.saturating_add(1));
        let retry_at = now + self.backoff(in_a_row);
        self.fail(Failure { why: FailureKind::Run, parent: over.parent, permanent, in_a_row, retry_at }, effects);
    }

    fn count_duplicate(&mut self, session: u64, effects: &mut Vec<Effect>) {
        if self.duplicates.0 != session {
            self.duplicates = (session, 0);
        }
        self.duplicates.1 += 1;
        effects.push(Effect::DuplicatePossible { session, count: self.duplicates.1 });
    }

    fn live(&mut self, run: u32, redialled: bool, effects: &mut Vec<Effect>) {
        (self.live, self.wanted, self.left, self.tried) = (true, false, false, Tried::Nothing);
        let tell = !std::mem::replace(&mut self.told, true);
        effects.push(Effect::Live { run, redialled, tell });
    }

    /// Doubling, half of it jitter, so that objects that failed together do not retry together.
    fn backoff(&self, in_a_row: u32) -> Duration {
        let full = self.rules.retry.saturating_mul(1 << (in_a_row - 1).min(16)).min(self.rules.retry_max);
        let jitter = self.rules.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(in_a_row) % 1000;
        full / 2 + full.mul_f64(0.0005 * jitter as f64)
    }
}

#[cfg(test)]
mod tests;
