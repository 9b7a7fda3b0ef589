//! Counts over a schedule, to see that it was worth running.

/// Counts, of one schedule or of many.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Figures {
    pub(super) calls: u64,
    pub(super) answered: u64,
    pub(super) repeats: u64,
    pub(super) not_run: u64,
    pub(super) may_have_run: u64,
    pub(super) launches: u64,
    pub(super) openings: u64,
    pub(super) runs: u64,
    pub(super) redialled: u64,
    pub(super) lent_calls: u64,
    pub(super) late_calls: u64,
    pub(super) upgrades: u64,
}

impl Figures {
    pub(super) fn sum(all: &[Self]) -> Self {
        all.iter().fold(Self::default(), |sum, it| Self {
            calls: sum.calls + it.calls,
            answered: sum.answered + it.answered,
            repeats: sum.repeats + it.repeats,
            not_run: sum.not_run + it.not_run,
            may_have_run: sum.may_have_run + it.may_have_run,
            launches: sum.launches + it.launches,
            openings: sum.openings + it.openings,
            runs: sum.runs + it.runs,
            redialled: sum.redialled + it.redialled,
            lent_calls: sum.lent_calls + it.lent_calls,
            late_calls: sum.late_calls + it.late_calls,
            upgrades: sum.upgrades + it.upgrades,
        })
    }
}
