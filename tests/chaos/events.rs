//! The events of one plugin, held against their grammar.

use std::collections::HashSet;
use std::sync::Arc;

use loop_runtime::host::{HandleEvent, Supervisor, What, Why};

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
#[derive(Debug, PartialEq)]
enum Place {
    Between,
    Launching,
    Running(u64),
    Closed,
}

/// Reads the events of `plugin`, which runs its first process, until it is closed.
pub(crate) fn follow(plugin: &Supervisor, trace: Arc<Trace>) -> impl Future<Output = Told> + Send + use<> {
    let (mut events, name) = (plugin.events(), plugin.name().to_owned());
    let first = plugin.pid().expect("running");
    async move {
        let mut told = Told { started: 1, pids: vec![first], ..Told::default() };
        trace.published(&name, first);
        let (mut place, mut last, mut seq) = (Place::Running(1), 1, None);
        let mut closed = HashSet::new();
        while let Some(event) = events.next().await {
            if seq.is_some_and(|seq| event.seq != seq + 1) {
                told.wrong.push(format!("{name}: events are missing before {event:?}"));
            }
            seq = Some(event.seq);
            let text = format!("{:?}", event.what);
            let next = match (&place, event.what) {
                (Place::Between, What::Launching { .. }) => Place::Launching,
                (Place::Launching, What::LaunchFailed { .. }) => Place::Between,
                (Place::Launching, What::Started { generation, pid, .. }) if generation > last => {
                    trace.published(&name, pid);
                    told.started += 1;
                    told.pids.push(pid);
                    last = generation;
                    Place::Running(generation)
                }
                (Place::Running(now), What::Ended(ended)) if ended.generation == *now => {
                    if ended.why == Why::Hung {
                        told.hung.push(ended.generation);
                    }
                    if ended.exit.is_none() {
                        told.wrong.push(format!("{name}: not reaped: {text}"));
                    }
                    Place::Between
                }
                (Place::Between, What::Closed { .. }) => Place::Closed,
                (
                    _,
                    What::Launching { .. }
                    | What::LaunchFailed { .. }
                    | What::Started { .. }
                    | What::Ended(_)
                    | What::Closed { .. },
                ) => {
                    told.wrong.push(format!("{name}: {text} in {place:?}"));
                    continue;
                }
                (_, What::Handle(what)) => {
                    told.handle(&name, &place, &what, &mut closed);
                    continue;
                }
                (_, What::BreakerOpened { .. }) => {
                    told.opened += 1;
                    continue;
                }
                (_, What::GaveUp { .. }) => {
                    told.gave_up += 1;
                    continue;
                }
                _ => continue,
            };
            place = next;
        }
        if place != Place::Closed {
            told.wrong.push(format!("{name}: the last events left it in {place:?}"));
        }
        told
    }
}

impl Told {
    fn handle(&mut self, name: &str, place: &Place, what: &HandleEvent, closed: &mut HashSet<u64>) {
        let handle = match what {
            HandleEvent::Lost { handle, .. } => handle,
            HandleEvent::Failed { handle, .. } => {
                self.failed += 1;
                handle
            }
            HandleEvent::DuplicatePossible { handle, .. } => {
                self.duplicates += 1;
                handle
            }
            HandleEvent::Made { handle, generation, redialled, .. } => {
                self.made += 1;
                self.redialled += u64::from(*redialled);
                if matches!(place, Place::Running(now) if now < generation) {
                    self.wrong.push(format!("{name}: {what:?} in {place:?}"));
                }
                handle
            }
            HandleEvent::Closed { handle, .. } => {
                if !closed.insert(handle.number) {
                    self.wrong.push(format!("{name}: closed twice: {what:?}"));
                }
                return;
            }
            _ => return,
        };
        if closed.contains(&handle.number) {
            self.wrong.push(format!("{name}: {what:?} after it was closed"));
        }
        if *place == Place::Closed {
            self.wrong.push(format!("{name}: {what:?} after the plugin was closed"));
        }
    }
}
