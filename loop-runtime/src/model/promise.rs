//! The promises that hold whatever happens.

/// A promise. The names are those that `LOOP_MODEL_ONLY` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Promise {
    /// Every call, constructor and close ends by its deadline; nothing waits for ever, nothing loops for ever.
    InTime,
    /// One run of a constructor at a time per handle, one success per object of the parent and loss.
    OneRun,
    /// No older generation, no older object and no child of an ended object is used.
    Newest,
    /// What is reported not to have run never runs; a call runs at most once, an idempotent one at most three times.
    Truth,
    /// What exists is what is in use, and nothing at the end.
    NothingLeft,
    /// What was lent to a peer that was lost is not reached any more.
    NoLateCall,
    /// One process at a time, except in an upgrade; no call begins on a generation once the next is there.
    OneGeneration,
    /// Once faults end everything recovers, without a call if the policy is not lazy.
    Recovers,
    /// Launches stay within the budget, and none comes before its time.
    Budget,
    /// A launch that failed permanently is not retried.
    Permanent,
    /// While no recovery is possible, callers fail at once.
    AtOnce,
    /// What is closed stays silent; children are closed first.
    Silent,
    /// Events come in the documented order.
    Grammar,
    /// A permanent refusal is not retried under the same object of the parent.
    AskedOnce,
    /// An error names the handle or the ancestor that failed.
    Ancestor,
    /// No healthy process is killed because the host stalled.
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
    /// Those in `names`, separated by commas; all, if there are none.
    pub(super) fn only(names: Option<&str>) -> Vec<Self> {
        let Some(names) = names else { return ALL.to_vec() };
        let all: Vec<Self> =
            ALL.into_iter().filter(|it| names.split(',').any(|name| name == format!("{it:?}"))).collect();
        assert!(!all.is_empty(), "`{names}` names none of {ALL:?}");
        all
    }
}
