//! What travels with a call besides its arguments: the deadline, and metadata such as `traceparent`.
//!
//! Both are task-local. A caller sets them around a future; the dispatcher on the far side runs every handler inside
//! what it received, so that they reach nested calls, and the forwards between plugins, without being passed by hand.
//! A task that the handler spawns starts without them: it runs its future in the [`Call`]'s scope.

mod call;
mod metadata;
mod options;

use std::fmt;
use std::future::Future;
use std::time::Instant;

use http::HeaderMap;

pub use call::Call;
pub use options::{CallOptions, with_deadline, with_timeout};

#[derive(Clone, Default)]
pub(crate) struct Context {
    pub(crate) deadline: Option<Instant>,
    pub(crate) metadata: HeaderMap,
}

tokio::task_local! {
    static CURRENT: Context;
}

impl Context {
    pub(crate) fn current() -> Self {
        CURRENT.try_with(Clone::clone).unwrap_or_default()
    }

    /// The context of a call that was received: its deadline, and every header that is the application's.
    pub(crate) fn received(deadline: Option<Instant>, headers: &HeaderMap) -> Self {
        let mut metadata = HeaderMap::new();
        for (name, value) in headers {
            if metadata::travels(name) {
                metadata.append(name.clone(), value.clone());
            }
        }
        Self { deadline, metadata }
    }

    // Not an `async fn`, whose future would hold `future` twice: as its argument and as what it awaits.
    pub(crate) fn scope<F: Future>(self, future: F) -> impl Future<Output = F::Output> {
        CURRENT.scope(self, future)
    }

    /// Runs `poll` in this context.
    pub(crate) fn enter<T>(&self, poll: impl FnOnce() -> T) -> T {
        CURRENT.sync_scope(self.clone(), poll)
    }

    /// Waits for the deadline; for ever if there is none.
    pub(crate) async fn expired(&self) {
        match self.deadline {
            Some(at) => tokio::time::sleep_until(at.into()).await,
            None => std::future::pending().await,
        }
    }

    /// Keeps the earlier of the two deadlines.
    fn limit(&mut self, at: Instant) {
        self.deadline = Some(self.deadline.map_or(at, |before| before.min(at)));
    }

    /// For `Debug`: the names of metadata, without their values.
    fn debug(&self, of: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.metadata.keys().map(|name| name.as_str()).collect();
        f.debug_struct(of).field("deadline", &self.deadline).field("metadata", &names).finish()
    }
}
