//! What a keeper does next: decided without links, tasks or a clock.
//!
//! The shell shows the machine what it sees ([`View`]) and carries out the one [`Step`] that the machine names, then tells
//! how that went and shows the next view. All is decided anew from each view, so that nothing depends on having noticed a
//! change: a wake-up that comes too often does no harm, and none can be missed for good.

use std::time::{Duration, Instant};

/// What does not change in the life of a keeper.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    /// The object was made for this handle, and its recipe can run again. Otherwise a peer lent it.
    pub(crate) owned: bool,
    /// An object that was lost is not made again.
    pub(crate) once: bool,
    /// Lost objects are made again when somebody asks for them.
    pub(crate) lazy: bool,
    /// First backoff; doubles up to `retry_max`.
    pub(crate) retry: Duration,
    pub(crate) retry_max: Duration,
    /// A link that has lived this long, or answered a call, is no failure when it ends.
    pub(crate) steady: Duration,
    /// Spreads the backoffs of handles that failed together.
    pub(crate) seed: u64,
}

/// How the link that was installed last is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LinkState {
    Usable,
    /// It takes no new calls and answers those under way.
    Retired,
    Ended,
}

/// What a keeper sees.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View {
    /// The handle was closed.
    pub(crate) closed: bool,
    /// A link was prepared for it, and the session of its last one takes no calls any more.
    pub(crate) adopted: bool,
    pub(crate) link: LinkState,
    /// A call of a user, or a constructor, was answered over it.
    pub(crate) answered: bool,
    /// How long it lived, or has lived until now.
    pub(crate) age: Duration,
    /// The session of its last link takes no new calls, or has ended.
    pub(crate) session_over: bool,
    /// The session has ended.
    pub(crate) session_ended: bool,
    /// Its last object may still live: nothing is known that ended it.
    pub(crate) object_lives: bool,
    /// The object of the parent under which the last object was made.
    pub(crate) made_under: u64,
    /// The object behind the usable link of the parent, if it has one.
    pub(crate) parent: Option<u64>,
    /// The plugin ended again and again while this object was made.
    pub(crate) quarantined: bool,
    /// How many resets there have been.
    pub(crate) resets: u64,
}

/// What to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Nothing until the view changes, somebody wishes for the handle, or the time has come.
    Wait {
        until: Option<Instant>,
        /// Wish for the parent too.
        wish: bool,
    },
    /// Install the link that was prepared.
    Adopt,
    /// Dial the object again: it may have lost its connection only.
    Dial,
    /// Wait a moment for the end of the parent: the connections to a dying process do not end at the same time. A run over
    /// one that is about to end is a loss at best, and would count against a constructor that did nothing wrong.
    Settle,
    /// Tell the object that another takes its place, if it can be reached at all, and end it: what was lent to it is taken
    /// back before anything is lent to the next.
    Displace,
    /// Let go of an object of a session that takes no calls any more; what is under way there goes on.
    Leave,
    /// Run the recipe.
    Run,
    /// Give everything back, and end.
    Release,
}

/// What others are to see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// The slot is vacant.
    Vacant,
    /// A run is under way.
    Making,
    /// The link takes no calls: take it away.
    Unusable,
    /// It was lost: tell that.
    Lost,
    /// It is usable again: `run` runs since the last success, none if its object was dialled again. To be told, unless it was
    /// not told as lost: then a link that was retired has been replaced, and nothing happened to the object.
    Live { run: u32, redialled: bool, tell: bool },
    /// It failed.
    Failed(Failure),
    /// It does not come back.
    Gone,
    /// The parent went away while the recipe ran in this session: not that of the last object, which may be an older one.
    CutOff { session: u64 },
    /// A constructor call ended nobody knows how: so many did in this session.
    DuplicatePossible { session: u64, count: u64 },
}

/// Why there is no object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// A run failed: the shell has the error.
    Run,
    /// Its links end before they have answered anything.
    Unsteady,
    Quarantined,
}

/// A failure that callers are told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) why: Why,
    /// The object of the parent under which it failed.
    pub(crate) parent: u64,
    pub(crate) permanent: bool,
    pub(crate) in_a_row: u32,
    pub(crate) retry_at: Instant,
}

/// How a run of the recipe went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ran {
    /// It was not begun after all.
    NotBegun,
    /// There is an object, and it was installed.
    Made,
    /// There was one, and the handle or its parent was gone by then: it was given back.
    TooLate,
    /// Answered by a refusal.
    Refused { permanent: bool },
    /// It certainly did not run.
    NotRun,
    /// Nobody knows.
    MayHaveRun,
}

/// What a run went over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Over {
    /// The object of the parent.
    pub(crate) parent: u64,
    pub(crate) session: u64,
    /// The parent's link takes further calls.
    pub(crate) usable: bool,
}

/// How far the way back to the last object has been tried.
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
    /// Told as made, and not yet as lost.
    told: bool,
    /// Somebody waits, and has not been answered yet.
    wanted: bool,
    /// It does not come back.
    gone: bool,
    /// The last object is none of ours any more.
    left: bool,
    tried: Tried,
    failed: Option<Failure>,
    resets: u64,
    /// Links in a row that ended before they had answered anything.
    unsteady: u32,
    /// A session, and how many constructor calls in it ended nobody knows how.
    duplicates: (u64, u64),
    /// The session in which the last run was cut off and may have made something: that ends with it, if it ends.
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

    /// What to do, as things are seen now.
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
        let is_out_of_date = view.session_over || view.made_under != parent;
        // No run is asked for while the object can be dialled again.
        let needs_run = !object_lives || is_out_of_date;
        let is_told = self.failed.is_some_and(|failed| failed.permanent && failed.parent == parent);
        if view.quarantined && needs_run && !is_told {
            let failed = Failure { why: Why::Quarantined, parent, permanent: true, in_a_row: 1, retry_at: now };
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
        if is_out_of_date {
            return Step::Leave;
        }
        match self.tried {
            Tried::Nothing => Step::Dial,
            Tried::Dialled => Step::Settle,
            Tried::Settled => Step::Displace,
        }
    }

    /// What a peer lent does not outlive the session, even if somebody holds on to the handle; while that lives it can be
    /// dialled again, and nothing else.
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
        // Once is sporadic; the second in a row has to wait.
        if self.unsteady > 1 {
            let in_a_row = self.unsteady - 1;
            let retry_at = now + self.backoff(in_a_row);
            let failed = Failure { why: Why::Unsteady, parent: view.made_under, permanent: false, in_a_row, retry_at };
            self.fail(failed, effects);
        }
    }

    fn tell_lost(&mut self, effects: &mut Vec<Effect>) {
        if std::mem::take(&mut self.told) {
            effects.push(Effect::Lost);
        }
    }

    fn give_up(&mut self, effects: &mut Vec<Effect>) -> Step {
        // A reset has nothing to forget any more.
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

    /// The last object was dialled again, or was not to be reached.
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

    /// The last object was ended, or left to its session.
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
        // Only a connection had been lost: the session goes on, with what the run before may have made.
        if ran != Ran::NotBegun && self.cut_off.take() == Some(over.session) {
            self.count_duplicate(over.session, effects);
        }
        let permanent = match ran {
            Ran::NotBegun => return,
            Ran::Made => {
                let run = self.failed.filter(|failed| failed.why == Why::Run).map_or(1, |failed| failed.in_a_row + 1);
                self.failed = None;
                return self.live(run, false, effects);
            }
            Ran::TooLate => return effects.push(Effect::Vacant),
            Ran::Refused { permanent } => permanent,
            Ran::NotRun | Ran::MayHaveRun => false,
        };
        if !over.usable {
            // Its end is the parent's: not counted, and made again under the next one.
            self.cut_off = (ran == Ran::MayHaveRun).then_some(over.session);
            effects.extend([Effect::CutOff { session: over.session }, Effect::Vacant]);
            return;
        }
        if ran == Ran::MayHaveRun {
            self.count_duplicate(over.session, effects);
        }
        let in_a_row = self.failed.map_or(1, |failed| failed.in_a_row.saturating_add(1));
        let retry_at = now + self.backoff(in_a_row);
        self.fail(Failure { why: Why::Run, parent: over.parent, permanent, in_a_row, retry_at }, effects);
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
