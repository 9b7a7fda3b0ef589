//! What exists, held against what is in use.

use std::rc::{Rc, Weak};

use super::handle::Handle;
use super::lease::Export;
use super::ledger::{self, Promise, ledger};
use super::sim::{self, HOST};
use super::world::{KINDS, World};

/// In the calm there is what is in use, and nothing else.
pub(super) fn check(world: &World) {
    for shared in &world.plugins {
        let plugin = shared.plugin;
        let living: Vec<_> = ledger(|it| {
            it.processes.iter().filter(|it| it.plugin == plugin && it.is_alive() && !it.is_doomed()).cloned().collect()
        });
        let running = shared.running.borrow().clone();
        if living.len() != usize::from(running.is_some()) {
            let all: Vec<u64> = living.iter().map(|it| it.generation).collect();
            ledger::broken(Promise::NothingLeft, || format!("processes of plugin {plugin} that live: {all:?}"));
        }
        let Some(process) = running else { continue };
        let live: Vec<_> = live_handles(world, plugin);
        let mut left = Vec::new();
        for object in process.objects.borrow().iter() {
            let is_used = live.iter().any(|handle| {
                handle.usable().is_some_and(|link| link.conn.object.number == object.number)
            });
            if !is_used {
                left.push((object.made_for, object.number));
            }
        }
        for (handle, object) in &left {
            let of_it = left.iter().filter(|it| it.0 == *handle).count() as u32;
            let excused = ledger(|it| it.excused(*handle, process.generation));
            if process.ours || of_it > excused {
                ledger::broken(Promise::NothingLeft, || {
                    format!("object {object} of handle {handle} is left in {plugin}.{}", process.generation)
                });
            }
        }
        let links = 1 + live.iter().filter(|handle| handle.usable().is_some()).count();
        let connections = process.connections();
        if connections.len() != links {
            let all: Vec<_> = connections.iter().map(|it| (it.number, it.object.number)).collect();
            ledger::broken(Promise::NothingLeft, || {
                format!("{links} connections to plugin {plugin} are in use, and there are {all:?}")
            });
        }
        check_leases(plugin, process.generation, process.ours, &live);
    }
}

fn check_leases(plugin: usize, generation: u64, ours: bool, live: &[Rc<Handle>]) {
    let leases: Vec<_> = ledger(|it| it.leases.iter().filter_map(Weak::upgrade).filter(|it| it.plugin == plugin).collect());
    for lease in &leases {
        let is_used = match lease.lending {
            Some((handle, _)) => live.iter().any(|it| it.number == handle && it.usable().is_some()),
            None => !ours,
        };
        if !is_used || lease.generation != generation {
            ledger::broken(Promise::NothingLeft, || {
                format!("what was lent to {:?} in {plugin}.{} is still served", lease.lending, lease.generation)
            });
        }
    }
    let lent: usize = live
        .iter()
        .filter(|it| it.usable().is_some())
        .filter_map(|it| it.recipe().map(|recipe| recipe.exports.len()))
        .sum();
    let served = leases.iter().filter(|lease| lease.lending.is_some()).count();
    if served != lent {
        ledger::broken(Promise::NothingLeft, || format!("{lent} services are lent to plugin {plugin}, and {served} served"));
    }
}

/// The handles of a plugin that somebody holds: a user, or another handle that was made through them or was lent them.
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

/// What there is although everything was closed.
pub(super) fn left() -> Option<String> {
    let processes = ledger(|it| it.processes.iter().filter(|it| it.is_alive()).count());
    let leases = ledger(|it| it.leases.iter().filter(|it| it.strong_count() > 0).count());
    let tasks = sim::tasks_of(HOST);
    let all_closed = ledger(|it| it.plugins.iter().all(|it| it.is_closed));
    (processes + leases + tasks > 0 || !all_closed).then(|| {
        format!("{processes} processes, {leases} leases, {tasks} tasks; all plugins are closed: {all_closed}")
    })
}
