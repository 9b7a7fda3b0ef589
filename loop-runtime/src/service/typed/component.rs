//! Components: services that another service offers on its own connection, by a synchronous accessor.

use std::sync::Arc;

use crate::service::base::Names;
use crate::service::handle::Remote;
use crate::service::serve::{Service, Tree};
use crate::wire::Schema;

/// What an accessor may return: `Arc<dyn S>`, or `Option<Arc<dyn S>>` for a component that may be missing.
#[diagnostic::on_unimplemented(
    message = "an accessor cannot return `{Self}`",
    label = "not a service",
    note = "return `Arc<dyn Trait>` or `Option<Arc<dyn Trait>>` of a `#[loop_service]` trait, or make the method `async`"
)]
pub trait Component: Sized {
    /// Whether its methods carry services.
    const CARRIES: bool;
    /// The component of a remote service: same connection, no call.
    fn of(remote: &Remote) -> Self;
    /// Adds its names to those of its owner.
    fn describe(names: &mut Names);
    /// Serves it beside its owner.
    fn mount(self, accessor: &'static str, tree: &mut Tree);
    /// Adds it to the schema.
    fn schema(schema: &mut Schema);
}

impl<S: Service + ?Sized> Component for Arc<S> {
    const CARRIES: bool = S::CARRIES;

    fn of(remote: &Remote) -> Self {
        S::connect(remote.clone())
    }

    fn describe(names: &mut Names) {
        S::describe(names);
    }

    fn mount(self, accessor: &'static str, tree: &mut Tree) {
        tree.component(accessor, |tree| S::mount(&self, tree));
    }

    fn schema(schema: &mut Schema) {
        S::schema(schema);
    }
}

impl<S: Service + ?Sized> Component for Option<Arc<S>> {
    const CARRIES: bool = S::CARRIES;

    fn of(remote: &Remote) -> Self {
        remote.offers(S::NAME).then(|| S::connect(remote.clone()))
    }

    fn describe(names: &mut Names) {
        names.optional(S::NAME);
        S::describe(names);
    }

    fn mount(self, accessor: &'static str, tree: &mut Tree) {
        if let Some(service) = self {
            service.mount(accessor, tree);
        }
    }

    fn schema(schema: &mut Schema) {
        S::schema(schema);
    }
}
