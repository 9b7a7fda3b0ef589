//! What travels with a call besides its arguments: the deadline, and metadata such as `traceparent`.
//!
//! Both are task-local. A caller sets them around a future; the dispatcher on the far side runs every handler inside
//! what it received, so that they reach nested calls, and the forwards between plugins, without being passed by hand.
//! A task that the handler spawns starts without them: wrap its future with [`with_deadline`] or [`with_metadata`].

use std::future::Future;
use std::time::{Duration, Instant};

use http::{HeaderMap, HeaderName, HeaderValue};
use tonic::metadata::MetadataMap;

use crate::error::{Error, Result};
use crate::transport;

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

/// Whether a header is the application's. The others belong to one hop: HTTP's, gRPC's and our own.
fn travels(name: &HeaderName) -> bool {
    let text = name.as_str();
    let hop = ["content-type", "content-length", "te", "user-agent", "host", "server", "date"];
    let reserved = hop.contains(&text) || text.starts_with("grpc-") || text.starts_with("loop-");
    !reserved && !transport::is_of_one_connection(name)
}

/// The name of an application's metadata, or what is wrong with it.
fn metadata_name(name: &str) -> Result<HeaderName> {
    let refused = |why| Error::invalid_argument(format!("`{name}` cannot name metadata: {why}"));
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
    let header = HeaderName::from_lowercase(name.as_bytes()).ok();
    let header = header
        .filter(|_| name.bytes().all(allowed))
        .ok_or_else(|| refused("gRPC takes lower-case letters, digits, `-`, `_` and `.`"))?;
    if transport::is_of_one_connection(&header) {
        return Err(refused("HTTP/2 has no such header"));
    }
    if !travels(&header) {
        return Err(refused("it is reserved"));
    }
    Ok(header)
}

/// What metadata named `name` can carry of `value`, or what is wrong with that.
fn metadata_value(name: &HeaderName, value: &str) -> Result<HeaderValue> {
    let refused = |why: &str| Error::invalid_argument(format!("metadata `{name}`: {why}"));
    let header = HeaderValue::from_str(value)
        .ok()
        .filter(|_| value.bytes().all(|byte| (b' '..=b'~').contains(&byte)))
        .ok_or_else(|| refused("gRPC takes printable ASCII characters; bytes need a name that ends with `-bin`"))?;
    // Peers answer `Internal` to anything else, grpc-go among them.
    if name.as_str().ends_with("-bin") && !is_base64(name, &header) {
        return Err(refused("a name that ends with `-bin` carries bytes, and the value is not base64"));
    }
    Ok(header)
}

/// Standard base64, with all of its padding or none.
fn is_base64(name: &HeaderName, value: &HeaderValue) -> bool {
    let whole = value.len().is_multiple_of(4) || !value.as_bytes().contains(&b'=');
    let one = MetadataMap::from_headers(HeaderMap::from_iter([(name.clone(), value.clone())]));
    whole && one.get_bin(name.as_str()).is_some_and(|value| value.to_bytes().is_ok())
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
/// [`Code::InvalidArgument`], saying what is wrong:
///
/// * `name` is not made of lower-case letters, digits, `-`, `_` and `.`; it is reserved (`grpc-..`, `loop-..`,
///   `content-type`, `user-agent` and other headers of one hop); HTTP/2 cannot carry it (`connection`, `upgrade`,
///   `keep-alive`, `transfer-encoding`, `proxy-connection`).
/// * `value` holds anything but printable ASCII characters; or `name` ends with `-bin`, which gRPC keeps for bytes, and
///   `value` is not their base64.
///
/// [`Code::InvalidArgument`]: crate::Code::InvalidArgument
pub async fn with_metadata<F: Future>(name: &str, value: &str, future: F) -> Result<F::Output> {
    let header = metadata_name(name)?;
    let value = metadata_value(&header, value)?;
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
    use crate::error::Code;

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
        for (bad, why) in [
            ("grpc-timeout", "reserved"),
            ("loop-recipe", "reserved"),
            ("content-type", "reserved"),
            ("te", "reserved"),
            ("host", "reserved"),
            ("connection", "HTTP/2 has no such header"),
            ("keep-alive", "HTTP/2 has no such header"),
            ("proxy-connection", "HTTP/2 has no such header"),
            ("transfer-encoding", "HTTP/2 has no such header"),
            ("upgrade", "HTTP/2 has no such header"),
            ("Upper", "lower-case"),
            (":path", "lower-case"),
            ("a+b", "lower-case"),
            ("", "lower-case"),
        ] {
            let error = with_metadata(bad, "x", async {}).await.unwrap_err();
            assert_eq!(error.code(), Code::InvalidArgument);
            let text = error.to_string();
            assert!(text.contains(&format!("`{bad}` cannot name metadata: ")) && text.contains(why), "{text}");
        }
        for bad in ["line\nbreak", "tab\t", "é", "\u{7f}"] {
            let text = with_metadata("x-ok", bad, async {}).await.unwrap_err().to_string();
            assert!(text.contains("metadata `x-ok`: gRPC takes printable ASCII"), "{text}");
        }
    }

    #[tokio::test]
    async fn bytes_are_base64() {
        for good in ["", "YQ", "YQ==", "AAECAw==", "+/+/"] {
            let seen = with_metadata("trace-bin", good, async { metadata("trace-bin") }).await;
            assert_eq!(seen.unwrap().as_deref(), Some(good));
        }
        for bad in ["no bytes", "Y", "YQ=", "_-_-", "YQ==YQ==", "YQ,YQ"] {
            let error = with_metadata("trace-bin", bad, async {}).await.unwrap_err();
            assert_eq!(error.code(), Code::InvalidArgument);
            assert!(error.to_string().contains("`trace-bin`") && error.to_string().contains("base64"), "{error}");
        }
        with_metadata("trace-binary", "no bytes", async {}).await.unwrap();
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
