//! What is promised, whatever happens.

/// What is promised. The names are those that `LOOP_MODEL_ONLY` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Promise {
    /// Every call, constructor and close ends by its deadline; nothing waits for ever, nothing goes round for ever.
    InTime,
    /// One run of a constructor at a time for a handle, one success for an object of the parent and a loss.
    OneRun,
    /// No older generation, no older object and no child of an ended object is used.
    Newest,
    /// What is said not to have run never runs; what may run once runs once at most, what may be repeated three times.
    Truth,
    /// What exists is what is in use, and nothing at the end.
    NothingLeft,
    /// What was lent to somebody who has gone is not reached any more.
    NoLateCall,
    /// One process at a time, but in an upgrade; no call begins on a generation once the next is there.
    OneGeneration,
    /// Once faults end everything comes back, without a call if the policy is not lazy.
    Recovers,
    /// Launches stay within the budget, and none comes before its time.
    Budget,
    /// A launch that failed for good is not tried again.
    Permanent,
    /// While nothing can be had callers are told at once.
    AtOnce,
    /// What is closed stays silent; children are closed first.
    Silent,
    /// Events come in the order that is promised.
    Grammar,
    /// A refusal for good is asked for once per object of the parent.
    AskedOnce,
    /// An error names the handle or an ancestor that has it.
    Ancestor,
    /// Nobody healthy is killed because the host stood still.
    Patience,
}

const ALL: [Promise; 16] = [
    Promise::InTime,
    Promise::OneRun,
    Promise::Newest,
    Promise::Truth,
    Promise::NothingLeft,
    Promise::NoLateCall,
    Promise::OneGeneration,
    Promise::Recovers,
    Promise::Budget,
    Promise::Permanent,
    Promise::AtOnce,
    Promise::Silent,
    Promise::Grammar,
    Promise::AskedOnce,
    Promise::Ancestor,
    Promise::Patience,
];

impl Promise {
    /// Those that are named in `names`, with commas between; all, if there are none.
    pub(super) fn only(names: Option<&str>) -> Vec<Self> {
        let Some(names) = names else { return ALL.to_vec() };
        let all: Vec<Self> =
            ALL.into_iter().filter(|it| names.split(',').any(|name| name == format!("{it:?}"))).collect();
        assert!(!all.is_empty(), "`{names}` names none of {ALL:?}");
        all
    }
}
