//! The one task that starts a plugin, watches it, ends it, and starts it again.

use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::{broadcast, oneshot, watch};
use tokio_util::sync::CancellationToken;

use super::builder::Settings;
use super::event::{Event, Events, State, States, What, Why};
use super::generation::{Generation, not_running};
use super::policy::{Decision, Record};
use super::{LaunchError, Process, watchdog};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::proto::grpc::health::v1::HealthCheckRequest;
use crate::proto::grpc::health::v1::health_client::HealthClient;
use crate::service::{Attempt, Failed, Family, Handle, Names, Remote, Service, Slot};
use crate::sync::locked;

/// Events kept for a slow reader.
const EVENTS: usize = 1024;

/// Generations in a row that end while constructors run before these are suspected.
const POISONED: u32 = 3;

/// A plugin under supervision. Clones are the same plugin.
///
/// The process lives while this, a clone of it, or any service that came from it is held; the last drop closes it
/// behind the caller's back, [`Supervisor::close`] in front of it. In between it is started again whenever it ends,
/// as its [`RestartPolicy`](super::RestartPolicy) says, and every service that came from it is re-established.
#[derive(Clone)]
pub struct Supervisor {
    owner: Arc<Owner>,
}

/// Held by everybody for whom the process must live.
struct Owner {
    shared: Arc<Shared>,
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.shared.closing.cancel();
    }
}

struct Shared {
    settings: Settings,
    family: Arc<Family>,
    root: Arc<Handle>,
    state: watch::Sender<State>,
    tell: Arc<Teller>,
    closing: CancellationToken,
    closed: CancellationToken,
    restarts: watch::Sender<u64>,
    resets: watch::Sender<u64>,
    running: Mutex<Option<Running>>,
}

/// What others may see of the generation of the moment.
#[derive(Clone)]
pub(crate) struct Running {
    pub(crate) process: Arc<Process>,
    pub(crate) connection: crate::transport::Connection,
    version: u32,
}

struct Teller {
    plugin: Arc<str>,
    seq: AtomicU64,
    events: Mutex<Option<broadcast::Sender<Event>>>,
}

impl Teller {
    fn tell(&self, what: What) {
        tracing::debug!(plugin = &*self.plugin, event = ?what);
        // Under the lock, so that numbers rise in the order of sending.
        let events = locked(&self.events);
        if let Some(events) = &*events {
            let seq = self.seq.fetch_add(1, Ordering::Relaxed);
            // Nobody listening is no error.
            let _ = events.send(Event { plugin: self.plugin.clone(), at: Instant::now(), seq, what });
        }
    }
}

impl Supervisor {
    pub(super) async fn start(settings: Settings) -> Result<Self, LaunchError> {
        let tell = Arc::new(Teller {
            plugin: settings.name.as_str().into(),
            seq: AtomicU64::new(0),
            events: Mutex::new(Some(broadcast::Sender::new(EVENTS))),
        });
        let observer = tell.clone();
        let family = Family::new(
            &settings.name,
            "the host",
            settings.policy.timing.clone(),
            settings.policy.lazy,
            Arc::new(move |event| observer.tell(What::Handle(event))),
        );
        let shared = Arc::new(Shared {
            root: Handle::root(family.clone()),
            family,
            state: watch::Sender::new(State::Starting { attempt: 1 }),
            tell,
            closing: CancellationToken::new(),
            closed: CancellationToken::new(),
            restarts: watch::Sender::new(0),
            resets: watch::Sender::new(0),
            running: Mutex::default(),
            settings,
        });
        let (first, started) = oneshot::channel();
        // Made before the task: a caller that goes away drops it, and that closes the plugin.
        let owner = Arc::new(Owner { shared: shared.clone() });
        let task = Task {
            resets: shared.resets.subscribe(),
            restarts: shared.restarts.subscribe(),
            shared,
            record: Record::default(),
            number: 0,
            attempt: 0,
            poisoned: 0,
        };
        tokio::spawn(task.run(first));
        match started.await {
            Ok(Ok(())) => Ok(Self { owner }),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(LaunchError::CalledOff),
        }
    }

    fn shared(&self) -> &Shared {
        &self.owner.shared
    }

    /// The plugin's name.
    pub fn name(&self) -> &str {
        &self.shared().settings.name
    }

    /// The service `S` on the plugin's main connection, as in `dispense::<dyn Kv>()`.
    ///
    /// Purely local but for optional components of `S`, whose presence is asked for. The handle is valid for as long
    /// as it is held, over all restarts.
    ///
    /// # Errors
    ///
    /// The plugin is closed, given up, or does not come back in time (30 s, or the caller's deadline).
    pub async fn dispense<S: Service + ?Sized>(&self) -> Result<Arc<S>> {
        let shared = self.shared();
        let mut names = Names::default();
        S::describe(&mut names);
        if !names.optionals().is_empty() {
            shared.root.learn(&names).await?;
        }
        Ok(S::connect(Remote::root(shared.root.clone(), self.owner.clone())))
    }

    /// The state of the plugin, now and as it changes.
    pub fn states(&self) -> States {
        States(self.shared().state.subscribe())
    }

    /// The events of the plugin from now on.
    pub fn events(&self) -> Events {
        let events = locked(&self.shared().tell.events);
        Events(events.as_ref().map_or_else(|| broadcast::channel(1).1, broadcast::Sender::subscribe))
    }

    /// The process id, while a process runs.
    pub fn pid(&self) -> Option<u32> {
        self.running().map(|running| running.process.pid())
    }

    /// The application protocol version that the plugin chose, while a process runs.
    pub fn version(&self) -> Option<u32> {
        self.running().map(|running| running.version)
    }

    pub(crate) fn running(&self) -> Option<Running> {
        locked(&self.shared().running).clone()
    }

    /// Asks the plugin's health service once. Dropping the future gives up.
    ///
    /// # Errors
    ///
    /// The plugin is not running, or the answer is an error.
    pub async fn ping(&self) -> Result<()> {
        let running = self.running().ok_or_else(|| not_running(self.name(), "it cannot be asked"))?;
        let request = HealthCheckRequest { service: "plugin".to_owned() };
        let answer = HealthClient::new(running.connection).check(request).await;
        answer.map(drop).map_err(|status| Error::unknown(format!("{}: {status}", self.name())).with_source(status))
    }

    /// Ends the process and starts it again; calls in flight are lost, handles are re-established. Returns at once.
    pub fn restart(&self) {
        self.shared().restarts.send_modify(|version| *version += 1);
    }

    /// Forgets all failures: closes the breaker, leaves the given-up state, makes refused objects again.
    pub fn reset(&self) {
        let shared = self.shared();
        shared.tell.tell(What::Reset);
        shared.family.reset();
        shared.resets.send_modify(|version| *version += 1);
    }

    /// Closes every service that came from the plugin, children first, then the process: asked, then killed.
    ///
    /// Returns when the process is gone. Dropping the future does not stop the closing.
    pub async fn close(&self) {
        self.shared().closing.cancel();
        self.shared().closed.cancelled().await;
    }
}

impl std::fmt::Debug for Supervisor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Supervisor").field("name", &self.name()).field("state", &self.states().now()).finish()
    }
}

struct Task {
    shared: Arc<Shared>,
    record: Record,
    restarts: watch::Receiver<u64>,
    resets: watch::Receiver<u64>,
    number: u64,
    attempt: u32,
    poisoned: u32,
}

/// Waits for the outcome of the first start.
type First = oneshot::Sender<Result<(), LaunchError>>;

/// How a wait, or a start, was left.
enum Next {
    Start,
    Close,
}

impl Task {
    async fn run(mut self, first: First) {
        let mut first = Some(first);
        let began = loop {
            match self.start().await {
                Ok(generation) => {
                    if let Some(first) = first.take() {
                        // Nobody waits any more: then the owner is gone, and `closing` says so.
                        let _ = first.send(Ok(()));
                    }
                    if let Some(began) = self.keep(generation).await {
                        break began;
                    }
                }
                Err(error) => {
                    let permanent = error.is_permanent();
                    let error = Arc::new(error);
                    self.tell(What::LaunchFailed { attempt: self.attempt, permanent, error: error.clone() });
                    if let Some(first) = first.take() {
                        self.finish(Instant::now()).await;
                        if let Some(error) = Arc::into_inner(error) {
                            let _ = first.send(Err(error));
                        }
                        return;
                    }
                    if self.shared.closing.is_cancelled() {
                        break self.closing();
                    }
                    let why = format!("attempt {} failed: {error}", self.attempt);
                    if matches!(self.decide(permanent, Duration::ZERO, &why).await, Next::Close) {
                        break self.closing();
                    }
                }
            }
        };
        self.finish(began).await;
    }

    fn tell(&self, what: What) {
        self.shared.tell.tell(what);
    }

    fn state(&self, state: State) {
        self.shared.state.send_replace(state);
    }

    fn closing(&self) -> Instant {
        self.shared.root.publish(Slot::Vacant);
        self.state(State::Closing);
        self.tell(What::Closing);
        Instant::now()
    }

    async fn finish(&self, began: Instant) {
        let shared = &self.shared;
        self.close_handles().await;
        shared.root.publish(Slot::Closed);
        shared.root.forget_set_up();
        self.tell(What::Closed { took: began.elapsed() });
        locked(&shared.tell.events).take();
        self.state(State::Closed);
        shared.closed.cancel();
    }

    /// Marks all handles closed, then waits for them. Those that hang go with the process.
    async fn close_handles(&self) {
        let root = &self.shared.root;
        root.closed.cancel();
        root.children.close();
        let _ = tokio::time::timeout(self.shared.settings.policy.timing.close, root.children.wait()).await;
    }

    /// Starts a process, sets it up and publishes it.
    async fn start(&mut self) -> Result<Generation, LaunchError> {
        self.attempt += 1;
        self.state(State::Starting { attempt: self.attempt });
        self.shared.root.publish(Slot::Making);
        self.tell(What::Launching { attempt: self.attempt });
        let shared = &self.shared;
        let cancel = shared.closing.child_token();
        let generation = Generation::start(&shared.settings, self.number + 1, &shared.family, cancel).await?;
        if let Err(error) = self.set_up(&generation).await {
            // It was never published: to everybody else this is a start that failed.
            let (ended, unreaped) = generation.end(Why::ConnectionLost, shared.settings.policy.reap, 0).await;
            if let Some(unreaped) = unreaped {
                self.tell(unreaped);
            }
            return Err(match (error, ended) {
                // How it ended says more than that a connection did.
                (LaunchError::SetUp { source }, What::Ended(ended)) if ended.why == Why::Exited => {
                    LaunchError::SetUp { source: source.within(ended) }
                }
                (error, _) => error,
            });
        }
        self.number = generation.number;
        self.attempt = 0;
        self.publish(&generation);
        Ok(generation)
    }

    /// Keeps a generation to its end. `Some`: the owner closed the plugin, then.
    async fn keep(&mut self, generation: Generation) -> Option<Instant> {
        let shared = self.shared.clone();
        let why = {
            let hung = async {
                match shared.settings.policy.health_tick {
                    Some(tick) => watchdog::hung(&generation, tick, |what| shared.tell.tell(what)).await,
                    None => std::future::pending().await,
                }
            };
            let mut hung = pin!(hung);
            loop {
                tokio::select! {
                    biased;
                    () = shared.closing.cancelled() => break Why::Closed,
                    why = generation.over() => break why,
                    () = &mut hung => break Why::Hung,
                    _ = self.restarts.changed() => break Why::Restart,
                    // Now, not at the next failure, which it is not about.
                    _ = self.resets.changed() => self.forget(),
                }
            }
        };
        locked(&shared.running).take();
        if why == Why::Closed {
            let began = self.closing();
            self.close(generation).await;
            return Some(began);
        }
        let stopped = self.end(generation, why).await;
        match stopped {
            Next::Close => Some(self.closing()),
            Next::Start => None,
        }
    }

    /// Probes for optional components and repeats the set-up calls of the root.
    async fn set_up(&self, generation: &Generation) -> Result<(), LaunchError> {
        let root = &self.shared.root;
        let deadline = Some(Instant::now() + self.shared.settings.policy.timing.recipe);
        let context = Context { deadline, ..Context::default() };
        let names = root.names();
        let set_up = async {
            generation.root.probe(&names, deadline).await.map_err(Attempt::Lost)?;
            root.set_up(&generation.root, &context).await
        };
        tokio::select! {
            biased;
            () = self.shared.closing.cancelled() => Err(LaunchError::CalledOff),
            done = set_up => done.map_err(|why| match why {
                Attempt::Refused(source) | Attempt::NotSent(source) | Attempt::Lost(source) => {
                    LaunchError::SetUp { source }
                }
            }),
        }
    }

    fn publish(&mut self, generation: &Generation) {
        let shared = &self.shared;
        *locked(&shared.running) = Some(Running {
            process: generation.process().clone(),
            connection: generation.connection().clone(),
            version: generation.version,
        });
        shared.root.install(generation.root.clone());
        self.state(State::Running { generation: generation.number, pid: generation.pid() });
        self.tell(What::Started { generation: generation.number, pid: generation.pid(), took: generation.took() });
        self.restarts.mark_unchanged();
    }

    /// Ends a generation that failed, and waits as the policy says.
    async fn end(&mut self, generation: Generation, why: Why) -> Next {
        let shared = self.shared.clone();
        let by_hand = why == Why::Restart;
        let uptime = generation.took();
        shared.root.uninstall();
        shared.root.publish(Slot::Making);
        self.state(State::Stopping { generation: generation.number });
        // An end by hand is nobody's fault.
        if !by_hand {
            self.suspect_recipes(generation.number);
        }
        let (ended, unreaped) = generation.end(why, shared.settings.policy.reap, self.record.in_a_row() + 1).await;
        let text = match &ended {
            What::Ended(ended) => ended.to_string(),
            _ => String::new(),
        };
        if let Some(unreaped) = unreaped {
            self.tell(unreaped);
        }
        self.tell(ended);
        if by_hand {
            return if shared.closing.is_cancelled() { Next::Close } else { Next::Start };
        }
        self.decide(false, uptime, &text).await
    }

    /// Forgets all failures, because a user asked for that.
    fn forget(&mut self) {
        self.record.reset();
        self.poisoned = 0;
        self.shared.family.set_cautious(false);
    }

    /// Notes which constructors were running when a generation ended: one that kills the plugin each time must not
    /// open the breaker for all the others.
    fn suspect_recipes(&mut self, generation: u64) {
        let family = &self.shared.family;
        let making = family.making(generation);
        self.poisoned = if making.is_empty() { 0 } else { self.poisoned + 1 };
        if self.poisoned > POISONED
            && let [only] = making[..]
        {
            family.quarantine(only);
            self.poisoned = 0;
        }
        family.set_cautious(self.poisoned >= POISONED);
    }

    /// Asks the policy, then waits for the time, a reset or the close.
    async fn decide(&mut self, permanent: bool, uptime: Duration, why: &str) -> Next {
        let shared = self.shared.clone();
        let name = &shared.settings.name;
        // It came while the start that failed, or the end, was under way.
        if self.resets.has_changed().unwrap_or(false) {
            self.resets.mark_unchanged();
            self.forget();
            self.attempt = 0;
            return if shared.closing.is_cancelled() { Next::Close } else { Next::Start };
        }
        let decision = if permanent {
            Decision::GiveUp
        } else {
            self.record.ended(&shared.settings.policy, Instant::now(), uptime, random())
        };
        let failed = |at_once, until: Option<Instant>| {
            let error = not_running(name, why);
            let reset_version = shared.family.reset_version();
            let failed = Failed { error, at_once, in_a_row: 0, retry_at: until, parent_object: 0, reset_version };
            shared.root.publish(Slot::Failed(Arc::new(failed)));
        };
        let (until, half_open) = match decision {
            Decision::Backoff(wait) => {
                let until = Instant::now() + wait;
                failed(false, Some(until));
                self.state(State::Backoff { until });
                self.tell(What::Backoff { until, in_a_row: self.record.in_a_row() });
                (Some(until), false)
            }
            Decision::Open(wait) => {
                let until = Instant::now() + wait;
                failed(true, Some(until));
                self.state(State::Open { until });
                self.tell(What::BreakerOpened { until, times: self.record.openings() });
                (Some(until), true)
            }
            Decision::GiveUp => {
                failed(true, None);
                self.state(State::GivenUp { error: why.into() });
                self.tell(What::GaveUp { error: why.into() });
                (None, false)
            }
        };
        let time = async {
            match until {
                Some(until) => tokio::time::sleep_until(until.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = shared.closing.cancelled() => return Next::Close,
            _ = self.resets.changed() => {
                self.forget();
                self.attempt = 0;
            }
            () = time => {
                if half_open {
                    self.tell(What::BreakerHalfOpen);
                }
            }
        }
        Next::Start
    }

    /// Handles bottom-up, then the process: asked, then killed.
    async fn close(&self, generation: Generation) {
        let shared = &self.shared;
        let policy = &shared.settings.policy;
        self.close_handles().await;
        // Calls that take longer are cut off with the process.
        let _ = tokio::time::timeout(policy.timing.drain, generation.root.drained()).await;
        generation.shut_down(policy.exit_grace).await;
        shared.root.uninstall();
        let (ended, unreaped) = generation.end(Why::Closed, policy.reap, 0).await;
        if let Some(unreaped) = unreaped {
            self.tell(unreaped);
        }
        self.tell(ended);
    }
}

/// 0 to 1; without random numbers, no jitter.
fn random() -> f64 {
    getrandom::u32().map_or(0.0, |n| f64::from(n) / f64::from(u32::MAX))
}
