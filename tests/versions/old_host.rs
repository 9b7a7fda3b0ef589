//! A host that was built first, with a plugin that was built later.

use std::sync::Arc;

use loop_runtime::Code;
use loop_runtime::host::Supervisor;

use crate::old::{Depot, Item, Place, State};
use crate::{Case, NEW, launch};

pub(crate) fn all() -> Vec<(&'static str, Case)> {
    vec![
        ("old_host::a_field_that_was_added_is_ignored", || Box::pin(added_field())),
        ("old_host::a_value_that_was_added_keeps_its_number", || Box::pin(added_value())),
        ("old_host::a_case_that_was_added_is_the_unknown_one", || Box::pin(added_case())),
        ("old_host::a_number_that_was_widened_arrives", || Box::pin(widened())),
        ("old_host::a_wider_number_that_does_not_fit_is_cut_to_32_bits", || Box::pin(too_wide())),
        ("old_host::a_method_that_was_removed_is_unimplemented", || Box::pin(removed_method())),
    ]
}

async fn depot() -> (Supervisor, Arc<dyn Depot>) {
    let plugin = launch(NEW).await;
    let depot = plugin.dispense().await.expect("a running plugin");
    (plugin, depot)
}

/// The plugin sends a `weight`, and no `color`, which is empty then as all of protobuf's fields are.
async fn added_field() {
    let (plugin, depot) = depot().await;
    let put = depot.put(&Item { id: 7, color: "red".into() }).await.expect("put");
    assert_eq!(put, Item { id: 7, color: String::new() });
    plugin.close().await;
}

async fn added_value() {
    let (plugin, depot) = depot().await;
    assert_eq!(depot.state(7).await.expect("a state"), State::Other(2));
    assert_eq!(depot.set_state(State::Other(2)).await.expect("passed on"), State::Other(2));
    assert_eq!(depot.set_state(State::Stored).await.expect("passed on"), State::Stored);
    plugin.close().await;
}

async fn added_case() {
    let (plugin, depot) = depot().await;
    assert_eq!(depot.place(7).await.expect("a place"), Place::Elsewhere);
    assert_eq!(depot.set_place(&Place::Row(3)).await.expect("passed on"), Place::Row(3));
    plugin.close().await;
}

async fn widened() {
    let (plugin, depot) = depot().await;
    assert_eq!(depot.next(7).await.expect("a number"), 8);
    plugin.close().await;
}

/// Protobuf's rule for all its integers of 32 bits: nobody is told that the plugin answered 2^32.
async fn too_wide() {
    let (plugin, depot) = depot().await;
    assert_eq!(depot.next(u32::MAX).await.expect("a number"), 0);
    plugin.close().await;
}

/// And the plugin is as it was.
async fn removed_method() {
    let (plugin, depot) = depot().await;
    assert_eq!(depot.audit().await.expect_err("removed").code(), Code::Unimplemented);
    assert_eq!(depot.next(7).await.expect("a number"), 8);
    plugin.close().await;
}
