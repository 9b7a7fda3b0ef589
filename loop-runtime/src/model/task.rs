//! Executes the actions of the supervisor's machine, in the order of `host/supervisor/task.rs`.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::generation::{Generation, launch, look_after, reap, shut_down};
use super::grammar::Grammar;
use super::ledger::{ledger, log};
use super::link::Link;
use super::plugin::{Message, Shared};
use super::sim::{self, HOST, hop, millis, once_in, sleep, sleep_until_some, spawn, timeout};
use super::upgrade::{Prepared, prepare};
use crate::error::Error;
use crate::host::State;
use crate::host::machines::{Action, Input, Machine, Ownership, Root};
use crate::service::{Failed, Forgotten, HandleState};

pub(super) struct Task {
    pub(super) shared: Rc<Shared>,
    machine: Machine,
    inbox: mpsc::UnboundedReceiver<Message>,
    pub(super) generations: Vec<Kept>,
    launching: CancellationToken,
    resets: u64,
    first: Option<oneshot::Sender<()>>,
    pub(super) grammar: Grammar,
    /// A generation was asked to shut down: when, and how long its host and it had been stalled together by then.
    pub(super) asked: Option<(u64, std::time::Instant, (u32, Duration))>,
    /// The next launch does not count against the budget.
    pub(super) launch_is_free: bool,
    /// Handles are being closed.
    pub(super) closing_since: Option<std::time::Instant>,
    is_upgrading: bool,
    is_finished: bool,
}

pub(super) struct Kept {
    pub(super) generation: Generation,
    prepared: Option<Prepared>,
    redialled: Option<Arc<Link>>,
    /// Its main connection has been retired.
    pub(super) was_retired: bool,
    watched: CancellationToken,
    _unwatch: DropGuard,
}

impl Task {
    pub(super) fn new(shared: Rc<Shared>, inbox: mpsc::UnboundedReceiver<Message>, first: oneshot::Sender<()>) -> Self {
        let seed = sim::random(super::random::Random::next);
        Self {
            machine: Machine::new(shared.policy.clone(), Ownership::Ours, seed),
            shared,
            inbox,
            generations: Vec::new(),
            launching: CancellationToken::new(),
            resets: 0,
            first: Some(first),
            grammar: Grammar::default(),
            asked: None,
            launch_is_free: false,
            closing_since: None,
            is_upgrading: false,
            is_finished: false,
        }
    }

    pub(super) async fn run(mut self) {
        self.tell_machine(Input::Start);
        while !self.is_finished {
            hop().await;
            let deadline = self.machine.deadline();
            tokio::select! {
                biased;
                Some(message) = self.inbox.recv() => self.received(message),
                () = sleep_until_some(deadline) => self.tell_machine(Input::Tick),
            }
        }
    }

    fn received(&mut self, message: Message) {
        match message {
            Message::Input(input) => {
                self.resets += u64::from(matches!(input, Input::Reset));
                self.tell_machine(input);
            }
            Message::Upgrade if self.is_upgrading => {}
            Message::Upgrade => {
                self.is_upgrading = true;
                self.tell_machine(Input::Upgrade);
            }
            Message::Prepared(generation, Ok(prepared)) => {
                if let Some(kept) = self.find_mut(generation) {
                    kept.prepared = Some(prepared);
                }
                self.tell_machine(Input::Prepared { generation });
            }
            Message::Prepared(generation, Err(error)) => {
                self.tell_machine(Input::PrepareFailed { generation, why: error.to_string().into() });
            }
            Message::Redialled(generation, None) => self.tell_machine(Input::RedialRefused { generation }),
            Message::Redialled(number, Some(link)) => {
                if let Some(kept) = self.find_mut(number) {
                    kept.redialled = Some(link);
                }
                self.tell_machine(Input::Redialled { generation: number });
                if let Some(link) = self.find_mut(number).and_then(|kept| kept.redialled.take()) {
                    link.end();
                }
            }
            Message::Launched(Ok(generation)) => {
                let number = generation.number;
                let process = generation.session.process.clone();
                let input = Input::Started { pid: generation.number as u32, took: process.age() };
                let watched = CancellationToken::new();
                let unwatch = watched.clone().drop_guard();
                self.generations.push(Kept {
                    generation: *generation,
                    prepared: None,
                    redialled: None,
                    was_retired: false,
                    watched,
                    _unwatch: unwatch,
                });
                self.tell_machine(input);
                self.watch_process(number);
                if let Some(first) = self.first.take() {
                    let _ = first.send(());
                }
            }
            Message::Launched(Err((error, unreaped))) => {
                self.tell_machine(Input::StartFailed { error: Arc::new(error), unreaped });
            }
        }
    }

    fn tell_machine(&mut self, input: Input) {
        log!("plugin {}: {input:?}", self.shared.plugin);
        sim::count_step();
        self.note(&input);
        let actions = self.machine.step(input, sim::now());
        for action in actions {
            self.check(&action);
            self.carry_out(action);
        }
    }

    fn carry_out(&mut self, action: Action) {
        let shared = self.shared.clone();
        match action {
            Action::Launch { generation } | Action::LaunchBeside { generation } => {
                self.launching = CancellationToken::new();
                let cancel = self.launching.clone();
                let work = async move { launch(&shared, generation, cancel).await.map(Box::new) };
                self.spawn(async move { Message::Launched(work.await) });
            }
            Action::Prepare { generation } => {
                let Some(main) = self.find(generation).map(|kept| kept.generation.main.borrow().clone()) else {
                    return;
                };
                let root = shared.root.clone();
                self.spawn(async move { Message::Prepared(generation, prepare(&root, &main).await) });
            }
            Action::Commit { generation } => {
                let prepared = self.find_mut(generation).and_then(|kept| kept.prepared.take());
                if let (Some(prepared), Some(old)) = (prepared, self.find(generation - 1)) {
                    prepared.commit(&old.generation.session);
                }
                self.install(generation);
            }
            Action::Upgraded(_) => self.is_upgrading = false,
            Action::Redial { generation } => {
                let Some(kept) = self.find_mut(generation) else { return };
                kept.was_retired = true;
                let session = kept.generation.session.clone();
                self.spawn(async move { Message::Redialled(generation, Generation::redial(&session).await) });
            }
            Action::Move { generation } => self.move_to(generation),
            Action::LetGo { generation } => {
                if let Some(kept) = self.find(generation) {
                    kept.generation.session.process.is_let_go();
                }
            }
            Action::Retire { generation } => {
                if let Some(kept) = self.find(generation) {
                    kept.generation.session.retire();
                }
            }
            Action::CallOff => self.launching.cancel(),
            Action::Install { generation } => self.install(generation),
            Action::Uninstall => {
                shared.running.borrow_mut().take();
                shared.root.uninstall();
            }
            Action::Root(root) => self.publish(root),
            Action::Cut { generation } => {
                if let Some(kept) = self.find(generation) {
                    kept.generation.session.end();
                }
            }
            Action::Drain { generation } => {
                let Some(session) = self.find(generation).map(|kept| kept.generation.session.clone()) else { return };
                self.spawn_input(async move {
                    session.drained().await;
                    Input::Drained { generation }
                });
            }
            Action::ShutDown { generation } => {
                if let Some(kept) = self.find(generation) {
                    shut_down(&kept.generation.session);
                }
            }
            Action::End { generation, .. } => {
                if let Some(kept) = self.find(generation) {
                    let session = kept.generation.session.clone();
                    session.end();
                    session.process.kill(once_in(40));
                    let bound = shared.policy.reap_timeout;
                    self.spawn_input(async move { Input::Reaped { generation, remains: reap(&session, bound).await } });
                }
            }
            Action::Discard { generation, .. } => {
                let Some(at) = self.generations.iter().position(|kept| kept.generation.number == generation) else {
                    return;
                };
                let Kept { generation: gone, .. } = self.generations.remove(at);
                self.spawn_input(async move {
                    gone.session.set_epitaph();
                    let _ = timeout(shared.policy.reap_timeout, gone.session.finished()).await;
                    Input::Discarded { generation, making: shared.peer_context.making(generation) }
                });
            }
            Action::CloseHandles => {
                shared.root.closed.cancel();
                shared.root.children.close();
                self.spawn_input(async move {
                    let _ = timeout(shared.policy.timeouts.close_timeout, shared.root.children.wait()).await;
                    Input::HandlesClosed
                });
            }
            Action::Quarantine(handle) => shared.peer_context.quarantine(handle),
            Action::Caution(cautious) => shared.peer_context.set_cautious(cautious),
            Action::State(state) => {
                let at_once = matches!(state, State::Open { .. } | State::GivenUp { .. });
                ledger(|it| it.tells_at_once(shared.plugin, at_once));
                *shared.state.borrow_mut() = Some(state);
            }
            Action::Tell(what) => self.told(&what),
            Action::Finish => {
                self.is_finished = true;
                shared.running.borrow_mut().take();
                *shared.state.borrow_mut() = Some(State::Closed);
                ledger(|it| it.plugins[shared.plugin].is_closed = true);
                shared.closed.cancel();
            }
        }
    }

    pub(super) fn find(&self, generation: u64) -> Option<&Kept> {
        self.generations.iter().find(|kept| kept.generation.number == generation)
    }

    fn find_mut(&mut self, generation: u64) -> Option<&mut Kept> {
        self.generations.iter_mut().find(|kept| kept.generation.number == generation)
    }

    fn spawn(&self, work: impl Future<Output = Message> + 'static) {
        let outbox = self.shared.inbox.clone();
        spawn(HOST, async move {
            hop().await;
            drop(outbox.send(work.await));
        });
    }

    fn spawn_input(&self, work: impl Future<Output = Input> + 'static) {
        self.spawn(async move { Message::Input(work.await) });
    }

    fn install(&self, number: u64) {
        let shared = self.shared.clone();
        let Some(kept) = self.find(number) else { return };
        let (generation, watched) = (&kept.generation, kept.watched.clone());
        ledger(|it| it.plugins[shared.plugin].published = number);
        let process = generation.session.process.clone();
        *shared.running.borrow_mut() = Some(process.clone());
        shared.root.install(generation.main.borrow().clone());
        self.watch_main(number);
        let outbox = shared.clone();
        spawn(HOST, async move {
            watched.run_until_cancelled(look_after(&outbox, &process, number)).await;
        });
    }

    fn watch_process(&self, number: u64) {
        let Some(kept) = self.find(number) else { return };
        let process = kept.generation.session.process.clone();
        let exited = {
            let process = process.clone();
            async move {
                process.exited.cancelled().await;
                sleep(millis(0, 15)).await;
                Input::Exited { generation: number }
            }
        };
        self.watch(&kept.watched, exited);
        self.watch(&kept.watched, async move {
            process.broker_lost.cancelled().await;
            sleep(millis(0, 5)).await;
            Input::Lost { generation: number, why: process.broker_end() }
        });
    }

    fn watch_main(&self, number: u64) {
        let Some(kept) = self.find(number) else { return };
        let changes = kept.generation.main_changes();
        self.watch(&kept.watched, async move {
            match changes.await {
                Some(why) => Input::Lost { generation: number, why },
                None => Input::Retired { generation: number },
            }
        });
    }

    fn move_to(&mut self, number: u64) {
        let Some(kept) = self.find_mut(number) else { return };
        let Some(link) = kept.redialled.take() else { return };
        *kept.generation.main.borrow_mut() = link.clone();
        self.shared.root.install(link);
        self.watch_main(number);
    }

    fn watch(&self, watched: &CancellationToken, sign: impl Future<Output = Input> + 'static) {
        let (watched, shared) = (watched.clone(), self.shared.clone());
        spawn(HOST, async move {
            if let Some(input) = watched.run_until_cancelled(sign).await {
                shared.tell_machine(input);
            }
        });
    }

    fn publish(&self, root: Root) {
        let shared = &self.shared;
        shared.root.publish(match root {
            Root::Making => HandleState::Making,
            Root::Vacant => HandleState::Vacant,
            Root::Failed { at_once, retry_at, why } => {
                let error = Error::lost(false, format!("{} is not running: {why}", shared.root.title()));
                let until = Forgotten::Under { object: None, reset: self.resets };
                HandleState::Failed(Arc::new(Failed { error, at_once, in_a_row: 0, retry_at, until }))
            }
            Root::Closed => {
                ledger(|it| it.done(shared.root.number));
                HandleState::Closed
            }
        });
    }
}
