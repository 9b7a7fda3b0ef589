//! The one task that starts a plugin, watches it, ends it, and starts it again.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::sync::{oneshot, watch};

use super::{Running, Shared};
use crate::context::Context;
use crate::host::event::{State, What, Why};
use crate::host::generation::{Generation, not_running};
use crate::host::policy::{Decision, Record};
use crate::host::{LaunchError, watchdog};
use crate::service::{Attempt, Failed, Slot};
use crate::sync::locked;

/// Generations in a row that end while constructors run before these are suspected.
const POISONED: u32 = 3;

pub(super) struct Task {
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
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self {
            resets: shared.resets.subscribe(),
            restarts: shared.restarts.subscribe(),
            shared,
            record: Record::default(),
            number: 0,
            attempt: 0,
            poisoned: 0,
        }
    }

    pub(super) async fn run(mut self, first: First) {
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
                    LaunchError::SetUp { source: source.followed_by(ended) }
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
            () = self.shared.closing.cancelled() => Err(LaunchError::called_off()),
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
                // A timer takes a millisecond even if it is due: half of what a restart takes.
                Some(until) if until <= Instant::now() => {}
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
        if shared.by_hand.load(Ordering::Relaxed) {
            generation.process().claim();
        }
        if !generation.process().is_left_alone() {
            generation.shut_down(policy.exit_grace).await;
        }
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
