//! What must be usable once faults have ended.

use std::rc::Rc;
use std::time::Duration;

use super::handle::{Handle, User};
use super::plugin::Launches;
use super::service::Nature;
use super::world::{KINDS, World};
use crate::service::{Failed, Forgotten, HandleState};

/// Whether everything has recovered that must.
pub(super) fn is_back(world: &World, helped: bool) -> bool {
    missing(world, helped).is_none()
}

/// The first one that has not.
pub(super) fn missing(world: &World, helped: bool) -> Option<String> {
    for shared in &world.plugins {
        if !shared.is_running() && (helped || !shared.has_given_up()) {
            return Some(format!("plugin {}: {:?}", shared.plugin, shared.state.borrow()));
        }
    }
    // What is poisoned shows soon, and launches that fail or crash do so for a while. A connection that winds down stays until
    // it ends, and may take the announcements of its process along then.
    for (plugin, shared) in world.plugins.iter().enumerate() {
        let process = world.process(plugin);
        let is_young = process.as_ref().is_some_and(|process| process.age() < Duration::from_secs(20));
        let winds_down = process.is_some_and(|process| process.connections().iter().any(|conn| conn.went_away()));
        if is_young || winds_down || shared.launches.get() != Launches::Start {
            return Some(format!("plugin {plugin} is not steady"));
        }
    }
    for (place, kind) in KINDS.iter().enumerate() {
        let Some(user) = world.user(place).filter(|user| is_expected(world, user, helped)) else { continue };
        let handle = user.handle();
        if !handle.peer_context.lazy && handle.usable().is_none() {
            return Some(format!("the {}, handle {}: {}", kind.name, handle.number, state(handle)));
        }
    }
    None
}

/// Whether a handle must recover.
pub(super) fn is_expected(world: &World, user: &Rc<User>, helped: bool) -> bool {
    let handle = user.handle();
    if handle.closed.is_cancelled() || (!helped && world.plugins[handle.plugin].has_given_up()) {
        return false;
    }
    let slot = handle.slot.borrow().clone();
    if matches!(&slot, HandleState::Failed(failed) if failed.until == Forgotten::Never) {
        return false;
    }
    let Some(recipe) = handle.recipe() else { return true };
    if !helped && matches!(recipe.nature.get(), Nature::Refuses { permanent: true } | Nature::Crashes) {
        return handle.usable().is_some();
    }
    // Refused permanently, under this parent, and not reset since.
    let parent = recipe.parent.handle().usable().map(|link| link.object.number());
    let is_refused = |failed: &Failed| match failed.until {
        Forgotten::Under { object, .. } => failed.at_once && (parent.is_none() || object == parent),
        Forgotten::Never => true,
    };
    if !helped && matches!(&slot, HandleState::Failed(failed) if is_refused(failed)) {
        return false;
    }
    // A factory needs what is lent to it.
    let waits_for = recipe.exports.iter().all(|export| match export {
        super::lease::Export::Forward(target) => is_expected(world, target, helped),
        super::lease::Export::Plain => true,
    });
    waits_for && is_expected(world, &recipe.parent, helped)
}

fn state(handle: &Handle) -> String {
    match &*handle.slot.borrow() {
        HandleState::Vacant => "vacant".to_owned(),
        HandleState::Making => "being made".to_owned(),
        HandleState::Live => "live, it says".to_owned(),
        HandleState::Failed(failed) => format!("failed: {}", failed.error),
        HandleState::Closed => "closed".to_owned(),
    }
}
