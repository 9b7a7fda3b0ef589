//! What a health check concludes, tick by tick.

use super::Pulse;

/// Silent ticks before a health check is sent.
const QUIET: u32 = 2;
/// Silent ticks before it is suspect.
const SUSPECT: u32 = 3;
/// Silent ticks before it counts as hung.
const HUNG: u32 = 10;

/// Counts ticks without a sign of life: something that the plugin sent. What fails on this side says nothing about it.
#[derive(Debug)]
pub(crate) struct Ticks {
    signs: u64,
    silent: u32,
    serving: bool,
}

/// A health check of the plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    /// Not sent, or answered.
    None,
    /// No answer yet.
    Open,
    /// It failed on this side.
    Failed,
}

/// What to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Check over the main connection.
    Ask,
    /// Check over a connection of its own: the main one may have no room for a call, which is the host's doing as much
    /// as the plugin's.
    AskAside,
    Tell(Pulse),
}

impl Ticks {
    /// `signs` is how many signs of life there have been.
    pub(crate) fn new(signs: u64) -> Self {
        Self { signs, silent: 0, serving: true }
    }

    /// Another tick has passed.
    pub(crate) fn tick(&mut self, signs: u64, main: Question, aside: Question) -> Vec<Step> {
        let mut steps = Vec::new();
        if signs != self.signs {
            if self.silent >= SUSPECT {
                steps.push(Step::Tell(Pulse::Recovered));
            }
            (self.signs, self.silent) = (signs, 0);
            return steps;
        }
        self.silent += 1;
        if self.silent >= QUIET {
            if main != Question::Open {
                steps.push(Step::Ask);
            }
            if main != Question::None && aside != Question::Open {
                steps.push(Step::AskAside);
            }
        }
        if self.silent == SUSPECT {
            steps.push(Step::Tell(Pulse::Suspect { silent: self.silent }));
        }
        if self.silent >= HUNG {
            steps.push(Step::Tell(Pulse::Hung));
        }
        steps
    }

    /// It reported whether it serves.
    pub(crate) fn heard(&mut self, serving: bool) -> Option<Pulse> {
        let before = std::mem::replace(&mut self.serving, serving);
        (before && !serving).then_some(Pulse::NotServing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_asked_into_then_suspect_then_hung() {
        let mut ticks = Ticks::new(0);
        let mut told = Vec::new();
        for tick in 1..=HUNG {
            let main = if tick > QUIET { Question::Open } else { Question::None };
            let aside = if tick > SUSPECT { Question::Open } else { Question::None };
            told.extend(ticks.tick(0, main, aside).into_iter().map(|step| (tick, step)));
        }
        let suspect = Step::Tell(Pulse::Suspect { silent: 3 });
        let expected = [(2, Step::Ask), (3, Step::AskAside), (3, suspect), (10, Step::Tell(Pulse::Hung))];
        assert_eq!(told, expected);
        assert_eq!(ticks.tick(1, Question::Open, Question::Open), [Step::Tell(Pulse::Recovered)]);
        assert_eq!(ticks.tick(2, Question::None, Question::None), []);
    }

    /// The check on the main connection has been waiting for room ever since: the next is sent aside at once, and the
    /// plugin is not suspect again.
    #[test]
    fn a_full_main_connection_is_passed_by() {
        let mut ticks = Ticks::new(0);
        for signs in 1..100 {
            assert_eq!(ticks.tick(signs, Question::Open, Question::None), []);
            assert_eq!(ticks.tick(signs, Question::Open, Question::None), []);
            assert_eq!(ticks.tick(signs, Question::Open, Question::None), [Step::AskAside]);
        }
    }

    #[test]
    fn what_fails_here_is_no_sign_of_life() {
        let mut ticks = Ticks::new(0);
        let mut last = Vec::new();
        for _ in 0..HUNG {
            last = ticks.tick(0, Question::Failed, Question::Failed);
        }
        assert_eq!(last, [Step::Ask, Step::AskAside, Step::Tell(Pulse::Hung)]);
    }

    #[test]
    fn that_it_does_not_serve_is_told_once() {
        let mut ticks = Ticks::new(0);
        let told: Vec<_> = [true, false, false, true, false].into_iter().filter_map(|now| ticks.heard(now)).collect();
        assert_eq!(told, [Pulse::NotServing, Pulse::NotServing]);
    }
}
