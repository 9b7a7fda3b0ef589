//! What a machine acts upon, as far as it can tell: processes, handles and a clock, and nothing behind them. Whatever it
//! does is checked here, whoever drives it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::super::{Action, Input, Machine, Ownership, Pulse, Remains, Root};
use crate::host::event::{EndCause, EventKind, State};
use crate::host::{Exit, LaunchError, RestartPolicy};

pub(super) struct World {
    machine: Machine,
    pub(super) now: Instant,
    /// Answers that are on their way, to be given in this order or in another.
    pub(super) answers: VecDeque<Input>,
    is_launching: bool,
    /// The generations whose processes may live, and since when.
    processes: BTreeMap<u64, Instant>,
    exited: BTreeSet<u64>,
    exit: Option<Exit>,
    root: Option<Root>,
    state: Option<State>,
    making: Vec<u64>,
    /// On which no call begins any more.
    retired: BTreeSet<u64>,
    installed: Option<u64>,
    pub(super) upgrades: Vec<Result<(), String>>,
    grammar: Grammar,
    told: Vec<EventKind>,
    is_finished: bool,
}

/// Where the events of a plugin are.
#[derive(Debug, Default)]
struct Grammar {
    is_launching: bool,
    is_upgrading: bool,
    running: Vec<u64>,
    last: u64,
    is_closed: bool,
}

impl World {
    pub(super) fn new(policy: RestartPolicy, ownership: Ownership) -> Self {
        Self {
            machine: Machine::new(policy, ownership, 1),
            now: Instant::now(),
            answers: VecDeque::new(),
            is_launching: false,
            processes: BTreeMap::new(),
            exited: BTreeSet::new(),
            exit: None,
            root: None,
            state: None,
            making: Vec::new(),
            retired: BTreeSet::new(),
            installed: None,
            upgrades: Vec::new(),
            grammar: Grammar::default(),
            told: Vec::new(),
            is_finished: false,
        }
    }

    /// One whose first process runs.
    pub(super) fn running(policy: RestartPolicy) -> Self {
        let mut world = Self::new(policy, Ownership::Ours);
        world.begin();
        world.start();
        world
    }

    pub(super) fn begin(&mut self) -> Vec<Action> {
        self.input(Input::Start)
    }

    pub(super) fn start(&mut self) -> Vec<Action> {
        assert!(std::mem::take(&mut self.is_launching), "nothing is launched");
        let generation = self.generation() + 1;
        self.processes.insert(generation, self.now);
        self.exited.remove(&generation);
        self.input(Input::Started { pid: generation as u32, took: Duration::ZERO })
    }

    pub(super) fn fail(&mut self, error: LaunchError) -> Vec<Action> {
        assert!(std::mem::take(&mut self.is_launching), "nothing is launched");
        self.input(Input::StartFailed { error: Arc::new(error), unreaped: None })
    }

    pub(super) fn exit(&mut self, generation: u64) -> Vec<Action> {
        self.exited.insert(generation);
        self.input(Input::Exited { generation })
    }

    pub(super) fn lose(&mut self, generation: u64, why: EndCause) -> Vec<Action> {
        self.input(Input::Lost { generation, why })
    }

    /// The plugin takes no further connections, and makes no objects.
    pub(super) fn refuse(&mut self) {
        for answer in &mut self.answers {
            match *answer {
                Input::Redialled { generation } => *answer = Input::RedialRefused { generation },
                Input::Prepared { generation } => {
                    *answer = Input::PrepareFailed { generation, why: "refused".into() };
                }
                _ => {}
            }
        }
    }

    pub(super) fn pulse(&mut self, pulse: Pulse) -> Vec<Action> {
        self.input(Input::Pulse { generation: self.generation(), pulse })
    }

    /// How the process that runs will have exited.
    pub(super) fn exits_with(&mut self, exit: Exit) {
        self.exit = Some(exit);
    }

    pub(super) fn making(&mut self, making: Vec<u64>) {
        self.making = making;
    }

    pub(super) fn pass(&mut self, time: Duration) {
        self.now += time;
    }

    /// Lets the time pass until something is due.
    pub(super) fn tick(&mut self) -> Vec<Action> {
        self.now = self.now.max(self.machine.deadline().expect("something to wait for"));
        self.input(Input::Tick)
    }

    /// How long it takes until something is done.
    pub(super) fn tick_until(&mut self, wanted: impl Fn(&Action) -> bool) -> Duration {
        let began = self.now;
        while !self.tick().iter().any(&wanted) {}
        self.now - began
    }

    /// Gives the answer that was asked for first.
    pub(super) fn settle_one(&mut self) -> Vec<Action> {
        let answer = self.answers.pop_front().expect("an answer");
        self.input(answer)
    }

    /// Gives all answers, those to what follows too.
    pub(super) fn settle(&mut self) -> Vec<Action> {
        let mut all = Vec::new();
        while !self.answers.is_empty() {
            all.extend(self.settle_one());
        }
        all
    }

    /// Settles an end, and gives what was told of it.
    pub(super) fn settle_until_waiting(&mut self) -> Vec<EventKind> {
        self.told.clear();
        self.settle();
        std::mem::take(&mut self.told)
    }

    /// Lets the next process start.
    pub(super) fn run_again(&mut self) {
        while !self.is_launching {
            self.tick();
        }
        self.start();
    }

    /// Nothing happens any more but what the machine asks for.
    pub(super) fn come_to_rest(&mut self) {
        for _ in 0..1000 {
            if !self.answers.is_empty() {
                self.settle_one();
            } else if self.is_launching {
                self.start();
            } else if self.machine.deadline().is_some() {
                self.tick();
            } else {
                return;
            }
        }
        panic!("it does not come to rest: {:?}", self.state);
    }

    pub(super) fn generation(&self) -> u64 {
        self.machine.generation
    }

    pub(super) fn root(&self) -> Option<&Root> {
        self.root.as_ref()
    }

    pub(super) fn state(&self) -> Option<&State> {
        self.state.as_ref()
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.machine.deadline()
    }

    pub(super) fn is_launching(&self) -> bool {
        self.is_launching
    }

    pub(super) fn is_finished(&self) -> bool {
        self.is_finished
    }

    /// The generations whose processes have not exited.
    pub(super) fn alive(&self) -> Vec<u64> {
        self.processes.keys().filter(|generation| !self.exited.contains(generation)).copied().collect()
    }

    pub(super) fn input(&mut self, input: Input) -> Vec<Action> {
        if let Input::Reaped { generation, .. } = &input {
            self.processes.remove(generation);
        }
        let actions = self.machine.step(input, self.now);
        for action in &actions {
            self.carry_out(action);
        }
        if let (Some(State::Open { .. } | State::GivenUp { .. }), root) = (&self.state, &self.root) {
            assert!(
                matches!(root, Some(Root::Failed { at_once: true, .. })),
                "callers wait for what is known: {root:?}"
            );
        }
        actions
    }

    fn carry_out(&mut self, action: &Action) {
        assert!(!self.is_finished, "{action:?} after the end");
        match action {
            Action::Launch { generation } => {
                assert!(self.processes.is_empty() && !self.is_launching, "two processes at a time");
                assert_eq!(*generation, self.generation() + 1);
                let is_of_the_end = |answer: &Input| matches!(answer, Input::Reaped { .. } | Input::Discarded { .. });
                assert!(!self.answers.iter().any(is_of_the_end), "something is left of the last: {:?}", self.answers);
                self.is_launching = true;
            }
            Action::LaunchBeside { generation } => {
                assert!(self.processes.len() == 1 && !self.is_launching, "three processes at a time");
                assert_eq!(*generation, self.generation() + 1);
                self.is_launching = true;
            }
            Action::Prepare { generation } => self.answers.push_back(Input::Prepared { generation: *generation }),
            Action::Retire { generation } => drop(self.retired.insert(*generation)),
            Action::Install { generation } | Action::Commit { generation } => {
                let others = self.processes.keys().filter(|other| *other != generation);
                let retired = others.into_iter().all(|other| self.retired.contains(other));
                assert!(retired, "calls begin on two generations");
                self.installed = Some(*generation);
            }
            Action::CallOff => assert!(self.is_launching),
            Action::End { generation, .. } => {
                let since = self.processes[generation];
                let remains = Remains { uptime: self.now - since, exit: self.exit.take(), ..Remains::default() };
                self.answers.push_back(Input::Reaped { generation: *generation, remains });
            }
            Action::Discard { generation, .. } => {
                assert!(!self.processes.contains_key(generation), "discarded before it was reaped");
                let making = std::mem::take(&mut self.making);
                self.answers.push_back(Input::Discarded { generation: *generation, making });
            }
            Action::Drain { generation } => self.answers.push_back(Input::Drained { generation: *generation }),
            Action::Redial { generation } => self.answers.push_back(Input::Redialled { generation: *generation }),
            Action::CloseHandles => self.answers.push_back(Input::HandlesClosed),
            Action::Root(root) => self.root = Some(root.clone()),
            Action::State(state) => self.state = Some(state.clone()),
            Action::Tell(what) => {
                self.grammar.take(what);
                self.told.push(what.clone());
            }
            Action::Finish => {
                assert!(self.processes.is_empty() && !self.is_launching, "a process is left");
                assert!(self.grammar.is_closed);
                self.is_finished = true;
            }
            Action::Upgraded(outcome) => self.upgrades.push(outcome.clone().map_err(|why| why.to_string())),
            Action::Uninstall
            | Action::Cut { .. }
            | Action::Move { .. }
            | Action::LetGo { .. }
            | Action::ShutDown { .. }
            | Action::Quarantine(_)
            | Action::Caution(_) => {}
        }
    }
}

impl Grammar {
    fn take(&mut self, what: &EventKind) {
        let text = format!("{what:?} while {self:?}");
        assert!(!self.is_closed, "{text}");
        match what {
            EventKind::Upgrading { generation } => {
                assert!(self.running == [*generation] && !self.is_upgrading && !self.is_launching, "{text}");
                self.is_upgrading = true;
            }
            EventKind::Launching { .. } => {
                assert!(!self.is_launching && (self.is_upgrading || self.running.is_empty()), "{text}");
                self.is_launching = true;
            }
            EventKind::LaunchFailed { .. } => assert!(std::mem::take(&mut self.is_launching), "{text}"),
            EventKind::Started { generation, .. } => {
                assert!(std::mem::take(&mut self.is_launching) && *generation > self.last, "{text}");
                self.last = *generation;
                self.running.push(*generation);
            }
            EventKind::UpgradeAborted { .. } => {
                assert!(std::mem::take(&mut self.is_upgrading) && !self.is_launching, "{text}");
            }
            EventKind::Upgraded { from, to } => {
                assert!(std::mem::take(&mut self.is_upgrading) && self.running == [*from, *to], "{text}");
            }
            EventKind::Ended(ended) => {
                let at = self.running.iter().position(|running| *running == ended.generation);
                self.running.remove(at.expect(&text));
            }
            EventKind::Closed { .. } => {
                assert!(self.running.is_empty() && !self.is_launching && !self.is_upgrading, "{text}");
                self.is_closed = true;
            }
            _ => {}
        }
    }
}
