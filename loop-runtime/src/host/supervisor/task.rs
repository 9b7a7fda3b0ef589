//! Carries out the actions of a plugin's machine, and reports their outcomes to it.

mod generations;

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::machine::{Action, Input, Machine, Ownership, Root};
use super::{Message, Shared};
use crate::error::{Error, Result};
use crate::host::LaunchError;
use crate::host::builder::Source;
use crate::host::event::State;
use crate::host::generation::{Generation, not_running};
use crate::service::{Failed, Forgotten, HandleState, Link, Prepared};
use crate::sync::locked;

pub(super) struct Task {
    shared: Arc<Shared>,
    /// The command of the next launch, or the process to reattach to.
    source: Arc<Source>,
    machine: Machine,
    upgrade: Option<Upgrade>,
    inbox: mpsc::UnboundedReceiver<Message>,
    /// Whatever takes time. Each ends with a message.
    work: JoinSet<()>,
    /// Those that are not discarded yet.
    generations: Vec<Kept>,
    /// Cancels the launch in progress.
    launching: CancellationToken,
    /// Resets that the machine knows of.
    resets: u64,
    first: Option<First>,
    /// Why the first start failed.
    failed: Option<LaunchError>,
    is_finished: bool,
}

/// Waits for the outcome of the first start.
type First = oneshot::Sender<Result<(), LaunchError>>;

/// The upgrade in progress.
struct Upgrade {
    source: Arc<Source>,
    answer: oneshot::Sender<Result<()>>,
}

struct Kept {
    generation: Generation,
    /// What was made in it and is to be installed with it.
    prepared: Option<Prepared>,
    /// A main connection that was made and takes no calls yet.
    redialled: Option<Arc<Link>>,
    /// The tasks that watch it end with it.
    watched: CancellationToken,
    _unwatch: DropGuard,
}

impl Task {
    pub(super) fn new(
        shared: Arc<Shared>,
        source: Source,
        inbox: mpsc::UnboundedReceiver<Message>,
        first: First,
    ) -> Self {
        let ownership = match &source {
            Source::Command(_) => Ownership::Ours,
            Source::Running(plugin) if plugin.test => Ownership::AttachedForTest,
            Source::Running(_) => Ownership::Attached,
        };
        // Without random numbers, the same jitter for all.
        let machine = Machine::new(shared.settings.policy.clone(), ownership, getrandom::u64().unwrap_or(0));
        Self {
            shared,
            source: Arc::new(source),
            machine,
            upgrade: None,
            inbox,
            work: JoinSet::new(),
            generations: Vec::new(),
            launching: CancellationToken::new(),
            resets: 0,
            first: Some(first),
            failed: None,
            is_finished: false,
        }
    }

    pub(super) async fn run(mut self) {
        self.tell_machine(Input::Start);
        while !self.is_finished {
            let deadline = self.machine.deadline();
            let due = async {
                match deadline {
                    Some(at) => tokio::time::sleep_until(at.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                Some(done) = self.work.join_next() => {
                    if let Err(error) = done
                        && let Ok(panic) = error.try_into_panic()
                    {
                        std::panic::resume_unwind(panic);
                    }
                }
                Some(message) = self.inbox.recv() => self.received(message),
                () = due => self.tell_machine(Input::Tick),
            }
        }
    }

    fn received(&mut self, message: Message) {
        match message {
            Message::Input(input) => {
                self.resets += u64::from(matches!(input, Input::Reset));
                self.tell_machine(input);
            }
            Message::Replace(command) => {
                self.source = Arc::new(Source::Command(command));
                self.tell_machine(Input::Restart { replaced: true });
            }
            Message::Upgrade(_, answer) if self.upgrade.is_some() => {
                let _ = answer.send(Err(self.not_upgraded("another upgrade is under way")));
            }
            Message::Upgrade(command, answer) => {
                self.upgrade = Some(Upgrade { source: Arc::new(Source::Command(command)), answer });
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
            Message::Launched(Ok(generation)) => {
                let input = Input::Started { pid: generation.pid(), took: generation.took() };
                let number = generation.number;
                let watched = CancellationToken::new();
                let unwatch = watched.clone().drop_guard();
                self.generations.push(Kept {
                    generation: *generation,
                    prepared: None,
                    redialled: None,
                    watched,
                    _unwatch: unwatch,
                });
                self.tell_machine(input);
                self.watch_process(number);
                if let Some(first) = self.first.take() {
                    // Not received if the owner has gone, which has said so.
                    let _ = first.send(Ok(()));
                }
            }
            Message::Redialled(generation, Err(error)) => {
                tracing::debug!(plugin = self.shared.settings.name, %error, "no other main connection");
                self.tell_machine(Input::RedialRefused { generation });
            }
            Message::Redialled(number, Ok(link)) => {
                if let Some(kept) = self.find_mut(number) {
                    kept.redialled = Some(link);
                }
                self.tell_machine(Input::Redialled { generation: number });
                // It came too late to be of use.
                if let Some(link) = self.find_mut(number).and_then(|kept| kept.redialled.take()) {
                    link.end();
                }
            }
            Message::Launched(Err((error, unreaped))) => {
                if self.first.is_some() {
                    self.failed = Some(error.clone());
                }
                self.tell_machine(Input::StartFailed { error: Arc::new(error), unreaped });
            }
        }
    }

    fn tell_machine(&mut self, input: Input) {
        // The runtime's clock, which tests may stop, so that what is slept for has come.
        let now = tokio::time::Instant::now().into_std();
        for action in self.machine.step(input, now) {
            self.carry_out(action, now);
        }
    }

    /// Nothing is waited for here.
    fn carry_out(&mut self, action: Action, now: Instant) {
        let shared = self.shared.clone();
        let policy = &shared.settings.policy;
        match action {
            Action::Launch { generation } => self.launch(generation, self.source.clone()),
            Action::LaunchBeside { generation } => {
                if let Some(upgrade) = &self.upgrade {
                    self.launch(generation, upgrade.source.clone());
                }
            }
            Action::Prepare { generation } => self.prepare(generation),
            Action::Commit { generation } => {
                if let Some(upgrade) = &self.upgrade {
                    self.source = upgrade.source.clone();
                }
                // Before the root changes: under another root they would be made once more.
                let prepared = self.find_mut(generation).and_then(|kept| kept.prepared.take());
                if let (Some(prepared), Some(old)) = (prepared, self.find(generation - 1)) {
                    prepared.commit(old.generation.mains.session());
                }
                self.install(generation);
            }
            Action::Upgraded(outcome) => {
                if let Some(upgrade) = self.upgrade.take() {
                    // The caller may not wait for it.
                    let _ = upgrade.answer.send(outcome.map_err(|why| self.not_upgraded(&why)));
                }
            }
            Action::CallOff => self.launching.cancel(),
            Action::Install { generation } => self.install(generation),
            Action::Uninstall => {
                locked(&shared.running).take();
                shared.root.uninstall();
            }
            Action::Root(root) => self.publish(root),
            Action::Cut { generation } => {
                if let Some(kept) = self.find(generation) {
                    kept.generation.cut();
                }
            }
            Action::Redial { generation } => {
                let Some(mains) = self.find(generation).map(|kept| kept.generation.mains.clone()) else { return };
                self.spawn(async move { Message::Redialled(generation, mains.dial().await) });
            }
            Action::Move { generation } => self.move_to(generation),
            Action::LetGo { generation } => {
                if let Some(kept) = self.find(generation) {
                    kept.generation.let_go();
                }
            }
            Action::Retire { generation } => {
                if let Some(kept) = self.find(generation) {
                    kept.generation.session.retire();
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
                    let asked = kept.generation.shut_down();
                    self.work.spawn(asked);
                }
            }
            Action::End { generation, leave } => {
                if let Some(kept) = self.find(generation) {
                    let ended = kept.generation.end(leave, policy.reap_timeout);
                    self.spawn_input(async move { Input::Reaped { generation, remains: ended.await } });
                }
            }
            Action::Discard { generation, ended } => {
                let Some(at) = self.generations.iter().position(|kept| kept.generation.number == generation) else {
                    return;
                };
                let Kept { generation: gone, .. } = self.generations.remove(at);
                self.spawn_input(async move {
                    gone.discard(&ended, shared.settings.policy.reap_timeout).await;
                    Input::Discarded { generation, making: shared.peer_context.making(generation) }
                });
            }
            Action::CloseHandles => {
                shared.root.closed.cancel();
                shared.root.children.close();
                self.spawn_input(async move {
                    let bound = shared.settings.policy.timeouts.close_timeout;
                    let _ = tokio::time::timeout(bound, shared.root.children.wait()).await;
                    Input::HandlesClosed
                });
            }
            Action::Quarantine(handle) => shared.peer_context.quarantine(handle),
            Action::Caution(cautious) => shared.peer_context.set_cautious(cautious),
            Action::State(state) => {
                shared.state.send_replace(state);
            }
            Action::Tell(what) => shared.tell.tell(now, what),
            Action::Finish => self.finish(),
        }
    }

    fn find(&self, generation: u64) -> Option<&Kept> {
        self.generations.iter().find(|kept| kept.generation.number == generation)
    }

    fn find_mut(&mut self, generation: u64) -> Option<&mut Kept> {
        self.generations.iter_mut().find(|kept| kept.generation.number == generation)
    }

    fn not_upgraded(&self, why: &str) -> Error {
        Error::failed_precondition(format!("plugin not upgraded: {}: {why}", self.shared.settings.name))
    }

    fn spawn(&mut self, work: impl Future<Output = Message> + Send + 'static) {
        let outbox = self.shared.inbox.clone();
        // The receiver is gone only when this task is.
        self.work.spawn(async move { drop(outbox.send(work.await)) });
    }

    fn spawn_input(&mut self, work: impl Future<Output = Input> + Send + 'static) {
        self.spawn(async move { Message::Input(work.await) });
    }

    fn publish(&self, root: Root) {
        let shared = &self.shared;
        shared.root.publish(match root {
            Root::Making => HandleState::Making,
            Root::Vacant => HandleState::Vacant,
            Root::Failed { at_once, retry_at, why } => {
                let error = not_running(&shared.settings.name, &why);
                // After a reset that the machine has not heard of yet, callers wait for what it will say.
                let until = Forgotten::Under { object: None, reset: self.resets };
                let failed = Failed { error, at_once, in_a_row: 0, retry_at, until };
                HandleState::Failed(Arc::new(failed))
            }
            Root::Closed => {
                shared.root.publish(HandleState::Closed);
                return shared.root.forget_set_up();
            }
        });
    }

    fn finish(&mut self) {
        let shared = &self.shared;
        self.is_finished = true;
        locked(&shared.running).take();
        locked(&shared.tell.events).take();
        shared.state.send_replace(State::Closed);
        shared.closed.cancel();
        if let (Some(first), Some(error)) = (self.first.take(), self.failed.take()) {
            let _ = first.send(Err(error));
        }
    }
}

/// It ends before its plugin is closed only with the runtime in which it was launched: nobody can supervise the plugin any
/// more, so that ends too, and whoever holds something of it learns that.
impl Drop for Task {
    fn drop(&mut self) {
        if self.is_finished {
            return;
        }
        for kept in &self.generations {
            kept.generation.cut();
            kept.generation.process().kill();
        }
        self.shared.root.closed.cancel();
        self.publish(Root::Closed);
        self.finish();
    }
}
