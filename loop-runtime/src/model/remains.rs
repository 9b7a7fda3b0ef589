//! Compares what exists with what is in use.

use std::rc::{Rc, Weak};

use super::door::LeaseInfo;
use super::far::Process;
use super::handle::Handle;
use super::lease::Export;
use super::ledger::ledger;
use super::sim::{self, HOST};
use super::world::{KINDS, World};

/// Without faults, what exists is what is in use: returns the first surplus or missing thing.
pub(super) fn surplus(world: &World) -> Option<String> {
    world.plugins.iter().find_map(|shared| {
        let plugin = shared.plugin;
        let living: Vec<_> = ledger(|it| {
            it.processes.iter().filter(|it| it.plugin == plugin && it.is_alive() && !it.is_doomed()).cloned().collect()
        });
        let running = shared.running.borrow().clone();
        if living.len() != usize::from(running.is_some()) {
            let all: Vec<u64> = living.iter().map(|it| it.generation).collect();
            return Some(format!("processes of plugin {plugin} that live: {all:?}"));
        }
        let process = running?;
        let live = live_handles(world, plugin);
        let deaf = live.iter().find(|handle| handle.usable().is_some_and(|link| !link.conn.object.accepts()));
        if let Some(handle) = deaf {
            return Some(format!("the object of handle {} is in use, and takes no connections", handle.number));
        }
        left_over(&process, &live).or_else(|| unused(&process, &live)).or_else(|| leases(&process, &live))
    })
}

/// An object that nobody uses, and that was not reported.
fn left_over(process: &Process, live: &[Rc<Handle>]) -> Option<String> {
    let uses = |handle: &Rc<Handle>, number| handle.usable().is_some_and(|link| link.conn.object.number == number);
    let sleeps = |number| live.iter().any(|it| it.number == number && sleeps(it));
    let left: Vec<_> = process.objects.borrow().iter().map(|it| (it.made_for, it.number, it.parent)).collect();
    let left: Vec<_> = left.into_iter().filter(|it| !live.iter().any(|handle| uses(handle, it.1))).collect();
    // The children of an object that is left over are left over with it.
    let tops = left.iter().filter(|it| !left.iter().any(|other| other.1 == it.2));
    let left: Vec<_> = tops.map(|it| (it.0, it.1)).collect();
    left.iter().find_map(|(handle, object)| {
        let of_it = left.iter().filter(|it| it.0 == *handle).count() as u32;
        let is_known =
            sleeps(*handle) || !process.ours && of_it <= ledger(|it| it.excused(*handle, process.generation));
        (!is_known)
            .then(|| format!("object {object} of handle {handle} is left in {}.{}", process.plugin, process.generation))
    })
}

/// It lost its connection, and no caller has needed it since: its object may live, and keeps what was lent to it.
fn sleeps(handle: &Rc<Handle>) -> bool {
    handle.peer_context.lazy && handle.usable().is_none()
}

fn unused(process: &Process, live: &[Rc<Handle>]) -> Option<String> {
    let links = 1 + live.iter().filter(|handle| handle.usable().is_some()).count();
    let all: Vec<_> = process.connections().iter().map(|it| (it.number, it.object.number)).collect();
    (all.len() != links)
        .then(|| format!("{links} connections to plugin {} are in use, and there are {all:?}", process.plugin))
}

fn leases(process: &Process, live: &[Rc<Handle>]) -> Option<String> {
    let plugin = process.plugin;
    let served: Vec<_> =
        ledger(|it| it.leases.iter().filter_map(Weak::upgrade).filter(|it| it.plugin == plugin).collect());
    let is_used = |lease: &LeaseInfo| match lease.lending {
        Some((handle, _)) => live.iter().any(|it| it.number == handle && (it.usable().is_some() || sleeps(it))),
        // In Go it stays with the object that it was lent to.
        None => !process.ours,
    };
    if let Some(lease) = served.iter().find(|it| it.generation != process.generation || !is_used(it)) {
        return Some(format!("what was lent to {:?} in {plugin}.{} is served", lease.lending, lease.generation));
    }
    let lent = live.iter().filter(|it| it.usable().is_some()).filter_map(|it| it.recipe());
    let lent: usize = lent.map(|recipe| recipe.exports.len()).sum();
    let served = served.iter().filter(|lease| lease.lending.is_some()).count();
    let is_wrong = served < lent || (served > lent && !live.iter().any(sleeps));
    is_wrong.then(|| format!("{lent} services are lent to plugin {plugin}, and {served} are served"))
}

/// The handles of a plugin that are held: by a user, or by another handle that was made through them or was lent them.
fn live_handles(world: &World, plugin: usize) -> Vec<Rc<Handle>> {
    let mut all = Vec::new();
    for place in 0..KINDS.len() {
        if let Some(user) = world.user(place) {
            enter(user.handle(), &mut all);
        }
    }
    all.retain(|handle| handle.plugin == plugin && handle.recipe().is_some() && !handle.closed.is_cancelled());
    all
}

fn enter(handle: &Rc<Handle>, all: &mut Vec<Rc<Handle>>) {
    if all.iter().any(|it| Rc::ptr_eq(it, handle)) {
        return;
    }
    all.push(handle.clone());
    let Some(recipe) = handle.recipe() else { return };
    enter(recipe.parent.handle(), all);
    for export in recipe.exports.iter() {
        if let Export::Forward(target) = export {
            enter(target.handle(), all);
        }
    }
}

/// What still exists although everything was closed.
pub(super) fn left() -> Option<String> {
    let processes = ledger(|it| it.processes.iter().filter(|it| it.is_alive()).count());
    let leases = ledger(|it| it.leases.iter().filter(|it| it.strong_count() > 0).count());
    let tasks = sim::tasks_of(HOST);
    let all_closed = ledger(|it| it.plugins.iter().all(|it| it.is_closed));
    (processes + leases + tasks > 0 || !all_closed)
        .then(|| format!("{processes} processes, {leases} leases, {tasks} tasks; all plugins are closed: {all_closed}"))
}
