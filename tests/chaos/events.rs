//! The events of one plugin, held against their grammar.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use loop_runtime::host::{Event, HandleEvent, RestartPolicy, Supervisor, What, Why};

use crate::trace::Trace;

/// What one plugin told in its life.
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

/// Where the grammar stands: `(Launching (LaunchFailed | Started .. Ended))* Closed`.
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

/// What the last events of a handle said.
enum Kept {
    Live { object: u64 },
    Lost { object: u64 },
    Closed,
}

/// Holds the events of a plugin against their rules, one after another.
struct Reader {
    name: String,
    policy: RestartPolicy,
    trace: Arc<Trace>,
    told: Told,
    place: Place,
    upgrade: Option<Upgrade>,
    /// The generation whose place another has taken, until it has ended.
    leaving: Option<u64>,
    processes: HashMap<u64, u32>,
    last: u64,
    /// A launch failed for good, and nobody has reset the plugin since.
    refused: bool,
    /// Somebody reset the plugin since the launch under way began: if that fails, it is tried again.
    reset_meanwhile: bool,
    /// Restarts that count against the budget.
    restarts: VecDeque<Instant>,
    handles: HashMap<u64, Kept>,
}

/// Reads the events of `plugin`, which runs its first process, until it is closed.
pub(crate) fn follow(
    plugin: &Supervisor,
    policy: RestartPolicy,
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
            policy,
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
        let text = format!("{:?}", event.what);
        if self.of_upgrade(&event.what) {
            return;
        }
        let next = match (self.place, event.what) {
            (Place::Between, What::Launching { .. }) if self.upgrade.is_none() && self.leaving.is_none() => {
                if self.refused {
                    self.wrong(format!("I10: {text} after a failure for good"));
                }
                self.reset_meanwhile = false;
                Place::Launching
            }
            (Place::Launching, What::LaunchFailed { permanent, .. }) => {
                self.refused = permanent && !self.reset_meanwhile;
                Place::Between
            }
            (Place::Launching, What::Started { generation, pid, .. }) if generation > self.last => {
                self.trace.published(&self.name, pid);
                self.started(generation, pid);
                Place::Running(generation)
            }
            (Place::Running(now), What::Ended(ended)) if ended.generation == now => {
                self.trace.ended(&self.name);
                if ended.why == Why::Hung {
                    self.told.hung.push(ended.generation);
                }
                if ended.exit.is_none() {
                    self.wrong(format!("I5: not reaped: {text}"));
                }
                if ended.uptime >= self.policy.stable_after {
                    self.restarts.clear();
                }
                Place::Between
            }
            (Place::Between, What::Closed { .. }) => Place::Closed,
            (
                place,
                What::Launching { .. }
                | What::LaunchFailed { .. }
                | What::Started { .. }
                | What::Ended(_)
                | What::Closed { .. },
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

    /// Takes in what belongs to an upgrade; whether it does.
    fn of_upgrade(&mut self, what: &What) -> bool {
        self.upgrade = match (self.upgrade, what) {
            (None, What::Upgrading { generation }) if self.place == Place::Running(*generation) => {
                Some(Upgrade::Wanted)
            }
            (Some(Upgrade::Wanted), What::Launching { .. }) => Some(Upgrade::Launching),
            (Some(Upgrade::Launching), What::LaunchFailed { .. }) => Some(Upgrade::Failed),
            (Some(Upgrade::Failed), What::UpgradeAborted { .. }) => None,
            (Some(Upgrade::Launching), What::Started { generation, pid, .. }) if *generation > self.last => {
                self.started(*generation, *pid);
                Some(Upgrade::Started(*generation))
            }
            (Some(Upgrade::Started(generation)), What::Upgraded { from, to })
                if self.place == Place::Running(*from) && generation == *to && self.leaving.is_none() =>
            {
                self.trace.took_over(&self.name, self.processes[to]);
                (self.place, self.leaving) = (Place::Running(*to), Some(*from));
                None
            }
            (upgrade, What::Ended(ended)) if self.leaving == Some(ended.generation) => {
                self.trace.left(self.processes[&ended.generation]);
                if ended.exit.is_none() {
                    self.wrong(format!("I5: not reaped: {ended:?}"));
                }
                self.leaving = None;
                self.upgrade = upgrade;
                return true;
            }
            (None, What::Upgrading { .. }) | (_, What::UpgradeAborted { .. } | What::Upgraded { .. }) => {
                self.wrong(format!("I13: {what:?} in {:?}, {:?}", self.place, self.upgrade));
                self.upgrade
            }
            _ => return false,
        };
        true
    }

    /// What does not change where the grammar stands.
    fn aside(&mut self, at: Instant, what: What) {
        match what {
            What::Handle(what) => self.handle(&what),
            What::Backoff { .. } => {
                self.restarts.push_back(at);
                self.restarts.retain(|then| at - *then < self.policy.budget_window);
                let counted = self.restarts.len();
                if self.policy.budget.is_some_and(|budget| counted > budget as usize) {
                    self.wrong(format!("I9: {counted} restarts in {:?}", self.policy.budget_window));
                }
            }
            What::BreakerOpened { .. } => {
                self.restarts.clear();
                self.told.opened += 1;
            }
            What::GaveUp { .. } => self.told.gave_up += 1,
            What::Reset => {
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
            // Told by tasks of their own: at the step of an upgrade, they may be ahead.
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
