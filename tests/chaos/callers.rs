//! Callers with deadlines of their own, and the outcomes of their calls.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::DirEntry;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use loop_runtime::{Error, ErrorKind, Result, with_timeout};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::ran::Ran;
use crate::random::Random;
use crate::services::{Provider, Relayer, answer};
use crate::trace::Site;
use crate::world::{World, next_call};

/// How late an end may be, besides the time for which this process was not scheduled.
const SLACK: Duration = Duration::from_millis(300);

/// How fast "at once" is. The breaker is open for longer.
const AT_ONCE: Duration = Duration::from_millis(100);

/// The longest that a call without a deadline may take here: three executions, each ended by the kill of a hung
/// process, and the waits for the next.
pub(crate) const ENDLESS: Duration = Duration::from_secs(25);

/// One call that was made.
struct Call {
    site: Site,
    id: u64,
    idempotent: bool,
    end: End,
}

enum End {
    Answered(u64),
    /// An error, and whether it may have run.
    Failed(Error),
    Dropped,
}

/// All calls of a test.
#[derive(Default)]
pub(crate) struct Calls {
    all: Mutex<Vec<Call>>,
    pub(crate) wrong: Mutex<Vec<String>>,
    pub(crate) objects: AtomicU64,
    dropped: Mutex<Vec<Dropped>>,
}

/// A handle that is not held any more: its object is closed in the background, within `BOUND`.
struct Dropped {
    name: String,
    at: Instant,
    lag: u64,
}

impl Dropped {
    /// A run in progress, and closing.
    const BOUND: Duration = Duration::from_secs(3);

    fn is_over(&self) -> bool {
        self.at.elapsed() > Self::BOUND + Lag::since(self.lag)
    }
}

/// The number of calls by outcome.
#[derive(Debug, Default)]
pub(crate) struct Outcomes {
    pub(crate) answered: usize,
    pub(crate) refused: usize,
    pub(crate) not_sent: usize,
    pub(crate) may_have_run: usize,
    pub(crate) closed: usize,
    pub(crate) dropped: usize,
    pub(crate) repeats: usize,
}

impl Calls {
    pub(crate) fn wrong(&self, what: String) {
        self.wrong.lock().expect("no panic").push(what);
    }

    /// How many have been made.
    pub(crate) fn count(&self) -> usize {
        self.all.lock().expect("no panic").len()
    }

    /// Makes one call and checks its end against its deadline.
    pub(crate) async fn call(
        &self,
        world: &World,
        site: Site,
        idempotent: bool,
        limits: Limits,
    ) -> Option<Result<u64>> {
        let id = next_call();
        let call = async {
            match idempotent {
                true => world.look(site, id).await,
                false => world.submit(site, id).await,
            }
        };
        let what = format!("call {id} of {site:?}");
        let (open, began, lag) = (world.open(site, id), Instant::now(), Lag::now());
        let resets = world.resets.load(Ordering::Relaxed);
        let timed = self.timed(&what, limits.deadline, call);
        let outcome = match limits.patience {
            Some(patience) => tokio::time::timeout(patience, timed).await.ok(),
            None => Some(timed.await),
        };
        let (took, most) = (began.elapsed(), AT_ONCE + Lag::since(lag));
        let stayed_open =
            open.is_some_and(|until| until > began + most) && resets == world.resets.load(Ordering::Relaxed);
        if stayed_open && took > most {
            self.wrong(format!("I11: {what} took {took:?} while the breaker was open and ended as {outcome:?}"));
        }
        let end = match &outcome {
            None => End::Dropped,
            Some(Ok(value)) => End::Answered(*value),
            Some(Err(error)) => End::Failed(error.clone()),
        };
        self.all.lock().expect("no panic").push(Call { site, id, idempotent, end });
        outcome
    }

    /// Runs `work` under a deadline and records it if it ends too late.
    pub(crate) async fn timed<T>(
        &self,
        what: &str,
        deadline: Option<Duration>,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let (began, lag) = (Instant::now(), Lag::now());
        let outcome = match deadline {
            Some(deadline) => with_timeout(deadline, work).await,
            None => work.await,
        };
        let most = deadline.unwrap_or(ENDLESS) + SLACK + Lag::since(lag);
        let took = began.elapsed();
        if took > most {
            let how = outcome.as_ref().err();
            self.wrong(format!("I1: {what} took {took:?} with the deadline {deadline:?} and ended as {how:?}"));
        }
        outcome
    }

    /// Marks the handles in the trace that must be closed by now.
    fn mark_dropped(&self, world: &World) {
        let over = |dropped: &mut Dropped| dropped.is_over();
        for dropped in self.dropped.lock().expect("no panic").extract_if(.., over) {
            world.trace.closed(&dropped.name);
        }
    }

    /// Checks the callers' outcomes against what ran.
    pub(crate) fn check(&self, ran: &Ran) -> Outcomes {
        let mut outcomes = Outcomes::default();
        for call in &*self.all.lock().expect("no panic") {
            let Call { site, id, idempotent, end } = call;
            let times = ran.times(*site, *id);
            // A call of the reporter is retried as a whole, and in the forward.
            let behind = if *site == Site::Reporter { ran.times(Site::Provider, *id) } else { 0 };
            outcomes.repeats += times.saturating_sub(1) as usize;
            let most = if *idempotent { (3, 9) } else { (1, 1) };
            if times > most.0 || behind > most.1 {
                self.wrong(format!(
                    "I4: call {id} of {site:?} ran {times} times, {behind} behind; idempotent: {idempotent}"
                ));
            }
            match end {
                End::Answered(value) => {
                    outcomes.answered += 1;
                    let by = if *site == Site::Reporter { Site::Provider } else { *site };
                    if *value != answer(by, *id) || times == 0 {
                        self.wrong(format!("I4: call {id} of {site:?} was answered {value} and ran {times} times"));
                    }
                }
                End::Failed(error) => {
                    match error.kind() {
                        ErrorKind::Closed => outcomes.closed += 1,
                        ErrorKind::Answer => outcomes.refused += 1,
                        _ if error.may_have_run() => outcomes.may_have_run += 1,
                        _ => outcomes.not_sent += 1,
                    }
                    if !error.may_have_run() && times + behind > 0 {
                        self.wrong(format!("I4: call {id} of {site:?} ran {times} times and was told as {error:?}"));
                    }
                }
                End::Dropped => outcomes.dropped += 1,
            }
        }
        outcomes
    }
}

#[derive(Clone, Copy, Default)]
pub(crate) struct Limits {
    pub(crate) deadline: Option<Duration>,
    /// After this the future is dropped.
    pub(crate) patience: Option<Duration>,
}

/// Calls until `stop`.
pub(crate) async fn keep_calling(world: Arc<World>, calls: Arc<Calls>, mut random: Random, stop: CancellationToken) {
    while !stop.is_cancelled() {
        if random.below(25) == 0 {
            short_lived(&world, &calls, &mut random).await;
            calls.mark_dropped(&world);
        }
        let site = *random.pick(&Site::ALL);
        let deadline = match random.below(4) {
            0 => None,
            1 => Some(Duration::from_millis(30)),
            2 => Some(Duration::from_millis(200)),
            _ => Some(Duration::from_secs(1)),
        };
        let patience = (random.below(16) == 0).then(|| Duration::from_millis(random.below(20)));
        calls.call(&world, site, random.below(2) == 0, Limits { deadline, patience }).await;
        tokio::time::sleep(Duration::from_millis(random.below(15))).await;
    }
}

/// Makes an object, perhaps cancels that, calls it, and closes or drops it.
async fn short_lived(world: &World, calls: &Calls, random: &mut Random) {
    let name = format!("short-{}", calls.objects.fetch_add(1, Ordering::Relaxed));
    let deadline = Some(Duration::from_millis(100 + random.below(900)));
    let making = calls.timed(&name, deadline, world.relayer.new_provider(&name));
    let made = match random.below(4) {
        0 => tokio::time::timeout(Duration::from_millis(random.below(10)), making).await.ok(),
        _ => Some(making.await),
    };
    let Some(Ok(provider)) = made else { return };
    let _ = calls.timed(&name, deadline, provider.look(0)).await;
    if random.below(2) == 0 {
        drop(provider);
        let dropped = Dropped { name, at: Instant::now(), lag: Lag::now() };
        calls.dropped.lock().expect("no panic").push(dropped);
        return;
    }
    let closing = calls.timed(&format!("closing {name}"), Some(Duration::from_secs(2)), provider.close()).await;
    match provider.look(0).await {
        Err(error) if error.kind() == &ErrorKind::Closed => {}
        other => calls.wrong(format!("I12: {name} was closed ({closing:?}) and answers {other:?}")),
    }
    // Beyond the timeout, closing continues in the background.
    if closing.is_ok() {
        world.trace.closed(&name);
    }
}

/// The total time for which this process was runnable and did not run: a busy machine is no fault of the runtime. Two
/// clocks, because a task may wait behind a thread that waits for a CPU while all timers are on time: how late a timer
/// is, and the system's figure for each thread.
pub(crate) struct Lag;

static LAG: AtomicU64 = AtomicU64::new(0);
static LAST: Mutex<Option<Instant>> = Mutex::new(None);
const STEP: Duration = Duration::from_millis(10);
/// How late a punctual timer is.
const GRAIN: Duration = Duration::from_millis(2);

impl Lag {
    pub(crate) fn meter() -> JoinHandle<()> {
        tokio::spawn(async {
            let mut waited = HashMap::new();
            loop {
                *LAST.lock().expect("no panic") = Some(Instant::now());
                tokio::time::sleep(STEP).await;
                LAG.fetch_add(Self::pending() + Self::waited(&mut waited), Ordering::Relaxed);
            }
        })
    }

    /// How long the threads of this process have waited for a CPU since the last call, in total, in
    /// microseconds; 0 on a system that does not report it.
    fn waited(before: &mut HashMap<OsString, u64>) -> u64 {
        let threads = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
        let of = |thread: DirEntry| {
            let text = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
            let nanos: u64 = text.split_whitespace().nth(1)?.parse().ok()?;
            let last = before.insert(thread.file_name(), nanos).unwrap_or(nanos);
            Some(nanos.saturating_sub(last) / 1000)
        };
        threads.filter_map(of).sum()
    }

    /// Since the last step, which may be late at this very moment: microseconds. All of it counts: on a busy machine the
    /// many small delays of a call add up.
    fn pending() -> u64 {
        let last = LAST.lock().expect("no panic");
        let late = last.map_or(Duration::ZERO, |last| last.elapsed().saturating_sub(STEP + GRAIN));
        late.as_micros() as u64
    }

    pub(crate) fn now() -> u64 {
        LAG.load(Ordering::Relaxed)
    }

    pub(crate) fn since(then: u64) -> Duration {
        Duration::from_micros(Self::now() + Self::pending() - then)
    }
}
