//! What passes between a keeper and its machine: what the one sees and has done, what the other wants done and told.

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
    /// A call of a user was answered over it.
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
pub(crate) enum FailureKind {
    /// A run failed: the shell has the error.
    Run,
    /// Its links end before they have answered anything.
    Unsteady,
    Quarantined,
}

/// A failure that callers are told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) why: FailureKind,
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
