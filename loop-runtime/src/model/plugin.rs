//! Carries out what the supervisor's machine says, in the order in which `host/supervisor/task.rs` and `launch.rs` do, with
//! processes of the model.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::far::Process;
use super::grammar::Grammar;
use super::handle::{Handle, Origin};
use super::ledger::{Promise, ledger, log};
use super::link::Link;
use super::session::Session;
use super::sim::{self, HOST, hop, millis, once_in, sleep, sleep_until_some, spawn, timeout};
use crate::error::Error;
use crate::host::machines::{Action, Input, Machine, Ownership, Pulse, Remains, Root};
use crate::host::{LaunchError, RestartPolicy, State, What, Why};
use crate::service::{Failed, Family, Forgotten, HandleEvent, Slot, settle};

/// Held by everybody for whom the process must live.
pub(super) struct Owner(Rc<Shared>);

impl Drop for Owner {
    fn drop(&mut self) {
        self.0.tell_machine(Input::Close { by_call: false });
    }
}

pub(super) struct Shared {
    pub(super) plugin: usize,
    pub(super) policy: RestartPolicy,
    pub(super) family: Arc<Family>,
    pub(super) root: Rc<Handle>,
    inbox: mpsc::UnboundedSender<Message>,
    pub(super) closed: CancellationToken,
    /// The process of the moment, for whoever does something to it.
    pub(super) running: RefCell<Option<Rc<Process>>>,
    pub(super) state: RefCell<Option<State>>,
    /// What comes of launches.
    pub(super) launches: Cell<Launches>,
    /// Its processes are of this crate.
    pub(super) ours: bool,
}

/// What comes of the next launches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Launches {
    Start,
    Fail,
    FailForGood,
    Hang,
    /// They start, and end soon.
    Crash,
}

enum Message {
    Input(Input),
    Launched(Result<Box<Generation>, (LaunchError, Option<u32>)>),
}

struct Generation {
    number: u64,
    session: Rc<Session>,
    root: Arc<Link>,
}

impl Shared {
    pub(super) fn tell_machine(&self, input: Input) {
        let _ = self.inbox.send(Message::Input(input));
    }

    pub(super) fn reset(&self) {
        self.family.reset();
        self.tell_machine(Input::Reset);
    }

    pub(super) fn is_running(&self) -> bool {
        matches!(*self.state.borrow(), Some(State::Running { .. }))
    }

    pub(super) fn has_given_up(&self) -> bool {
        matches!(*self.state.borrow(), Some(State::GivenUp { .. }))
    }

    pub(super) async fn close(&self) {
        self.tell_machine(Input::Close { by_call: true });
        self.closed.cancelled().await;
    }
}

/// Starts a plugin; `None` if its first launch fails.
pub(super) async fn start(
    plugin: usize,
    policy: RestartPolicy,
    ours: bool,
    launches: Launches,
) -> Option<(Rc<Shared>, Rc<Owner>)> {
    let timing = policy.timing.clone();
    let observer = Arc::new(move |event: HandleEvent| observe(&event));
    let family = Family::new("plugin", "the host", timing, policy.lazy, observer);
    let (outbox, inbox) = mpsc::unbounded_channel();
    let root = Handle::new(plugin, family.clone(), Origin::Root, CancellationToken::new());
    let shared = Rc::new(Shared {
        plugin,
        policy,
        family,
        root,
        inbox: outbox,
        closed: CancellationToken::new(),
        running: RefCell::default(),
        state: RefCell::default(),
        launches: Cell::new(launches),
        ours,
    });
    let (first, started) = oneshot::channel();
    let owner = Rc::new(Owner(shared.clone()));
    let seed = sim::random(super::random::Random::next);
    let task = Task {
        machine: Machine::new(shared.policy.clone(), Ownership::Ours, seed),
        shared: shared.clone(),
        inbox,
        generations: Vec::new(),
        launching: CancellationToken::new(),
        resets: 0,
        first: Some(first),
        grammar: Grammar::default(),
        asked: None,
        launch_is_free: false,
        is_finished: false,
    };
    spawn(HOST, task.run());
    match started.await {
        Ok(()) => Some((shared, owner)),
        Err(_) => None,
    }
}

fn observe(event: &HandleEvent) {
    let (handle, what) = match event {
        HandleEvent::Lost { handle, .. } => (handle, "its loss"),
        HandleEvent::Made { handle, .. } => (handle, "its object"),
        HandleEvent::Failed { handle, .. } => (handle, "a failure"),
        HandleEvent::Closed { handle, .. } => (handle, "its end"),
        HandleEvent::DuplicatePossible { handle, generation, .. } => {
            ledger(|it| it.excuse(handle.number, *generation));
            (handle, "a duplicate")
        }
    };
    ledger(|it| it.told_of_handle(handle.number, what));
}

struct Task {
    shared: Rc<Shared>,
    machine: Machine,
    inbox: mpsc::UnboundedReceiver<Message>,
    generations: Vec<Kept>,
    launching: CancellationToken,
    resets: u64,
    first: Option<oneshot::Sender<()>>,
    grammar: Grammar,
    /// A generation was asked to shut down: when, and how long its host and it had stood still together by then.
    asked: Option<(u64, std::time::Instant, Duration)>,
    /// The next launch is not one that the budget counts.
    launch_is_free: bool,
    is_finished: bool,
}

struct Kept {
    generation: Generation,
    watched: CancellationToken,
    _unwatch: DropGuard,
}

impl Task {
    async fn run(mut self) {
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
            Message::Launched(Ok(generation)) => {
                let process = generation.session.process.clone();
                let input = Input::Started { pid: generation.number as u32, took: process.age() };
                let watched = CancellationToken::new();
                let unwatch = watched.clone().drop_guard();
                self.generations.push(Kept { generation: *generation, watched, _unwatch: unwatch });
                self.tell_machine(input);
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
            Action::Launch { generation } => {
                self.launching = CancellationToken::new();
                let cancel = self.launching.clone();
                let work = async move { launch(&shared, generation, cancel).await.map(Box::new) };
                self.spawn(async move { Message::Launched(work.await) });
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
                let Some(root) = self.find(generation).map(|kept| kept.generation.root.clone()) else { return };
                self.spawn_input(async move {
                    root.drained().await;
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
                    let bound = shared.policy.reap;
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
                    let _ = timeout(shared.policy.reap, gone.session.finished()).await;
                    Input::Discarded { generation, making: shared.family.making(generation) }
                });
            }
            Action::CloseHandles => {
                shared.root.closed.cancel();
                shared.root.children.close();
                self.spawn_input(async move {
                    let _ = timeout(shared.policy.timing.close, shared.root.children.wait()).await;
                    Input::HandlesClosed
                });
            }
            Action::Quarantine(handle) => shared.family.quarantine(handle),
            Action::Caution(cautious) => shared.family.set_cautious(cautious),
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

    fn find(&self, generation: u64) -> Option<&Kept> {
        self.generations.iter().find(|kept| kept.generation.number == generation)
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
        shared.root.install(generation.root.clone());
        let exited = {
            let process = process.clone();
            async move {
                process.exited.cancelled().await;
                sleep(millis(0, 15)).await;
                Input::Exited { generation: number }
            }
        };
        self.watch(&watched, exited);
        let (broker, root) = (process.clone(), generation.root.clone());
        self.watch(&watched, async move {
            let why = tokio::select! {
                biased;
                () = broker.broker_lost.cancelled() => Why::BrokerLost,
                () = root.ended().cancelled() => Why::ConnectionLost,
            };
            sleep(millis(0, 5)).await;
            Input::Lost { generation: number, why }
        });
        let outbox = shared.clone();
        spawn(HOST, async move {
            watched.run_until_cancelled(look_after(&outbox, &process, number)).await;
        });
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
            Root::Making => Slot::Making,
            Root::Vacant => Slot::Vacant,
            Root::Failed { at_once, retry_at, why } => {
                let error = Error::lost(false, format!("{} is not running: {why}", shared.root.title()));
                let until = Forgotten::Under { object: None, reset: self.resets };
                Slot::Failed(Arc::new(Failed { error, at_once, in_a_row: 0, retry_at, until }))
            }
            Root::Closed => {
                ledger(|it| it.done(shared.root.number));
                Slot::Closed
            }
        });
    }

    // What is promised, looked at where it is decided.

    fn note(&mut self, input: &Input) {
        let plugin = self.shared.plugin;
        match input {
            Input::Reset => ledger(|it| it.plugins[plugin].forget_launches()),
            Input::Restart => self.launch_is_free |= self.shared.is_running(),
            Input::Started { .. } => self.launch_is_free = false,
            _ => {}
        }
    }

    fn check(&mut self, action: &Action) {
        let (plugin, now) = (self.shared.plugin, sim::now());
        match action {
            Action::Launch { .. } => {
                let living =
                    ledger(|it| it.processes.iter().any(|it| it.plugin == plugin && it.is_alive() && !it.is_doomed()));
                let is_free = std::mem::take(&mut self.launch_is_free);
                ledger(|it| {
                    it.figures.launches += 1;
                    if living {
                        it.broken(Promise::OneGeneration, || format!("two processes of plugin {plugin} at a time"));
                    }
                    let record = &mut it.plugins[plugin];
                    let not_before = record.not_before.take();
                    let failed_for_good = record.failed_for_good;
                    record.was_reset = false;
                    let too_many = !is_free && record.launched(now);
                    if too_many {
                        it.broken(Promise::Budget, || format!("too many launches of plugin {plugin} in its window"));
                    }
                    if not_before.is_some_and(|at| now < at) {
                        it.broken(Promise::Budget, || format!("a launch of plugin {plugin} before its time"));
                    }
                    if failed_for_good {
                        it.broken(Promise::Permanent, || format!("plugin {plugin} failed for good, and is launched"));
                    }
                });
            }
            Action::Uninstall | Action::Cut { .. } | Action::End { .. } => {}
            Action::ShutDown { generation } => self.asked = Some((*generation, now, sim::stalled())),
            _ => {}
        }
        if let Action::End { generation, .. } = action {
            self.check_patience(*generation);
            // From here on nothing of it reaches what was lent to it.
            ledger(|it| it.plugins[plugin].over = it.plugins[plugin].over.max(*generation));
        }
        if let Action::State(State::Stopping { generation }) = action {
            ledger(|it| it.plugins[plugin].over = it.plugins[plugin].over.max(*generation));
        }
    }

    /// Whoever was asked to shut down has had the time for it, in which it could do something.
    fn check_patience(&mut self, generation: u64) {
        let Some((asked, at, stalled)) = self.asked.take_if(|it| it.0 == generation) else { return };
        let Some(kept) = self.find(asked) else { return };
        let had = (sim::now() - at).saturating_sub(sim::stalled() - stalled);
        let is_there = kept.generation.session.process.is_alive() && !kept.generation.session.process.is_doomed();
        if is_there && had < self.shared.policy.exit_grace.mul_f64(0.85) {
            ledger(|it| {
                it.broken(Promise::Patience, || {
                    format!("generation {asked} is killed {had:?} after it was asked to end")
                });
            });
        }
    }

    fn told(&mut self, what: &What) {
        let plugin = self.shared.plugin;
        log!("plugin {plugin} tells: {what:?}");
        if let Err(why) = self.grammar.take(what) {
            ledger(|it| it.broken(Promise::Grammar, || why));
        }
        match what {
            What::LaunchFailed { permanent: true, .. } => ledger(|it| it.plugins[plugin].fails_for_good()),
            What::BreakerOpened { until, .. } => ledger(|it| {
                it.figures.openings += 1;
                it.plugins[plugin].not_before = Some(*until);
            }),
            What::Backoff { until, .. } => ledger(|it| it.plugins[plugin].not_before = Some(*until)),
            _ => {}
        }
    }
}

/// Starts a process, connects to it and sets it up.
async fn launch(
    shared: &Rc<Shared>,
    number: u64,
    cancel: CancellationToken,
) -> Result<Generation, (LaunchError, Option<u32>)> {
    let failed = || LaunchError::StartTimeout { after: Duration::ZERO, stderr: Default::default() };
    let comes = shared.launches.get();
    if comes == Launches::FailForGood {
        sleep(millis(0, 5)).await;
        return Err((LaunchError::NotExecutable { program: "plugin".into() }, None));
    }
    let process = Process::new(shared.plugin, number, shared.ours);
    log!("process {}.{number} starts: {comes:?}", shared.plugin);
    let handshake = async {
        match comes {
            Launches::Hang => std::future::pending().await,
            Launches::Fail => {
                sleep(millis(0, 60)).await;
                process.exit();
                process.exited.cancelled().await;
                None
            }
            Launches::Start | Launches::Crash | Launches::FailForGood => {
                sleep(millis(5, 80)).await;
                let conn = process.root().dial().await?;
                Some(conn)
            }
        }
    };
    let connected = tokio::select! {
        biased;
        () = cancel.cancelled() => None,
        connected = timeout(shared.policy.start_timeout, handshake) => connected.flatten(),
    };
    let Some(conn) = connected else {
        process.kill(once_in(40));
        let is_reaped = timeout(shared.policy.reap, process.exited.cancelled()).await.is_some();
        return Err((failed(), (!is_reaped).then_some(number as u32)));
    };
    let session = Session::new(&process);
    let root = Link::adopt(&session, conn, false, session.root.clone());
    let generation = Generation { number, session: session.clone(), root: root.clone() };
    if comes == Launches::Crash {
        let process = process.clone();
        sim::spawn(sim::WORLD, async move {
            sleep(millis(0, 400)).await;
            process.exit();
        });
    }
    let deadline = sim::now() + shared.policy.timing.recipe;
    let is_set_up = tokio::select! {
        biased;
        () = cancel.cancelled() => false,
        done = root.probe(deadline) => done,
    };
    if is_set_up {
        return Ok(generation);
    }
    session.end();
    let _ = timeout(settle::CONNECTIONS, process.exited.cancelled()).await;
    process.kill(false);
    let remains = reap(&session, shared.policy.reap).await;
    session.set_epitaph();
    let _ = timeout(shared.policy.reap, session.finished()).await;
    Err((failed(), remains.unreaped.then_some(number as u32)))
}

async fn reap(session: &Rc<Session>, bound: Duration) -> Remains {
    let process = &session.process;
    let is_reaped = timeout(bound, process.exited.cancelled()).await.is_some();
    Remains { pid: session.number as u32, unreaped: !is_reaped, uptime: process.age(), ..Remains::default() }
}

/// Asks the process to end: it does, sooner or later, if it can be reached.
fn shut_down(session: &Rc<Session>) {
    let process = session.process.clone();
    let takes = match sim::random(|random| random.below(10)) {
        0 => millis(1_000, 1_600),
        1 => millis(1_700, 4_000),
        _ => millis(0, 50),
    };
    spawn(process.place, async move {
        sleep(takes).await;
        process.exit();
    });
}

/// What the health check comes to: nobody answers for ten ticks in a row.
async fn look_after(shared: &Rc<Shared>, process: &Rc<Process>, generation: u64) {
    let Some(tick) = shared.policy.health_tick else { return };
    let tell = |pulse| shared.tell_machine(Input::Pulse { generation, pulse });
    loop {
        // Asleep while there is nothing to see.
        process.troubled().await;
        let mut silent = 0;
        while process.is_stopped() {
            sleep(tick).await;
            silent += u32::from(process.is_stopped());
            if silent == 3 {
                tell(Pulse::Suspect { silent });
            }
            if silent >= 10 {
                return tell(Pulse::Hung);
            }
        }
        if silent >= 3 {
            tell(Pulse::Recovered);
        }
    }
}
