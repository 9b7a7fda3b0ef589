//! A host that was built later, with a plugin that was built first.

use std::sync::Arc;

use loop_runtime::Code;
use loop_runtime::host::Supervisor;

use crate::new::{Depot, Item, Place, State};
use crate::{Case, OLD, launch};

pub(crate) fn all() -> Vec<(&'static str, Case)> {
    vec![
        ("new_host::a_field_that_was_removed_is_ignored", || Box::pin(removed_field())),
        ("new_host::a_value_that_the_plugin_does_not_know_comes_back", || Box::pin(unknown_value())),
        ("new_host::a_case_that_the_plugin_does_not_know_is_its_unknown_one", || Box::pin(unknown_case())),
        ("new_host::a_number_from_a_narrower_plugin_arrives", || Box::pin(narrower())),
        ("new_host::a_number_that_the_plugin_cannot_hold_is_cut_to_32_bits", || Box::pin(too_wide())),
        ("new_host::a_method_that_was_added_is_unimplemented", || Box::pin(added_method())),
    ]
}

async fn depot() -> (Supervisor, Arc<dyn Depot>) {
    let plugin = launch(OLD).await;
    let depot = plugin.dispense().await.expect("a running plugin");
    (plugin, depot)
}

/// The plugin has a `color`, and drops the `weight`, which it does not know.
async fn removed_field() {
    let (plugin, depot) = depot().await;
    let put = depot.put(&Item { id: 7, weight: 12 }).await.expect("put");
    assert_eq!(put, Item { id: 7, weight: 0 });
    plugin.close().await;
}

async fn unknown_value() {
    let (plugin, depot) = depot().await;
    assert_eq!(depot.state(7).await.expect("a state"), State::Stored);
    assert_eq!(depot.set_state(State::Moving).await.expect("passed on"), State::Moving);
    plugin.close().await;
}

/// Cases are not kept: what comes back is none.
async fn unknown_case() {
    let (plugin, depot) = depot().await;
    assert_eq!(depot.place(7).await.expect("a place"), Place::Row(7));
    assert_eq!(depot.set_place(&Place::Truck("north".into())).await.expect("passed on"), Place::Elsewhere);
    plugin.close().await;
}

async fn narrower() {
    let (plugin, depot) = depot().await;
    assert_eq!(depot.next(7).await.expect("a number"), 8);
    plugin.close().await;
}

/// Protobuf's rule for all its integers of 32 bits: the plugin sees the lower half.
async fn too_wide() {
    let (plugin, depot) = depot().await;
    assert_eq!(depot.next((1 << 32) + 7).await.expect("a number"), 8);
    plugin.close().await;
}

/// And the plugin is as it was.
async fn added_method() {
    let (plugin, depot) = depot().await;
    assert_eq!(depot.count().await.expect_err("not there yet").code(), Code::Unimplemented);
    assert_eq!(depot.next(7).await.expect("a number"), 8);
    plugin.close().await;
}
