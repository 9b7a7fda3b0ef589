//! The ground truth, whatever the machines know, against which the promises are checked.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::{Rc, Weak};
use std::time::{Duration, Instant};

use super::door::LeaseInfo;
use super::far::Process;
use super::figures::Figures;
use super::newest::Descent;
pub(super) use super::promise::Promise;
pub(super) use super::record::PluginRecord;
use super::sim;

pub(super) type CallId = usize;

/// How often a call may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Runs {
    Once,
    Repeatable,
}

struct CallRecord {
    runs: Runs,
    executions: u32,
    told_not_run: bool,
    answered: bool,
}

/// The record of a handle.
#[derive(Default)]
pub(super) struct HandleRecord {
    is_running: bool,
    /// It has released everything.
    is_done: bool,
    refused_for_good: Option<(u64, u64)>,
    /// The newest installed object, after its generation: an upgrade makes its objects before installing them.
    pub(super) newest: (u64, u64),
    /// The number of the last lending to a new object of it, and in which generation that was.
    lent: (u64, u64),
    /// The generation in which its last run was cut off: reported by the next run, if there is one.
    cut_off: Option<u64>,
    /// By generation: how many objects may legitimately be left over in it.
    excused: BTreeMap<u64, u32>,
}

pub(super) struct Ledger {
    promises: Vec<Promise>,
    pub(super) tracing: bool,
    lines: VecDeque<String>,
    broken: Option<(Promise, String)>,
    next_number: u64,
    calls: Vec<CallRecord>,
    pub(super) handles: BTreeMap<u64, HandleRecord>,
    pub(super) plugins: Vec<PluginRecord>,
    pub(super) processes: Vec<Rc<Process>>,
    pub(super) leases: Vec<Weak<LeaseInfo>>,
    pub(super) figures: Figures,
    /// Callers that wait for a link: of which plugin, since when, and how long the host had been stalled by then.
    waiting: BTreeMap<u64, (usize, Instant, Duration)>,
}

thread_local! {
    static LEDGER: RefCell<Option<Ledger>> = const { RefCell::new(None) };
}

pub(super) fn ledger<T>(look: impl FnOnce(&mut Ledger) -> T) -> T {
    LEDGER.with(|it| look(it.borrow_mut().as_mut().expect("no ledger is kept")))
}

pub(super) fn open(promises: &[Promise], tracing: bool) {
    let new = Ledger {
        promises: promises.to_vec(),
        tracing,
        lines: VecDeque::new(),
        broken: None,
        next_number: 0,
        calls: Vec::new(),
        handles: BTreeMap::new(),
        plugins: Vec::new(),
        processes: Vec::new(),
        leases: Vec::new(),
        figures: Figures::default(),
        waiting: BTreeMap::new(),
    };
    LEDGER.with(|it| *it.borrow_mut() = Some(new));
}

/// The state of a finished schedule.
pub(super) struct Closed {
    pub(super) broken: Option<(Promise, String)>,
    pub(super) lines: VecDeque<String>,
    pub(super) figures: Figures,
}

pub(super) fn close() -> Closed {
    let (processes, leases) = ledger(|it| (std::mem::take(&mut it.processes), std::mem::take(&mut it.leases)));
    drop((processes, leases));
    let ledger = LEDGER.with(|it| it.borrow_mut().take()).expect("a ledger was kept");
    Closed { broken: ledger.broken, lines: ledger.lines, figures: ledger.figures }
}

/// A unique number, ascending.
pub(super) fn next_number() -> u64 {
    ledger(|it| {
        it.next_number += 1;
        it.next_number
    })
}

/// Notes that a promise was broken, and ends the schedule.
pub(super) fn broken(promise: Promise, how: impl FnOnce() -> String) {
    ledger(|it| it.broken(promise, how));
}

pub(super) fn is_tracing() -> bool {
    ledger(|it| it.tracing)
}

pub(super) fn line(text: String) {
    let at = sim::elapsed();
    if std::env::var_os("LOOP_MODEL_TRACE").is_some() {
        println!("{:>12.6} {text}", at.as_secs_f64());
    }
    ledger(|it| {
        if it.lines.len() >= 60 {
            it.lines.pop_front();
        }
        it.lines.push_back(format!("{:>12.6} {text}", at.as_secs_f64()));
    });
}

/// Logs an event, for the trace of a failed schedule.
macro_rules! log {
    ($($text:tt)*) => {
        if $crate::model::ledger::is_tracing() {
            $crate::model::ledger::line(format!($($text)*));
        }
    };
}
pub(super) use log;

impl Ledger {
    pub(super) fn broken(&mut self, promise: Promise, how: impl FnOnce() -> String) {
        if self.promises.contains(&promise) && self.broken.is_none() {
            self.broken = Some((promise, how()));
            sim::stop();
        }
    }

    // Calls.

    pub(super) fn begin_call(&mut self, runs: Runs) -> CallId {
        self.figures.calls += 1;
        self.calls.push(CallRecord { runs, executions: 0, told_not_run: false, answered: false });
        self.calls.len() - 1
    }

    /// Its handler begins.
    pub(super) fn executed(&mut self, call: CallId, process: &Process) {
        let record = &mut self.calls[call];
        record.executions += 1;
        let (executions, runs, told) = (record.executions, record.runs, record.told_not_run);
        self.figures.repeats += u64::from(executions > 1);
        let most = match runs {
            Runs::Once => 1,
            Runs::Repeatable => 3,
        };
        if executions > most {
            self.broken(Promise::Truth, || {
                format!("call {call} runs for the {executions}th time, and {most} are allowed")
            });
        }
        if told {
            self.broken(Promise::Truth, || format!("call {call} runs, and its caller was told that it does not"));
        }
        let plugin = &self.plugins[process.plugin];
        if process.generation < plugin.published && plugin.over.contains(&process.generation) {
            let (generation, published) = (process.generation, plugin.published);
            self.broken(Promise::OneGeneration, || {
                format!("call {call} runs in {generation}, and {published} is there")
            });
        }
    }

    /// Its caller's error says that it did not run, or that it may have.
    pub(super) fn told_lost(&mut self, call: CallId, may_have_run: bool) {
        let record = &mut self.calls[call];
        if may_have_run {
            self.figures.may_have_run += 1;
            return;
        }
        self.figures.not_run += 1;
        record.told_not_run = true;
        if record.executions > 0 {
            self.broken(Promise::Truth, || format!("the caller of {call} is told that it did not run, and it did"));
        }
    }

    pub(super) fn told_answer(&mut self, call: CallId) {
        let record = &mut self.calls[call];
        record.answered = true;
        self.figures.answered += 1;
        if record.executions == 0 {
            self.broken(Promise::Truth, || format!("call {call} is answered and did not run"));
        }
    }

    // Waiting.

    pub(super) fn begins_to_wait(&mut self, waiter: u64, plugin: usize) {
        self.waiting.insert(waiter, (plugin, sim::now(), sim::stalled()));
    }

    pub(super) fn waits_no_more(&mut self, waiter: u64) {
        if let Some((plugin, since, stalled)) = self.waiting.remove(&waiter) {
            self.check_wait(plugin, since, stalled);
        }
    }

    fn check_wait(&mut self, plugin: usize, since: Instant, stalled: Duration) {
        let Some(told) = self.plugins[plugin].told_at_once_since else { return };
        let waited = sim::now().saturating_duration_since(told.max(since)).saturating_sub(sim::stalled() - stalled);
        if waited > SLACK {
            self.broken(Promise::AtOnce, || {
                format!("a caller waits for plugin {plugin} for {waited:?}, and it is known that it does not come")
            });
        }
    }

    /// Whether callers of a plugin fail at once from now on.
    pub(super) fn tells_at_once(&mut self, plugin: usize, at_once: bool) {
        if !at_once {
            let all: Vec<_> = self.waiting.values().filter(|it| it.0 == plugin).copied().collect();
            for (plugin, since, stalled) in all {
                self.check_wait(plugin, since, stalled);
            }
            self.plugins[plugin].told_at_once_since = None;
        } else if self.plugins[plugin].told_at_once_since.is_none() {
            self.plugins[plugin].told_at_once_since = Some(sim::now());
        }
    }

    // Handles.

    pub(super) fn handle(&mut self, handle: u64) -> &mut HandleRecord {
        self.handles.get_mut(&handle).expect("a handle that was noted")
    }

    pub(super) fn run_begins(&mut self, handle: u64, parent: u64, resets: u64, is_closed: bool) {
        self.figures.runs += 1;
        let record = self.handle(handle);
        let (was_running, refused) = (std::mem::replace(&mut record.is_running, true), record.refused_for_good);
        if was_running {
            self.broken(Promise::OneRun, || format!("two runs at a time for handle {handle}"));
        }
        if is_closed {
            self.broken(Promise::Silent, || format!("a run begins for handle {handle}, which is closed"));
        }
        if refused == Some((parent, resets)) {
            self.broken(Promise::AskedOnce, || format!("handle {handle} was refused for good under object {parent}"));
        }
    }

    pub(super) fn run_ended(&mut self, handle: u64) {
        self.handle(handle).is_running = false;
    }

    pub(super) fn refused_for_good(&mut self, handle: u64, parent: u64, resets: u64) {
        self.handle(handle).refused_for_good = Some((parent, resets));
    }

    /// Services were lent to a new object for it; returns the number of the lending.
    pub(super) fn lends(&mut self, handle: u64, generation: u64) -> u64 {
        let record = self.handle(handle);
        record.lent = (record.lent.0 + 1, generation);
        record.lent.0
    }

    /// A run begins although there was an object before, in `generation`.
    pub(super) fn makes_again(&mut self, handle: u64, generation: Option<u64>, now: u64) {
        if generation == Some(now) {
            self.broken(Promise::OneRun, || format!("the object of handle {handle} is made again, and lives"));
        }
    }

    /// A call of what was lent begins.
    pub(super) fn lent_call(&mut self, lease: &LeaseInfo) {
        self.figures.lent_calls += 1;
        let plugin = &self.plugins[lease.plugin];
        if plugin.over.contains(&lease.generation) {
            let generation = lease.generation;
            self.broken(Promise::NoLateCall, || {
                format!("generation {generation} is over, and calls what was lent to it")
            });
        }
        if let Some((handle, lending)) = lease.lending
            && self.handle(handle).lent.1 == lease.generation
            && self.handle(handle).lent.0 > lending
        {
            self.broken(Promise::NoLateCall, || {
                format!("an older object of handle {handle} calls what was lent to it, and there is a newer one")
            });
        }
    }

    /// A call is about to be sent to an object.
    pub(super) fn uses(&mut self, object: &Descent) {
        let (plugin, generation) = (object.plugin, object.generation());
        let published = self.plugins[plugin].published;
        if generation < published {
            self.broken(Promise::OneGeneration, || {
                format!("a call begins on generation {generation} of plugin {plugin}, and {published} is there")
            });
        }
        if self.plugins[plugin].stopping == Some(generation) {
            self.broken(Promise::OneGeneration, || {
                format!("a call begins on generation {generation} of plugin {plugin}, which is on its way out")
            });
        }
        self.is_newest(object, "a call is sent to");
    }

    /// One more object may be left over in a process, and that is known.
    pub(super) fn excuse(&mut self, handle: u64, generation: u64) {
        *self.handle(handle).excused.entry(generation).or_default() += 1;
    }

    pub(super) fn excused(&self, handle: u64, generation: u64) -> u32 {
        self.handles.get(&handle).and_then(|it| it.excused.get(&generation).copied()).unwrap_or(0)
    }

    pub(super) fn done(&mut self, handle: u64) {
        let record = self.handle(handle);
        record.is_done = true;
        if let Some(generation) = record.cut_off.take() {
            self.excuse(handle, generation);
        }
    }

    /// A run has ended, cut off or not.
    pub(super) fn ran(&mut self, handle: u64, generation: u64, cut_off: bool) {
        self.handle(handle).cut_off = cut_off.then_some(generation);
    }

    pub(super) fn told_of_handle(&mut self, handle: u64, what: &str) {
        if self.handle(handle).is_done {
            self.broken(Promise::Silent, || format!("handle {handle} has given everything back, and tells of {what}"));
        }
    }
}

/// How late something may be without a fault: tasks have to be scheduled.
pub(super) const SLACK: Duration = Duration::from_millis(300);
