//! What travels with a call besides its arguments: the deadline, and metadata such as `traceparent`.
//!
//! Both are task-local. A caller sets them around a future; the dispatcher on the far side runs every handler inside
//! what it received, so that they reach nested calls, and the forwards between plugins, without being passed by hand.
//! A task that the handler spawns starts without them: wrap its future with [`with_deadline`] or [`with_metadata`].

use std::future::Future;
use std::time::{Duration, Instant};

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::error::{Error, Result};

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
            if travels(name) {
                metadata.append(name.clone(), value.clone());
            }
        }
        Self { deadline, metadata }
    }

    // No `async fn`, which would keep room for `future` twice: for what it is given and for what it waits for.
    pub(crate) fn scope<F: Future>(self, future: F) -> impl Future<Output = F::Output> {
        CURRENT.scope(self, future)
    }

    fn update<T>(change: impl FnOnce(&mut Self) -> T) -> (Self, T) {
        let mut context = Self::current();
        let out = change(&mut context);
        (context, out)
    }
}

/// Headers that belong to one hop: HTTP/2's, gRPC's and our own.
fn travels(name: &HeaderName) -> bool {
    let name = name.as_str();
    let hop = ["content-type", "content-length", "te", "user-agent", "host", "server", "date", "connection"];
    !hop.contains(&name) && !name.starts_with("grpc-") && !name.starts_with("loop-")
}

/// Runs `future`; every service call inside it ends at `at` at the latest, with [`Code::DeadlineExceeded`].
///
/// A deadline that is already in force and earlier stays. The rest of the time is sent with each call, so that the
/// far side stops too. Dropping the future cancels its calls, as always.
///
/// [`Code::DeadlineExceeded`]: crate::Code::DeadlineExceeded
pub async fn with_deadline<F: Future>(at: Instant, future: F) -> F::Output {
    let (context, ()) = Context::update(|context| {
        context.deadline = Some(context.deadline.map_or(at, |before| before.min(at)));
    });
    context.scope(future).await
}

/// [`with_deadline`], `timeout` from now.
pub async fn with_timeout<F: Future>(timeout: Duration, future: F) -> F::Output {
    match Instant::now().checked_add(timeout) {
        Some(at) => with_deadline(at, future).await,
        None => future.await,
    }
}

/// Runs `future`; every service call inside it carries the header `name` with `value`, besides those already in force.
///
/// # Errors
///
/// [`Code::InvalidArgument`] if `name` is not a lower-case HTTP header name, is reserved (`grpc-..`, `loop-..`,
/// `content-type` and other headers of one hop) or `value` holds a character that a header cannot carry.
///
/// [`Code::InvalidArgument`]: crate::Code::InvalidArgument
pub async fn with_metadata<F: Future>(name: &str, value: &str, future: F) -> Result<F::Output> {
    let header = HeaderName::from_lowercase(name.as_bytes())
        .ok()
        .filter(travels)
        .ok_or_else(|| Error::invalid_argument(format!("`{name}` cannot name metadata")))?;
    let value = HeaderValue::from_str(value)
        .map_err(|why| Error::invalid_argument(format!("metadata `{name}`: {why}")).with_source(why))?;
    let (context, ()) = Context::update(|context| {
        context.metadata.insert(header, value);
    });
    Ok(context.scope(future).await)
}

/// The metadata `name` of the call that the current task is handling (or that [`with_metadata`] set).
pub fn metadata(name: &str) -> Option<String> {
    CURRENT.try_with(|context| context.metadata.get(name)?.to_str().ok().map(str::to_owned)).ok().flatten()
}

/// The deadline of the call that the current task is handling (or that [`with_deadline`] set).
pub fn deadline() -> Option<Instant> {
    CURRENT.try_with(|context| context.deadline).ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_earlier_deadline_holds() {
        let soon = Instant::now() + Duration::from_secs(1);
        let late = soon + Duration::from_secs(60);
        with_deadline(soon, async {
            with_deadline(late, async { assert_eq!(deadline(), Some(soon)) }).await;
        })
        .await;
        assert_eq!(deadline(), None);
    }

    #[tokio::test]
    async fn metadata_nests_and_reserved_names_are_refused() {
        let seen = with_metadata("traceparent", "00-a", async { metadata("traceparent") }).await;
        assert_eq!(seen.unwrap().as_deref(), Some("00-a"));
        for bad in ["grpc-timeout", "loop-recipe", "content-type", "Upper", ""] {
            assert!(with_metadata(bad, "x", async {}).await.is_err(), "{bad}");
        }
        assert!(with_metadata("x-ok", "line\nbreak", async {}).await.is_err());
    }

    #[test]
    fn a_received_context_leaves_out_what_belongs_to_one_hop() {
        let mut headers = HeaderMap::new();
        headers.insert("grpc-timeout", HeaderValue::from_static("1S"));
        headers.insert("x-chainlink-org", HeaderValue::from_static("a"));
        let context = Context::received(None, &headers);
        assert_eq!(context.metadata.len(), 1);
    }
}
