//! The events of one plugin, checked against their grammar.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use loop_runtime::host::{EndCause, Event, EventKind, HandleEvent, Supervisor};

use crate::trace::Trace;
use crate::world::{RESTART_WINDOW, STABLE_AFTER};

/// What one plugin reported in its life.
#[derive(Default)]
pub(crate) struct Told {
    pub(crate) wrong: Vec<String>,
    pub(crate) started: u64,
    pub(crate) hung: Vec<u64>,
    pub(crate) pids: Vec<u32>,
    pub(crate) redialled: u64,
    pub(crate) made: u64,
    pub(crate) failed: u64,
    pub(crate) opened: u64,
    pub(crate) gave_up: u64,
    pub(crate) duplicates: u64,
}

/// The state of the grammar: `(Launching (LaunchFailed | Started .. Ended))* Closed`.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    Between,
    Launching,
    Running(u64),
    Closed,
}

/// How far an upgrade is: `Upgrading Launching (LaunchFailed UpgradeAborted | Started Upgraded)`.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Upgrade {
    Wanted,
    Launching,
    Failed,
    Started(u64),
}

/// The state of a handle after its last event.
enum Kept {
    Live { object: u64 },
    Lost { object: u64 },
    Closed,
}

/// A restart is counted when the process is reaped, and its event comes once what the host kept of it is discarded. So it is
/// dated here by the uptime of the process, which is measured by another thread than the one that counts: on a busy
/// machine, that much earlier or later.
const MEASURED: Duration = Duration::from_millis(100);

/// Checks the events of a plugin against their rules, one after another.
struct Reader {
    name: String,
    max_restarts: Option<u32>,
    trace: Arc<Trace>,
    told: Told,
    place: Place,
    upgrade: Option<Upgrade>,
    /// The generation that was replaced, until it has ended.
    leaving: Option<u64>,
    processes: HashMap<u64, u32>,
    last: u64,
    /// A launch failed permanently, and the plugin was not reset since.
    refused: bool,
    /// The plugin was reset since the current launch began: if that fails, it is retried.
    reset_meanwhile: bool,
    /// Restarts that count against the budget.
    restarts: VecDeque<Instant>,
    /// When the last generation started, and when it was reaped if it was since.
    began: Option<Instant>,
    reaped: Option<Instant>,
    handles: HashMap<u64, Kept>,
}

/// Reads the events of `plugin`, which runs its first process, until it is closed.
pub(crate) fn follow(
    plugin: &Supervisor,
    max_restarts: Option<u32>,
    trace: Arc<Trace>,
) -> impl Future<Output = Told> + Send + use<> {
    let (mut events, name) = (plugin.events(), plugin.name().to_owned());
    let first = plugin.pid().expect("running");
    async move {
        let told = Told { started: 1, pids: vec![first], ..Told::default() };
        trace.published(&name, first);
        let (place, restarts, handles) = (Place::Running(1), VecDeque::new(), HashMap::new());
        let (last, refused, reset_meanwhile) = (1, false, false);
        let (upgrade, leaving, processes) = (None, None, HashMap::from([(1, first)]));
        let mut reader = Reader {
            name,
            max_restarts,
            trace,
            told,
            place,
            upgrade,
            leaving,
            processes,
            last,
            refused,
            reset_meanwhile,
            restarts,
            // Of the first process this reader has not seen the start: its end is dated by its event.
            began: None,
            reaped: None,
            handles,
        };
        let mut seq = None;
        while let Some(event) = events.next().await {
            if seq.is_some_and(|seq| event.seq != seq + 1) {
                reader.wrong(format!("I13: events are missing before {event:?}"));
            }
            seq = Some(event.seq);
            reader.read(event);
        }
        if reader.place != Place::Closed {
            reader.wrong(format!("I13: the last events left it in {:?}", reader.place));
        }
        reader.told
    }
}

impl Reader {
    fn wrong(&mut self, what: String) {
        self.told.wrong.push(format!("{}: {what}", self.name));
    }

    fn read(&mut self, event: Event) {
        let text = format!("{:?}", event.kind);
        if self.of_upgrade(&event.kind) {
            return;
        }
        let next = match (self.place, event.kind) {
            (Place::Between, EventKind::Launching { .. }) if self.upgrade.is_none() && self.leaving.is_none() => {
                if self.refused {
                    self.wrong(format!("I10: {text} after a failure for good"));
                }
                self.reset_meanwhile = false;
                Place::Launching
            }
            (Place::Launching, EventKind::LaunchFailed { permanent, .. }) => {
                self.refused = permanent && !self.reset_meanwhile;
                self.reaped = None;
                Place::Between
            }
            (Place::Launching, EventKind::Started { generation, pid, .. }) if generation > self.last => {
                self.trace.published(&self.name, pid);
                self.began = Some(event.at);
                self.started(generation, pid);
                Place::Running(generation)
            }
            (Place::Running(now), EventKind::Ended(ended)) if ended.generation == now => {
                self.trace.ended(&self.name);
                if ended.cause == EndCause::Hung {
                    self.told.hung.push(ended.generation);
                }
                if ended.exit.is_none() {
                    self.wrong(format!("I5: not reaped: {text}"));
                }
                if ended.uptime >= STABLE_AFTER {
                    self.restarts.clear();
                }
                self.reaped = self.began.take().map(|began| began + ended.uptime);
                Place::Between
            }
            (Place::Between, EventKind::Closed { .. }) => Place::Closed,
            (
                place,
                EventKind::Launching { .. }
                | EventKind::LaunchFailed { .. }
                | EventKind::Started { .. }
                | EventKind::Ended(_)
                | EventKind::Closed { .. },
            ) => return self.wrong(format!("I13: {text} in {place:?}")),
            (_, what) => return self.aside(event.at, what),
        };
        self.place = next;
    }

    fn started(&mut self, generation: u64, pid: u32) {
        self.told.started += 1;
        self.told.pids.push(pid);
        self.processes.insert(generation, pid);
        self.last = generation;
    }

    /// Handles an event of an upgrade; returns whether it was one.
    fn of_upgrade(&mut self, what: &EventKind) -> bool {
        self.upgrade = match (self.upgrade, what) {
            (None, EventKind::Upgrading { generation }) if self.place == Place::Running(*generation) => {
                Some(Upgrade::Wanted)
            }
            (Some(Upgrade::Wanted), EventKind::Launching { .. }) => Some(Upgrade::Launching),
            (Some(Upgrade::Launching), EventKind::LaunchFailed { .. }) => Some(Upgrade::Failed),
            (Some(Upgrade::Failed), EventKind::UpgradeAborted { .. }) => None,
            (Some(Upgrade::Launching), EventKind::Started { generation, pid, .. }) if *generation > self.last => {
                self.started(*generation, *pid);
                Some(Upgrade::Started(*generation))
            }
            (Some(Upgrade::Started(generation)), EventKind::Upgraded { from, to })
                if self.place == Place::Running(*from) && generation == *to && self.leaving.is_none() =>
            {
                self.trace.took_over(&self.name, self.processes[to]);
                (self.place, self.leaving) = (Place::Running(*to), Some(*from));
                // When the new generation started was not noted: its end is dated by its event.
                self.began = None;
                None
            }
            (upgrade, EventKind::Ended(ended)) if self.leaving == Some(ended.generation) => {
                self.trace.left(self.processes[&ended.generation]);
                if ended.exit.is_none() {
                    self.wrong(format!("I5: not reaped: {ended:?}"));
                }
                self.leaving = None;
                self.upgrade = upgrade;
                return true;
            }
            (None, EventKind::Upgrading { .. })
            | (_, EventKind::UpgradeAborted { .. } | EventKind::Upgraded { .. }) => {
                self.wrong(format!("I13: {what:?} in {:?}, {:?}", self.place, self.upgrade));
                self.upgrade
            }
            _ => return false,
        };
        true
    }

    /// Events that do not change the state of the grammar.
    fn aside(&mut self, at: Instant, what: EventKind) {
        match what {
            EventKind::Handle(what) => self.handle(&what),
            EventKind::Backoff { .. } => {
                let at = self.reaped.take().unwrap_or(at);
                self.restarts.push_back(at);
                self.restarts.retain(|then| at.saturating_duration_since(*then) < RESTART_WINDOW - MEASURED);
                let counted = self.restarts.len();
                if self.max_restarts.is_some_and(|most| counted > most as usize) {
                    self.wrong(format!("I9: {counted} restarts in {RESTART_WINDOW:?}"));
                }
            }
            EventKind::BreakerOpened { .. } => {
                self.restarts.clear();
                self.told.opened += 1;
            }
            EventKind::GaveUp { .. } => self.told.gave_up += 1,
            EventKind::Reset => {
                self.refused = false;
                self.reset_meanwhile = true;
                self.restarts.clear();
            }
            _ => {}
        }
    }

    fn handle(&mut self, what: &HandleEvent) {
        let handle = match what {
            HandleEvent::Lost { handle, .. }
            | HandleEvent::Failed { handle, .. }
            | HandleEvent::DuplicatePossible { handle, .. }
            | HandleEvent::Made { handle, .. }
            | HandleEvent::Closed { handle, .. } => handle.number,
            _ => return,
        };
        if self.place == Place::Closed {
            self.wrong(format!("I12: {what:?} after the plugin was closed"));
        }
        let was = self.handles.remove(&handle);
        let problem = match (&was, what) {
            (Some(Kept::Closed), _) => Some("I12: after it was closed"),
            (Some(Kept::Live { .. }), HandleEvent::Made { .. }) => Some("I2: made although it is there"),
            (Some(Kept::Lost { object }), HandleEvent::Made { object: made, redialled, .. })
                if (made == object) != *redialled || made < object =>
            {
                Some("I3: an older object, or a newer one over an old connection")
            }
            // Emitted by tasks of their own: at the commit of an upgrade, they may be ahead.
            (_, HandleEvent::Made { generation, .. })
                if self.upgrade.is_none() && matches!(self.place, Place::Running(now) if now < *generation) =>
            {
                Some("I3: in a generation that is not there yet")
            }
            _ => None,
        };
        if let Some(problem) = problem {
            self.wrong(format!("{problem}: {what:?}"));
        }
        let now = match (was, what) {
            (_, HandleEvent::Closed { .. }) => Some(Kept::Closed),
            (_, HandleEvent::Made { object, redialled, .. }) => {
                self.told.made += 1;
                self.told.redialled += u64::from(*redialled);
                Some(Kept::Live { object: *object })
            }
            (Some(Kept::Live { object }), HandleEvent::Lost { .. }) => Some(Kept::Lost { object }),
            (was, HandleEvent::Failed { .. }) => {
                self.told.failed += 1;
                was
            }
            (was, HandleEvent::DuplicatePossible { .. }) => {
                self.told.duplicates += 1;
                was
            }
            (was, _) => was,
        };
        if let Some(now) = now {
            self.handles.insert(handle, now);
        }
    }
}
