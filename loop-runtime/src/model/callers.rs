//! The users of a host: calls with and without deadlines, sometimes cancelled; handles that are made, used and
//! closed.

use std::rc::Rc;
use std::time::{Duration, Instant};

use super::calls::{Order, call};
use super::handle::User;
use super::ledger::{Promise, Runs, SLACK, ledger, log};
use super::service::{Call, Fate};
use super::sim::{self, millis, once_in, random, sleep};
use super::world::{KINDS, World};
use crate::error::Result;
use crate::service::machines::attempts::Class;

/// How long an operation without a deadline may take: three times the wait for a link, and until a hung process is
/// detected.
const LONGEST: Duration = Duration::from_secs(200);

/// One user, until the faults end.
pub(super) async fn caller(world: Rc<World>) {
    while !world.is_calm.get() {
        sleep(pause()).await;
        let deadline = deadline();
        match random(|random| random.below(20)) {
            0 => short_lived(&world, deadline).await,
            1 if once_in(2) => replace(&world, deadline).await,
            _ => {
                if let Some(user) = world.any() {
                    let _ = one_call(&user, deadline).await;
                }
            }
        }
    }
    world.callers.set(world.callers.get() - 1);
}

fn pause() -> Duration {
    match random(|random| random.below(12)) {
        0 => millis(500, 4_000),
        1..4 => millis(50, 500),
        _ => millis(0, 50),
    }
}

fn deadline() -> Option<Instant> {
    let left = match random(|random| random.below(10)) {
        0..3 => return None,
        3 => millis(0, 5),
        4..7 => millis(5, 1_000),
        _ => millis(1_000, 20_000),
    };
    Some(sim::now() + left)
}

/// Awaits `work`, which must end by `deadline`.
pub(super) async fn in_time<T>(what: &str, deadline: Option<Instant>, work: impl Future<Output = T>) -> T {
    let (began, stalled) = (sim::now(), sim::stalled());
    let until = deadline.map_or(began + LONGEST, |at| at.max(began));
    let done = work.await;
    let late = sim::now().saturating_duration_since(until).saturating_sub(sim::stalled() - stalled);
    if late > SLACK {
        ledger(|it| it.broken(Promise::InTime, || format!("{what} ends {late:?} after its deadline")));
    }
    done
}

/// `None` if its caller was cancelled meanwhile.
async fn unless_cancelled<T>(work: impl Future<Output = T>) -> Option<T> {
    let cancelled = async {
        match once_in(8) {
            true => sleep(millis(0, 60)).await,
            false => std::future::pending().await,
        }
    };
    tokio::select! {
        biased;
        done = work => Some(done),
        () = cancelled => None,
    }
}

pub(super) fn order(class: Class, deadline: Option<Instant>) -> Order {
    let runs = if class == Class::Once { Runs::Once } else { Runs::Repeatable };
    let id = ledger(|it| it.begin_call(runs));
    let work = match random(|random| random.below(20)) {
        0 => millis(200, 3_000),
        1..5 => millis(5, 100),
        _ => millis(0, 5),
    };
    let fate = match random(|random| random.below(300)) {
        0 => Fate::Crashes,
        1..10 => Fate::Resets,
        10..25 => Fate::Fails,
        _ => Fate::Answers,
    };
    let call = Call { id, work, fate, lends: None, calls_back: once_in(4) };
    Order { id, class, deadline, call, lends: once_in(8) }
}

async fn one_call(user: &Rc<User>, deadline: Option<Instant>) -> Option<Result<()>> {
    let class = if once_in(2) { Class::Once } else { Class::Repeatable };
    let order = order(class, deadline);
    log!(
        "call {} of handle {}, {class:?}, {:?}, {:?}",
        order.id,
        user.handle().number,
        order.call.fate,
        deadline.map(|at| at - sim::now())
    );
    let handle = user.handle().clone();
    unless_cancelled(in_time("a call", deadline, call(&handle, &order))).await
}

/// Makes an object, uses it, drops it.
async fn short_lived(world: &Rc<World>, deadline: Option<Instant>) {
    let place = random(|random| random.below(KINDS.len()));
    let made = unless_cancelled(in_time("a constructor", deadline, world.make(place, deadline))).await;
    let Some(Some(Ok(user))) = made else { return };
    for _ in 0..random(|random| random.below(4)) {
        let _ = one_call(&user, deadline).await;
        sleep(millis(0, 200)).await;
    }
    if once_in(2) {
        close(&user).await;
    }
}

async fn close(user: &Rc<User>) {
    let deadline = match once_in(3) {
        true => Some(sim::now() + millis(0, 2_000)),
        false => None,
    };
    log!("handle {} is closed by hand", user.handle().number);
    let bound = sim::now() + user.handle().peer_context.timeouts.close_timeout;
    let bound = deadline.map_or(bound, |deadline| deadline.min(bound));
    in_time("a close", Some(bound), user.handle().close(deadline)).await;
}

/// Closes the handle at a place, and makes another one.
async fn replace(world: &Rc<World>, deadline: Option<Instant>) {
    let place = random(|random| random.below(KINDS.len()));
    let old = world.users.borrow_mut()[place].take();
    if let Some(old) = old {
        if once_in(2) {
            close(&old).await;
        }
        log!("the last user of handle {} lets go", old.handle().number);
    }
    remake(world, place, deadline).await;
}

/// Remakes the handle at `place`, and those that were below the old one.
pub(super) async fn remake(world: &Rc<World>, place: usize, deadline: Option<Instant>) {
    for (at, kind) in KINDS.iter().enumerate() {
        let depends = kind.under == Some(place) || kind.forwards == Some(place);
        let is_gone = world.user(at).is_none_or(|user| user.handle().closed.is_cancelled());
        if at == place || (depends && is_gone) {
            // What cannot be made stays empty, and its callers have nothing to call.
            let made = in_time("a constructor", deadline, world.make(at, deadline)).await;
            if let Some(Ok(user)) = made {
                world.users.borrow_mut()[at] = Some(user);
            }
        }
    }
}
