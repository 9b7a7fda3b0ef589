//! Tasks, one at a time, in an order that a seed decides, on a clock that advances only when no task is ready (or
//! sometimes although one is).
//!
//! There is one simulation per thread, and its tasks reach it through the functions here, like a
//! runtime. Nothing else ever polls its tasks.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};
use std::time::{Duration, Instant};

use super::random::Random;
pub(super) use super::wait::{hop, sleep, sleep_until, sleep_until_some, timeout, timeout_at};

/// Where tasks run: all tasks of a place stop, resume, or end together.
pub(super) type Place = u32;
/// What is neither the host nor a process: the network, time, faults.
pub(super) const WORLD: Place = 0;
pub(super) const HOST: Place = 1;

/// After this many polls a schedule counts as a livelock.
const POLLS: u64 = 500_000;

type Work = Pin<Box<dyn Future<Output = ()>>>;

struct Task {
    place: Place,
    work: Option<Work>,
    waker: Waker,
    wakeful: Arc<Wakeful>,
}

struct Wakeful {
    task: usize,
    is_queued: AtomicBool,
    ready: Arc<Mutex<Vec<usize>>>,
}

impl Wake for Wakeful {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.is_queued.swap(true, Ordering::Relaxed) {
            self.ready.lock().unwrap().push(self.task);
        }
    }
}

pub(super) struct Sim {
    start: Instant,
    now: Cell<Instant>,
    random: RefCell<Random>,
    tasks: RefCell<Vec<Option<Task>>>,
    free: RefCell<Vec<usize>>,
    ready: Arc<Mutex<Vec<usize>>>,
    pub(super) timers: RefCell<BTreeMap<(Instant, u64), Waker>>,
    pub(super) next_timer: Cell<u64>,
    next_place: Cell<Place>,
    frozen: RefCell<Vec<Place>>,
    /// Ready, in a frozen place.
    parked: RefCell<Vec<(Place, usize)>>,
    ended: RefCell<Vec<Place>>,
    polls: Cell<u64>,
    steps: Cell<u64>,
    stalled: Cell<Duration>,
    /// How often, and for how long, everything was stalled.
    stood_still: Cell<(u32, Duration)>,
    is_over: Cell<bool>,
}

thread_local! {
    static SIM: RefCell<Option<Rc<Sim>>> = const { RefCell::new(None) };
}

pub(super) fn with<T>(look: impl FnOnce(&Sim) -> T) -> T {
    SIM.with(|sim| look(sim.borrow().as_ref().expect("no simulation is running")))
}

/// How a simulation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The first task has ended, or [`stop`] was called.
    Over,
    /// No task is ready, now or later.
    Deadlock,
    /// It does not end.
    Livelock,
}

/// Runs `main` and all tasks that it spawns, until it ends.
pub(super) fn run(seed: u64, start: Instant, main: impl Future<Output = ()> + 'static) -> Outcome {
    let sim = Rc::new(Sim {
        start,
        now: Cell::new(start),
        random: RefCell::new(Random::new(seed)),
        tasks: RefCell::default(),
        free: RefCell::default(),
        ready: Arc::default(),
        timers: RefCell::default(),
        next_timer: Cell::new(0),
        next_place: Cell::new(HOST + 1),
        frozen: RefCell::default(),
        parked: RefCell::default(),
        ended: RefCell::default(),
        polls: Cell::new(0),
        steps: Cell::new(0),
        stalled: Cell::default(),
        stood_still: Cell::default(),
        is_over: Cell::new(false),
    });
    SIM.with(|current| *current.borrow_mut() = Some(sim.clone()));
    spawn(WORLD, async move {
        main.await;
        stop();
    });
    sim.run()
}

/// Drops everything that the last simulation holds. Its clock can still be read meanwhile.
pub(super) fn clear() {
    let tasks = with(|sim| std::mem::take(&mut *sim.tasks.borrow_mut()));
    drop(tasks);
    let sim = SIM.with(|sim| sim.borrow_mut().take());
    drop(sim);
}

impl Sim {
    fn run(&self) -> Outcome {
        while !self.is_over.get() {
            let task = {
                let mut ready = self.ready.lock().unwrap();
                match ready.len() {
                    0 => None,
                    most => {
                        // The order of wake-ups is not deterministic in `tokio::sync::watch`.
                        ready.sort_unstable();
                        Some(ready.remove(self.random.borrow_mut().below(most)))
                    }
                }
            };
            match task {
                Some(task) => {
                    self.poll(task);
                    if self.random.borrow_mut().once_in(32) {
                        self.pass(Duration::from_millis(3));
                    }
                }
                None if self.pass(Duration::MAX) => {}
                None => return Outcome::Deadlock,
            }
            if self.polls.get() > POLLS {
                return Outcome::Livelock;
            }
        }
        Outcome::Over
    }

    /// Advances to the next timer and wakes its tasks, if that is due within `most`.
    fn pass(&self, most: Duration) -> bool {
        let waker = {
            let mut timers = self.timers.borrow_mut();
            let Some(first) = timers.first_entry() else { return false };
            let at = first.key().0;
            if at.saturating_duration_since(self.now.get()) > most {
                return false;
            }
            self.now.set(at.max(self.now.get()));
            first.remove()
        };
        waker.wake();
        true
    }

    fn poll(&self, id: usize) {
        let (place, work, waker) = {
            let mut tasks = self.tasks.borrow_mut();
            let Some(Some(task)) = tasks.get_mut(id) else { return };
            if self.frozen.borrow().contains(&task.place) {
                self.parked.borrow_mut().push((task.place, id));
                return;
            }
            task.wakeful.is_queued.store(false, Ordering::Relaxed);
            let Some(work) = task.work.take() else { return };
            (task.place, work, task.waker.clone())
        };
        self.polls.set(self.polls.get() + 1);
        let mut work = work;
        let is_done = work.as_mut().poll(&mut Context::from_waker(&waker)).is_ready();
        if is_done || self.ended.borrow().contains(&place) {
            drop(work);
            self.tasks.borrow_mut()[id] = None;
            self.free.borrow_mut().push(id);
        } else if let Some(Some(task)) = self.tasks.borrow_mut().get_mut(id) {
            task.work = Some(work);
        }
    }
}

/// Spawns `work` in `place`.
pub(super) fn spawn(place: Place, work: impl Future<Output = ()> + 'static) {
    let work: Work = Box::pin(work);
    with(|sim| {
        if sim.ended.borrow().contains(&place) {
            return;
        }
        let free = sim.free.borrow_mut().pop();
        let mut tasks = sim.tasks.borrow_mut();
        let id = free.unwrap_or_else(|| {
            tasks.push(None);
            tasks.len() - 1
        });
        let wakeful = Arc::new(Wakeful { task: id, is_queued: AtomicBool::new(false), ready: sim.ready.clone() });
        let waker = Waker::from(wakeful.clone());
        waker.wake_by_ref();
        tasks[id] = Some(Task { place, work: Some(work), waker, wakeful });
    });
}

pub(super) fn new_place() -> Place {
    with(|sim| sim.next_place.replace(sim.next_place.get() + 1))
}

/// Freezes `place`: no task of it runs until it is thawed.
pub(super) fn freeze(place: Place) {
    with(|sim| sim.frozen.borrow_mut().push(place));
}

pub(super) fn thaw(place: Place) {
    with(|sim| {
        let mut frozen = sim.frozen.borrow_mut();
        let Some(at) = frozen.iter().position(|it| *it == place) else { return };
        frozen.swap_remove(at);
        if frozen.contains(&place) {
            return;
        }
        let mut ready = sim.ready.lock().unwrap();
        sim.parked.borrow_mut().retain(|(of, task)| {
            if *of == place {
                ready.push(*task);
            }
            *of != place
        });
    });
}

/// Ends `place`: no task of it runs any more, and all are dropped.
pub(super) fn end(place: Place) {
    let works = with(|sim| {
        sim.ended.borrow_mut().push(place);
        sim.parked.borrow_mut().retain(|(of, _)| *of != place);
        let mut works = Vec::new();
        for (id, slot) in sim.tasks.borrow_mut().iter_mut().enumerate() {
            // The task that runs right now has been taken out, and is dropped when it returns.
            if slot.as_ref().is_some_and(|task| task.place == place && task.work.is_some()) {
                works.push(slot.take());
                sim.free.borrow_mut().push(id);
            }
        }
        works
    });
    drop(works);
}

/// The number of tasks of `place`.
pub(super) fn tasks_of(place: Place) -> usize {
    with(|sim| sim.tasks.borrow().iter().flatten().filter(|task| task.place == place).count())
}

/// Ends the simulation.
pub(super) fn stop() {
    with(|sim| sim.is_over.set(true));
}

pub(super) fn is_over() -> bool {
    with(|sim| sim.is_over.get())
}

/// Everything stalls for `time`: afterwards all that is due is due at once.
pub(super) fn stall(time: Duration) {
    with(|sim| {
        sim.now.set(sim.now.get() + time);
        sim.stalled.set(sim.stalled.get() + time);
        let (times, all) = sim.stood_still.get();
        sim.stood_still.set((times + 1, all + time));
    });
}

/// How often everything was stalled so far, and for how long in total.
pub(super) fn stood_still() -> (u32, Duration) {
    with(|sim| sim.stood_still.get())
}

/// Notes that only the host was stalled.
pub(super) fn note_stall(time: Duration) {
    with(|sim| sim.stalled.set(sim.stalled.get() + time));
}

/// For how long the host was stalled so far, in total.
pub(super) fn stalled() -> Duration {
    with(|sim| sim.stalled.get())
}

/// Counts a step of one of the machines.
pub(super) fn count_step() {
    with(|sim| sim.steps.set(sim.steps.get() + 1));
}

pub(super) fn steps() -> u64 {
    with(|sim| sim.steps.get())
}

pub(super) fn now() -> Instant {
    with(|sim| sim.now.get())
}

pub(super) fn elapsed() -> Duration {
    with(|sim| sim.now.get() - sim.start)
}

pub(super) fn random<T>(draw: impl FnOnce(&mut Random) -> T) -> T {
    with(|sim| draw(&mut sim.random.borrow_mut()))
}

pub(super) fn once_in(times: u64) -> bool {
    random(|random| random.once_in(times))
}

pub(super) fn millis(least: u64, most: u64) -> Duration {
    random(|random| random.millis(least, most))
}
