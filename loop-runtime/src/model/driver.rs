//! One schedule: two plugins, their callers, faults; then calm, in which everything recovers; then the end, after which
//! nothing is left.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::callers::{caller, in_time, order, remake};
use super::calls::call;
use super::faults::faults;
use super::ledger::{self, Closed, Promise, ledger, log};
use super::plugin::{self, Launches};
use super::recovery::{is_back, is_expected, missing};
use super::remains;
use super::service::{Fate, Nature};
use super::sim::{self, HOST, Outcome, WORLD, millis, once_in, random, sleep, spawn, timeout};
use super::world::{KINDS, World};
use crate::host::RestartPolicy;
use crate::service::machines::attempts::Class;

/// The outcome of one schedule.
pub(super) struct Report {
    pub(super) closed: Closed,
    pub(super) steps: u64,
}

/// Runs the schedule of `seed`.
pub(super) fn schedule(seed: u64, promises: &[Promise], tracing: bool) -> Report {
    ledger::open(promises, tracing);
    let outcome = sim::run(seed, Instant::now(), main());
    let steps = sim::steps();
    match outcome {
        Outcome::Over => {}
        Outcome::Deadlock => ledger::broken(Promise::InTime, || "everybody waits, and nobody for a time".to_owned()),
        Outcome::Livelock => ledger::broken(Promise::InTime, || "there is no end to it".to_owned()),
    }
    sim::clear();
    Report { closed: ledger::close(), steps }
}

async fn main() {
    let mut started = Vec::new();
    for plugin in 0..2 {
        let policy = policy();
        ledger(|it| it.plugins.push(ledger::PluginRecord::new(policy.clone())));
        let launches = match random(|random| random.below(60)) {
            0 => Launches::Fail,
            1 => Launches::FailForGood,
            2 => Launches::Hang,
            _ => Launches::Start,
        };
        let until = Some(sim::now() + Duration::from_secs(25));
        match in_time("a start", until, plugin::start(plugin, policy, once_in(2), launches)).await {
            Some(it) => started.push(it),
            None => break,
        }
    }
    if started.len() < 2 {
        drop(started);
        return nothing_is_left().await;
    }
    let (plugins, owners) = started.into_iter().map(|(shared, owner)| (shared, Some(owner))).unzip();
    let world = Rc::new(World {
        plugins,
        owners: RefCell::new(owners),
        users: RefCell::new(vec![None; KINDS.len()]),
        natures: KINDS.iter().map(|_| Rc::new(Cell::new(Nature::Works))).collect(),
        once: KINDS.iter().map(|_| once_in(12)).collect(),
        is_calm: Cell::new(false),
        callers: Cell::new(0),
    });
    for place in 0..KINDS.len() {
        let made = world.make(place, None).await;
        if let Some(Ok(user)) = made {
            world.users.borrow_mut()[place] = Some(user);
        }
    }
    let callers = 2 + random(|random| random.below(5));
    world.callers.set(callers);
    for _ in 0..callers {
        spawn(HOST, caller(world.clone()));
    }
    let time = millis(2_000, 25_000);
    faults(world.clone(), time).await;
    // Some are closed in the middle of it.
    if once_in(5) {
        world.is_calm.set(true);
    } else {
        calm(&world).await;
    }
    if sim::is_over() {
        return;
    }
    close(&world).await;
    drop(world);
    nothing_is_left().await;
}

fn policy() -> RestartPolicy {
    RestartPolicy {
        lazy_recovery: once_in(6),
        give_up_after: if once_in(6) { Some(1 + random(|random| random.below(2)) as u32) } else { None },
        max_restarts: if once_in(8) { None } else { Some(5) },
        jitter: if once_in(4) { 0.0 } else { 0.5 },
        ..RestartPolicy::default()
    }
}

/// Faults end, and everything recovers.
async fn calm(world: &Rc<World>) {
    log!("all is calm");
    world.is_calm.set(true);
    let helped = once_in(2);
    for (plugin, shared) in world.plugins.iter().enumerate() {
        if helped {
            shared.launches.set(Launches::Start);
        }
        // A stopped process that is not resumed is detected as hung.
        if let Some(process) = world.process(plugin)
            && (helped || once_in(2))
        {
            process.go_on();
        }
    }
    for nature in &world.natures {
        let stays = nature.get() == (Nature::Refuses { permanent: true }) || nature.get() == Nature::Crashes;
        if helped || !stays {
            nature.set(Nature::Works);
        }
    }
    // Ongoing faults run out, and callers finish what they began.
    let all = async {
        while world.callers.get() > 0 {
            sleep(Duration::from_millis(500)).await;
        }
    };
    if timeout(Duration::from_secs(900), all).await.is_none() {
        let left = world.callers.get();
        return ledger::broken(Promise::InTime, || format!("{left} callers wait in vain"));
    }
    sleep(Duration::from_secs(15)).await;
    if helped {
        for shared in &world.plugins {
            shared.reset();
        }
    }
    for place in 0..KINDS.len() {
        if world.user(place).is_none() {
            remake(world, place, Some(sim::now() + Duration::from_secs(60))).await;
        }
    }
    let back = async {
        while !is_back(world, helped) {
            sleep(Duration::from_millis(700)).await;
        }
    };
    if timeout(Duration::from_secs(3_000), back).await.is_none() {
        let left = missing(world, helped).unwrap_or_default();
        return ledger::broken(Promise::Recovers, || format!("what does not come back: {left}"));
    }
    for place in 0..KINDS.len() + 2 {
        let user = if place < KINDS.len() { world.user(place) } else { world.root(place - KINDS.len()) };
        let Some(user) = user.filter(|user| is_expected(world, user, helped)) else { continue };
        let mut answer = Ok(());
        // What failed a moment ago, and is lazy, reports that until it is tried again.
        for _ in 0..8 {
            let deadline = sim::now() + Duration::from_secs(40);
            let mut order = order(Class::Repeatable, Some(deadline));
            (order.call.fate, order.call.calls_back) = (Fate::Answers, false);
            answer = in_time("a call", Some(deadline), call(user.handle(), &order)).await;
            if answer.is_ok() || !user.handle().peer_context.lazy {
                break;
            }
            sleep(Duration::from_secs(5)).await;
        }
        // What is lazy may turn out only now not to recover.
        if let Err(error) = answer
            && is_expected(world, &user, helped)
        {
            ledger::broken(Promise::Recovers, || format!("handle {} is not answered: {error}", user.handle().number));
        }
    }
    // What expires has expired, and what was released has ended.
    sleep(Duration::from_secs(20)).await;
    let mut surplus = None;
    for _ in 0..20 {
        // What keeps retrying has something open now and then.
        surplus = remains::surplus(world);
        if surplus.is_none() {
            break;
        }
        sleep(Duration::from_millis(1_300)).await;
    }
    if let Some(surplus) = surplus {
        ledger::broken(Promise::NothingLeft, || surplus);
    }
}

/// Everything is closed, with calls in flight.
async fn close(world: &Rc<World>) {
    log!("the end begins");
    for _ in 0..random(|random| random.below(5)) {
        let Some(user) = world.any() else { continue };
        let deadline = once_in(2).then(|| sim::now() + millis(0, 8_000));
        let order = order(Class::Repeatable, deadline);
        spawn(HOST, async move {
            let _ = in_time("a call", deadline, call(user.handle(), &order)).await;
        });
    }
    sleep(millis(0, 20)).await;
    let first = random(|random| random.below(2));
    for plugin in [first, 1 - first] {
        // Handles: three seconds; calls: one; the process: its grace period, and until it is reaped; the rest.
        let until = Some(sim::now() + Duration::from_secs(3 + 1 + 2 + 5 + 5 + 3 + 11 + 5 + 5));
        let shared = world.plugins[plugin].clone();
        if once_in(2) {
            in_time("a close", until, shared.close()).await;
        } else {
            let drops = shared.clone();
            for (place, kind) in KINDS.iter().enumerate() {
                if kind.plugin == plugin {
                    world.users.borrow_mut()[place] = None;
                }
            }
            world.owners.borrow_mut()[plugin] = None;
            if once_in(2) {
                spawn(WORLD, async move { drops.close().await });
            }
        }
        sleep(millis(0, 3_000)).await;
    }
    let users = world.users.replace(vec![None; KINDS.len()]);
    let owners = world.owners.replace(vec![None; 2]);
    drop((users, owners));
}

/// At the end nothing is left.
async fn nothing_is_left() {
    let gone = async {
        while remains::left().is_some() {
            sleep(Duration::from_millis(500)).await;
        }
    };
    if timeout(Duration::from_secs(400), gone).await.is_none()
        && let Some(left) = remains::left()
    {
        ledger::broken(Promise::NothingLeft, || format!("at the end there is left: {left}"));
    }
}
