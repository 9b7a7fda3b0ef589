//! What passes between a keeper and its machine: observations and outcomes in, steps and effects out.

use std::time::{Duration, Instant};

/// What is constant for the life of a keeper.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    /// The object was made for this handle, and its recipe can be rerun. Otherwise a peer lent it.
    pub(crate) owned: bool,
    /// A lost object is not recreated.
    pub(crate) once: bool,
    /// Lost objects are recreated when a caller needs them.
    pub(crate) lazy: bool,
    /// First backoff; doubles up to `retry_max`.
    pub(crate) retry: Duration,
    pub(crate) retry_max: Duration,
    /// The end of a link that has lived this long, or answered a call, counts as no failure.
    pub(crate) steady: Duration,
    /// Spreads the backoffs of handles that failed together.
    pub(crate) seed: u64,
}

/// The state of the link that was installed last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LinkState {
    Usable,
    /// It takes no new calls and answers those in flight.
    Retired,
    Ended,
}

/// What a keeper sees.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View {
    /// The handle was closed.
    pub(crate) closed: bool,
    /// A link was prepared for it, and the session of its last one takes no new calls.
    pub(crate) adopted: bool,
    pub(crate) link: LinkState,
    /// A call of a user, or a constructor, was answered over it.
    pub(crate) answered: bool,
    /// How long it lived, or has lived so far.
    pub(crate) age: Duration,
    /// The session of its last link takes no new calls, or has ended.
    pub(crate) session_over: bool,
    /// The session has ended.
    pub(crate) session_ended: bool,
    /// Its last object may still live: nothing is known to have ended it.
    pub(crate) object_lives: bool,
    /// The object of the parent under which the last object was made.
    pub(crate) made_under: u64,
    /// The object behind the usable link of the parent, if it has one.
    pub(crate) parent: Option<u64>,
    /// The plugin kept ending while this object was made.
    pub(crate) quarantined: bool,
    /// How many resets there have been.
    pub(crate) resets: u64,
}

/// What to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Wait until the view changes, a caller requests the handle, or the time has come.
    Wait {
        until: Option<Instant>,
        /// Request the parent too.
        wish: bool,
    },
    /// Install the link that was prepared.
    Adopt,
    /// Redial the object: it may have lost its connection only.
    Dial,
    /// Wait briefly for the end of the parent: the connections to a dying process do not end at the same time. A run
    /// over one that is about to end is a loss at best, and would count against an innocent constructor.
    Settle,
    /// Release the object that is being replaced, if it can be reached at all, and end it: what was lent to it is
    /// released before anything is lent to the next.
    Displace,
    /// Leave an object of a session that takes no new calls; calls in flight there go on.
    Leave,
    /// Run the recipe.
    Run,
    /// Release everything, and end.
    Release,
}

/// What becomes visible to others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// The state is vacant.
    Vacant,
    /// A run is in progress.
    Making,
    /// The link takes no calls: remove it.
    Unusable,
    /// It was lost: emit that.
    Lost,
    /// It is usable again: `run` runs since the last success, none if its object was redialled. To be emitted, unless
    /// `Lost` was not: then a retired link has been replaced, and nothing happened to the object.
    Live { run: u32, redialled: bool, tell: bool },
    /// It failed.
    Failed(Failure),
    /// It does not recover.
    Gone,
    /// The parent was lost while the recipe ran in this session, which may be newer than that of the last object.
    CutOff { session: u64 },
    /// The outcome of a constructor call is unknown, as that of `count` in this session.
    DuplicatePossible { session: u64, count: u64 },
}

/// Why there is no object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FailureKind {
    /// A run failed: the shell has the error.
    Run,
    /// Its links end before a call was answered over them.
    Unsteady,
    Quarantined,
}

/// A failure that callers see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) why: FailureKind,
    /// The parent's object under which it failed.
    pub(crate) parent: u64,
    pub(crate) permanent: bool,
    pub(crate) in_a_row: u32,
    pub(crate) retry_at: Instant,
}

/// The outcome of a run of the recipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ran {
    /// It was not begun after all.
    NotBegun,
    /// The object was made and installed.
    Made,
    /// The object was made, but the handle or its parent had ended by then: it was released.
    TooLate,
    /// The peer answered with an error.
    Refused { permanent: bool },
    /// It certainly did not run.
    NotRun,
    /// It is unknown whether it ran.
    MayHaveRun,
}

/// What a run used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Over {
    /// The object of the parent.
    pub(crate) parent: u64,
    pub(crate) session: u64,
    /// The parent's link takes further calls.
    pub(crate) usable: bool,
}
