//! What the owner of a plugin holds. Its [`machine`] decides, and its [`task`] carries that out.

mod launch;
mod machine;
mod task;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Instant;

use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use super::builder::{Settings, Source};
use super::event::{Event, EventKind, Events, State, States};
use super::generation::{Generation, not_running};
use super::mains::Mains;
use super::{Command, LaunchError, Process, Reattach};
use crate::error::{Error, Result};
use crate::service::{Handle, Link, Names, PeerContext, Prepared, Remote, Service, TICK};
use crate::sync::locked;
pub(crate) use machine::Input;
#[cfg(test)]
pub(crate) use machine::{Action, Machine, Ownership, Root};
pub(crate) use machine::{Pulse, Remains};
use task::Task;

/// All plugins of this process that are not closed.
static PLUGINS: Mutex<Vec<Weak<Shared>>> = Mutex::new(Vec::new());

/// Closes every plugin that this process has launched, all at the same time: each as by [`Supervisor::close`], so that
/// objects are released and shutdown hooks run. Returns when the last process is gone, which is bounded by the
/// [policies](super::RestartPolicy) of the plugins. Of plugins that were [reattached](super::Host::reattach) to, the
/// connections are closed and the processes live on.
///
/// For a host that shuts down:
///
/// ```no_run
/// # async fn run_until_it_is_over() {}
/// # async fn host() -> std::io::Result<()> {
/// use tokio::signal::unix::{SignalKind, signal};
///
/// let mut terminated = signal(SignalKind::terminate())?;
/// tokio::select! {
///     () = run_until_it_is_over() => {}
///     _ = terminated.recv() => {}
/// }
/// loop_runtime::host::close_all().await;
/// # Ok(())
/// # }
/// ```
///
/// Plugins that are launched meanwhile are not waited for. Dropping the future does not stop the closing. Where nothing can
/// be awaited any more, [`kill_all`](super::kill_all) ends the processes.
pub async fn close_all() {
    let plugins: Vec<Arc<Shared>> = locked(&PLUGINS).iter().filter_map(Weak::upgrade).collect();
    for plugin in &plugins {
        plugin.tell_machine(Input::Close { by_call: !plugin.is_attached });
    }
    for plugin in &plugins {
        plugin.closed.cancelled().await;
    }
}

/// Events kept for a slow reader.
const EVENTS: usize = 1024;

/// A plugin under supervision. Clones are the same plugin.
///
/// The process lives while this, a clone of it, or any service that came from it is held; the last drop closes it in
/// the background, [`Supervisor::close`] while its caller waits. Until then it is restarted whenever it ends, as its
/// [`RestartPolicy`](super::RestartPolicy) says, and every service that came from it is re-established.
///
/// A process that this host did not start but [reattached](super::Host::reattach) to lives on after the last drop, and is
/// not started again.
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
        self.shared.tell_machine(Input::Close { by_call: false });
    }
}

struct Shared {
    settings: Settings,
    peer_context: Arc<PeerContext>,
    root: Arc<Handle>,
    state: watch::Sender<State>,
    tell: Arc<Teller>,
    /// Whether another host started the process.
    is_attached: bool,
    inbox: mpsc::UnboundedSender<Message>,
    closed: CancellationToken,
    running: Mutex<Option<Running>>,
}

impl Shared {
    fn tell_machine(&self, input: Input) {
        // Not received once the plugin is closed, and then there is nothing to be done.
        let _ = self.inbox.send(Message::Input(input));
    }
}

/// A message to the [`Task`].
enum Message {
    Input(Input),
    /// The program of the next launch, which is to be soon.
    Replace(Command),
    /// The program that is to take the place of the one that runs; the caller waits for the outcome.
    Upgrade(Command, oneshot::Sender<Result<()>>),
    /// The outcome of making, in the generation of this number, every object that lives in the one that runs.
    Prepared(u64, Result<Prepared>),
    /// The outcome of dialling another main connection to the generation of this number.
    Redialled(u64, Result<Arc<Link>>),
    /// The outcome of a launch. With an error, the id of a process that could not be reaped.
    Launched(Result<Box<Generation>, (LaunchError, Option<u32>)>),
}

/// What others may see of the current generation.
#[derive(Clone)]
pub(crate) struct Running {
    pub(crate) process: Arc<Process>,
    pub(crate) mains: Arc<Mains>,
    version: u32,
}

struct Teller {
    plugin: Arc<str>,
    seq: AtomicU64,
    events: Mutex<Option<broadcast::Sender<Event>>>,
}

impl Teller {
    /// `at` is the moment of the machine's step: the system may run what carries it out later.
    fn tell(&self, at: Instant, what: EventKind) {
        tracing::debug!(plugin = &*self.plugin, event = ?what);
        // Under the lock, so that numbers rise in the order of sending.
        let events = locked(&self.events);
        if let Some(events) = &*events {
            let seq = self.seq.fetch_add(1, Ordering::Relaxed);
            // No receiver is no error.
            let _ = events.send(Event { plugin: self.plugin.clone(), at, seq, kind: what });
        }
    }
}

impl Supervisor {
    pub(super) async fn start(settings: Settings, source: Source) -> Result<Self, LaunchError> {
        let tell = Arc::new(Teller {
            plugin: settings.name.as_str().into(),
            seq: AtomicU64::new(0),
            events: Mutex::new(Some(broadcast::Sender::new(EVENTS))),
        });
        let observer = tell.clone();
        let peer_context = PeerContext::with_tick(
            &settings.name,
            "the host",
            settings.policy.timeouts.clone(),
            settings.policy.lazy_recovery,
            Arc::new(move |event| observer.tell(Instant::now(), EventKind::Handle(event))),
            settings.policy.health_check_interval.unwrap_or(TICK),
        );
        let (outbox, inbox) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            root: Handle::root(peer_context.clone()),
            peer_context,
            state: watch::Sender::new(State::Starting { attempt: 1 }),
            tell,
            is_attached: matches!(source, Source::Running(_)),
            inbox: outbox,
            closed: CancellationToken::new(),
            running: Mutex::default(),
            settings,
        });
        {
            let mut plugins = locked(&PLUGINS);
            plugins.retain(|plugin| plugin.upgrade().is_some_and(|plugin| !plugin.closed.is_cancelled()));
            plugins.push(Arc::downgrade(&shared));
        }
        let (first, started) = oneshot::channel();
        // Made before the task: a caller that goes away drops it, and that closes the plugin.
        let owner = Arc::new(Owner { shared: shared.clone() });
        tokio::spawn(Task::new(shared, source, inbox, first).run());
        match started.await {
            Ok(Ok(())) => Ok(Self { owner }),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(LaunchError::called_off()),
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
    /// Makes no call, except to probe for optional components of `S`. The handle is valid for as long as it is held,
    /// over all restarts.
    ///
    /// # Errors
    ///
    /// The plugin is closed, given up, or does not recover before the deadline (30 s, or the caller's).
    pub async fn dispense<S: Service + ?Sized>(&self) -> Result<Arc<S>> {
        let shared = self.shared();
        // Over one socket even a lost connection cannot be dialled again without announcements.
        shared.tell_machine(Input::Dispensed { carries: S::CARRIES || shared.settings.is_multiplexed() });
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

    /// The reattach configuration of the current process, for [`Host::reattach`](super::Host::reattach) or its like in
    /// Go; of a process that was reattached to, the one that was used. `None` while no process runs, and if its
    /// connections are secured or multiplexed, which only the host that started it can set up.
    ///
    /// The process must outlive this host to be of use to another: see
    /// [`Plugin::outlive_host`](crate::plugin::Plugin::outlive_host).
    pub fn reattach_config(&self) -> Option<Reattach> {
        let running = self.running().filter(|_| self.shared().settings.is_plain());
        running.map(|running| running.process.reattach_config())
    }

    pub(crate) fn running(&self) -> Option<Running> {
        locked(&self.shared().running).clone()
    }

    /// Calls the plugin's health service once. Dropping the future cancels the call.
    ///
    /// # Errors
    ///
    /// The plugin is not running, or the answer is an error.
    pub async fn ping(&self) -> Result<()> {
        let running = self.running().ok_or_else(|| not_running(self.name(), "it cannot be asked"))?;
        running.mains.check().await
    }

    /// Replaces the process by another one, in order: new calls wait for the next process, each to its own deadline;
    /// those in flight are drained for
    /// [`RestartPolicy::restart_drain_timeout`](super::RestartPolicy::restart_drain_timeout); then the process is asked
    /// to shut down, and runs its hooks. When it is gone the next one is started, and services are re-established.
    ///
    /// Returns at once; [`Supervisor::events`] report the progress. Does nothing while no process runs.
    pub fn restart(&self) {
        self.shared().tell_machine(Input::Restart { replaced: false });
    }

    /// The same with another command, as after a deploy to a new path: it is used from now on, for every start. The
    /// failures of the last one are forgotten, as by [`Supervisor::reset`]; while no process runs, one is started at
    /// once.
    ///
    /// There is no rollback: a command that does not start a plugin is retried as the policy says. The plugin keeps its
    /// name.
    ///
    /// # Errors
    ///
    /// The plugin was [reattached](super::Host::reattach) to: only the host that started a process can replace it.
    pub fn restart_with(&self, command: Command) -> Result<()> {
        self.check_is_ours()?;
        // Not received once the plugin is closed, and then there is nothing to be replaced.
        let _ = self.shared().inbox.send(Message::Replace(command));
        Ok(())
    }

    fn check_is_ours(&self) -> Result<()> {
        if self.shared().is_attached {
            let text = format!("plugin not replaced: {}: another host started it", self.name());
            return Err(Error::failed_precondition(text));
        }
        Ok(())
    }

    /// Replaces the process by one of `command` without a gap, and with a rollback if that fails: two processes run for
    /// a moment. `command` is used for every later start, too.
    ///
    /// 1. The new process is started, set-up calls are repeated in it, and every object that lives in the old process
    ///    is made in it. If anything of that fails, the new process is ended and the old one goes on.
    /// 2. All handles change to the new process in one step. From then on no call begins on the old one.
    /// 3. Calls in flight on the old one are drained for
    ///    [`RestartPolicy::restart_drain_timeout`](super::RestartPolicy::restart_drain_timeout); then it is asked to
    ///    shut down, and ends.
    ///
    /// Only the application knows whether it may run twice at a time: constructors and repeated set-up calls run in the
    /// new process while the old one still serves, so that what they start (pollers, transmitters) runs twice for a
    /// moment, and what they lock or listen on may be taken. Where that must not be, use [`Supervisor::restart_with`].
    /// Objects that must [not be made again](crate::loop_service) are lost in step 2.
    ///
    /// Returns after step 2; events report the rest. The next upgrade waits for step 3 of the last. Dropping the future
    /// does not stop the upgrade.
    ///
    /// # Errors
    ///
    /// The upgrade failed, and why; the plugin is not running, is being upgraded already, was closed, or was
    /// [reattached](super::Host::reattach) to.
    pub async fn upgrade(&self, command: Command) -> Result<()> {
        self.check_is_ours()?;
        let (answer, answered) = oneshot::channel();
        let _ = self.shared().inbox.send(Message::Upgrade(command, answer));
        let closed = || Error::closed(format!("plugin not upgraded: {}: it was closed", self.name()));
        answered.await.unwrap_or_else(|_| Err(closed()))
    }

    /// Forgets all failures: closes the breaker, leaves the given-up state, makes refused objects again.
    pub fn reset(&self) {
        let shared = self.shared();
        shared.peer_context.reset();
        shared.tell_machine(Input::Reset);
    }

    /// Closes every service that came from the plugin, children first, then the process: asked, then killed.
    ///
    /// Returns when the process is gone. Dropping the future does not stop the closing. A process that was reattached
    /// to in test mode is only disconnected from.
    pub async fn close(&self) {
        self.shared().tell_machine(Input::Close { by_call: true });
        self.shared().closed.cancelled().await;
    }
}

impl std::fmt::Debug for Supervisor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Supervisor").field("name", &self.name()).field("state", &self.states().now()).finish()
    }
}
