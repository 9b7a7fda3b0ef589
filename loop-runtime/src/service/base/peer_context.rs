//! What all handles of one peer share.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit, watch};

use super::event::{HandleEvent, Observer};
use super::runtime::Runtime;
use super::timeouts::Timeouts;
use crate::sync::locked;
use crate::transport::SignsOfLife;

/// The tick where no health check is configured, or it is disabled.
pub(crate) const TICK: Duration = Duration::from_secs(1);

/// Ticks after which the end of a link counts as no failure: as many as make a silent process count as hung.
const STEADY: u32 = 10;

/// Constructors that run concurrently after a restart.
const RUNS: usize = 8;

/// Shared by the handles of one supervisor, or by those that a host lent to its plugin.
pub(crate) struct PeerContext {
    /// The peer's name, for error texts.
    pub(crate) name: String,
    /// This process's name, for error texts.
    pub(crate) local: String,
    pub(crate) timeouts: Timeouts,
    /// Lost objects are recreated on the next call, not at once.
    pub(crate) lazy: bool,
    /// The end of a link this old counts as no failure: ten ticks of the health check.
    pub(crate) steady: Duration,
    observer: Observer,
    runs: Semaphore,
    resets: watch::Sender<u64>,
    making: Mutex<Vec<u64>>,
    /// Handles whose constructor was cut off, and in which generation.
    cut_off: Mutex<Vec<(u64, u64)>>,
    quarantined: Mutex<Vec<u64>>,
    cautious: AtomicBool,
    /// Counts replies of the peer.
    answers: AtomicU64,
    /// Counts its replies and its requests.
    signs: SignsOfLife,
    runtime: Runtime,
}

impl PeerContext {
    pub(crate) fn new(name: &str, local: &str, timeouts: Timeouts, lazy: bool, observer: Observer) -> Arc<Self> {
        Self::with_tick(name, local, timeouts, lazy, observer, TICK)
    }

    /// The same for a peer whose health is checked every `tick`.
    pub(crate) fn with_tick(
        name: &str,
        local: &str,
        timeouts: Timeouts,
        lazy: bool,
        observer: Observer,
        tick: Duration,
    ) -> Arc<Self> {
        Arc::new(Self {
            name: name.to_owned(),
            local: local.to_owned(),
            timeouts,
            lazy,
            steady: tick.saturating_mul(STEADY),
            observer,
            runs: Semaphore::new(RUNS),
            resets: watch::Sender::new(0),
            making: Mutex::default(),
            cut_off: Mutex::default(),
            quarantined: Mutex::default(),
            cautious: AtomicBool::new(false),
            answers: AtomicU64::new(0),
            signs: SignsOfLife::default(),
            runtime: Runtime::current(),
        })
    }

    /// The runtime of the connections to the peer: that in which the context was made.
    pub(crate) fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    pub(crate) fn emit(&self, event: HandleEvent) {
        (self.observer)(event);
    }

    /// Notes a sign of life of the peer: it sent a reply.
    pub(crate) fn alive(&self) {
        self.answers.fetch_add(1, Ordering::Relaxed);
        self.signs.note();
    }

    /// How many signs of life there have been.
    pub(crate) fn signs_of_life(&self) -> u64 {
        self.answers.load(Ordering::Relaxed)
    }

    /// Notes a request of the peer. A process that sends requests may still answer none, so this is no sign of life for
    /// the decision whether it hangs.
    pub(crate) fn heard(&self) {
        self.signs.note();
    }

    /// Everything that a live process sends, for connections to the peer.
    pub(crate) fn signs(&self) -> SignsOfLife {
        self.signs.clone()
    }

    /// Forgets refusals: keepers retry at once.
    pub(crate) fn reset(&self) {
        locked(&self.quarantined).clear();
        self.resets.send_modify(|version| *version += 1);
    }

    /// How many resets there have been: a refusal from before the last one is forgotten.
    pub(crate) fn reset_version(&self) -> u64 {
        *self.resets.borrow()
    }

    pub(crate) fn resets(&self) -> watch::Receiver<u64> {
        self.resets.subscribe()
    }

    /// Lets constructors run one at a time only, because generations kept ending while some ran.
    pub(crate) fn set_cautious(&self, cautious: bool) {
        self.cautious.store(cautious, Ordering::Relaxed);
    }

    /// A permit to run a constructor again.
    pub(crate) async fn run(&self, handle: u64) -> Option<Run<'_>> {
        let permits = if self.cautious.load(Ordering::Relaxed) { RUNS as u32 } else { 1 };
        let permit = self.runs.acquire_many(permits).await.ok()?;
        locked(&self.making).push(handle);
        locked(&self.cut_off).retain(|(_, known)| *known != handle);
        Some(Run { peer_context: self, handle, _permit: permit })
    }

    /// Notes that the constructor of `handle` lost its connection. This is visible before the end of `generation` is.
    pub(crate) fn cut_off(&self, generation: u64, handle: u64) {
        locked(&self.cut_off).push((generation, handle));
    }

    /// The handles whose constructors are running now, or were when `generation` ended.
    pub(crate) fn making(&self, generation: u64) -> Vec<u64> {
        let mut all = locked(&self.making).clone();
        let cut_off = std::mem::take(&mut *locked(&self.cut_off));
        all.extend(cut_off.into_iter().filter(|(number, _)| *number == generation).map(|(_, handle)| handle));
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Forbids `handle` further runs until a reset.
    pub(crate) fn quarantine(&self, handle: u64) {
        locked(&self.quarantined).push(handle);
    }

    pub(crate) fn is_quarantined(&self, handle: u64) -> bool {
        locked(&self.quarantined).contains(&handle)
    }
}

/// A constructor that is running.
pub(crate) struct Run<'a> {
    peer_context: &'a PeerContext,
    handle: u64,
    _permit: SemaphorePermit<'a>,
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        locked(&self.peer_context.making).retain(|handle| *handle != self.handle);
    }
}
