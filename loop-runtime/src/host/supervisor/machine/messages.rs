//! The inputs and the actions of the machine.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::host::event::{EndCause, Ended, EventKind, State};
use crate::host::{Exit, LaunchError, StderrTail};

/// What has happened. Inputs about a generation that no longer exists are ignored, so that they may come late.
#[derive(Clone, Debug)]
pub(crate) enum Input {
    /// Begins with the first launch. Given once, before anything else.
    Start,
    /// The launch in progress succeeded: connected, probed and set up.
    Started {
        pid: u32,
        /// Since the launch began.
        took: Duration,
    },
    /// The launch in progress failed, or was cancelled. Its process, if there was one, is gone.
    StartFailed {
        error: Arc<LaunchError>,
        /// The id of a process that could not be reaped.
        unreaped: Option<u32>,
    },
    /// Something that the generation needs has ended: in order, if the plugin [shuts down](EndCause::ShutDown).
    Lost { generation: u64, why: EndCause },
    /// The main connection takes no new calls; those in flight are answered.
    Retired { generation: u64 },
    /// There is another one: the answer to [`Action::Redial`].
    Redialled { generation: u64 },
    /// There is none: the plugin accepts no connections any more.
    RedialRefused { generation: u64 },
    /// A user asked for a service, whose methods carry services or not.
    Dispensed { carries: bool },
    /// The process has ended and is reaped.
    Exited { generation: u64 },
    /// What the health check has found.
    Pulse { generation: u64, pulse: Pulse },
    /// No call is in flight on the generation: the answer to [`Action::Drain`].
    Drained { generation: u64 },
    /// The answer to [`Action::End`].
    Reaped { generation: u64, remains: Remains },
    /// The answer to [`Action::Discard`].
    Discarded {
        generation: u64,
        /// The handles whose constructors were running when it ended.
        making: Vec<u64>,
    },
    /// The answer to [`Action::CloseHandles`].
    HandlesClosed,
    /// A user wants another process in the place of the one that runs; of another program, if it was `replaced`.
    Restart { replaced: bool },
    /// A user wants the process replaced by one of another program, without a gap.
    Upgrade,
    /// The answer to [`Action::Prepare`].
    Prepared { generation: u64 },
    /// Something that lives in the old process cannot be made in the new one.
    PrepareFailed { generation: u64, why: Arc<str> },
    /// A user wants all failures to be forgotten.
    Reset,
    /// The owner wants no process any more, by a call or by dropping the last handle.
    Close { by_call: bool },
    /// Time has passed: to be given when [`Machine::deadline`](super::Machine::deadline) has come. Too early does no harm.
    Tick,
}

/// What the health check has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pulse {
    /// No sign of life for so many ticks.
    Suspect { silent: u32 },
    /// A sign of life after that.
    Recovered,
    /// It reports that it does not serve.
    NotServing,
    /// It counts as hung.
    Hung,
}

/// What is known of a process that has ended.
#[derive(Clone, Debug, Default)]
pub(crate) struct Remains {
    pub(crate) pid: u32,
    pub(crate) exit: Option<Exit>,
    /// It is still there although it was killed.
    pub(crate) unreaped: bool,
    pub(crate) stderr: StderrTail,
    pub(crate) uptime: Duration,
}

/// The actions to take, in the order given.
#[derive(Clone, Debug)]
pub(crate) enum Action {
    /// Start a process, connect to it and set it up. Answered by [`Input::Started`] or [`Input::StartFailed`].
    Launch {
        generation: u64,
    },
    /// The same with the program of the upgrade, beside the process that runs.
    LaunchBeside {
        generation: u64,
    },
    /// Make everything in it that lives in the generation that runs, and watch it.
    Prepare {
        generation: u64,
    },
    /// Let callers find it, and what was prepared in it. Its program is that of every launch from now on.
    Commit {
        generation: u64,
    },
    /// The outcome of the upgrade.
    Upgraded(Result<(), Arc<str>>),
    /// Cancel the launch in progress; it is answered all the same.
    CallOff,
    /// Let callers find the generation, which has just started, and watch it.
    Install {
        generation: u64,
    },
    /// Let callers find no generation.
    Uninstall,
    /// What callers find who wait for a generation.
    Root(Root),
    /// Cut lent services and calls: none begins any more, and those in flight are lost.
    Cut {
        generation: u64,
    },
    /// Make another main connection.
    Redial {
        generation: u64,
    },
    /// Let calls begin on the one that was made.
    Move {
        generation: u64,
    },
    /// End the runtime's own streams on the first main connection.
    LetGo {
        generation: u64,
    },
    /// Let no call begin on it any more; those in flight go on.
    Retire {
        generation: u64,
    },
    /// Answer [`Input::Drained`] when no call is in flight.
    Drain {
        generation: u64,
    },
    /// Ask the process to shut down. Its exit is the answer.
    ShutDown {
        generation: u64,
    },
    /// Cut the generation, kill its process unless that is to live on, and reap it.
    End {
        generation: u64,
        /// The process is not ours to end.
        leave: bool,
    },
    /// Report to callers that lost a call how it ended, and drop everything that belonged to it.
    Discard {
        generation: u64,
        ended: Arc<Ended>,
    },
    /// Close all handles, children first.
    CloseHandles,
    /// Run this constructor no more until a reset.
    Quarantine(u64),
    /// Run constructors one at a time, or not.
    Caution(bool),
    State(State),
    Tell(EventKind),
    /// The last action.
    Finish,
}

/// What callers find at the root handle.
#[derive(Clone, Debug)]
pub(crate) enum Root {
    Making,
    Failed {
        /// Waiting is of no use, or longer than a call should wait.
        at_once: bool,
        retry_at: Option<Instant>,
        why: Arc<str>,
    },
    Vacant,
    Closed,
}

impl Input {
    /// The generation that it is about.
    pub(super) fn generation(&self) -> Option<u64> {
        match self {
            Self::Lost { generation, .. }
            | Self::Retired { generation }
            | Self::Redialled { generation }
            | Self::RedialRefused { generation }
            | Self::Exited { generation }
            | Self::Pulse { generation, .. }
            | Self::Drained { generation }
            | Self::Reaped { generation, .. }
            | Self::Discarded { generation, .. }
            | Self::Prepared { generation }
            | Self::PrepareFailed { generation, .. } => Some(*generation),
            Self::Start
            | Self::Started { .. }
            | Self::StartFailed { .. }
            | Self::Dispensed { .. }
            | Self::HandlesClosed
            | Self::Restart { .. }
            | Self::Upgrade
            | Self::Reset
            | Self::Close { .. }
            | Self::Tick => None,
        }
    }
}
