//! What a caller sets for its calls: deadline and metadata.

use std::fmt;
use std::future::Future;
use std::time::{Duration, Instant};

use super::{Context, metadata};
use crate::error::Result;

/// Deadline and metadata of the calls inside a future.
///
/// ```
/// use std::time::Duration;
///
/// use loop_runtime::prelude::*;
/// use loop_runtime::CallOptions;
///
/// # #[loop_service(package = "acme.kv.v1")]
/// # pub trait Kv {
/// #     async fn get(&self, key: &str) -> Result<Vec<u8>>;
/// # }
/// # use std::sync::Arc;
/// async fn get(kv: &Arc<dyn Kv>) -> Result<Vec<u8>> {
///     let options = CallOptions::new().timeout(Duration::from_secs(2)).metadata("x-tenant", "acme")?;
///     options.scope(kv.get("greeting")).await
/// }
/// ```
///
/// They hold for every service call that the future makes in its own task, and travel on through the calls that its
/// handlers make. Scopes nest: the earlier deadline holds, and metadata of an inner scope replace those of the same
/// name in the outer one.
#[derive(Clone, Default)]
#[must_use = "options do nothing before a future runs in their scope"]
pub struct CallOptions(Context);

impl CallOptions {
    /// Neither a deadline nor metadata.
    pub fn new() -> Self {
        Self::default()
    }

    /// Calls end at `at` at the latest, with [`Code::DeadlineExceeded`](crate::Code::DeadlineExceeded). Of several
    /// deadlines the earliest holds. The remaining time is sent with each call, so that the peer stops too.
    pub fn deadline(mut self, at: Instant) -> Self {
        self.0.limit(at);
        self
    }

    /// [`deadline`](Self::deadline), `timeout` from now: from this call on, and not from [`scope`](Self::scope).
    pub fn timeout(self, timeout: Duration) -> Self {
        match Instant::now().checked_add(timeout) {
            Some(at) => self.deadline(at),
            None => self,
        }
    }

    /// Calls carry the text `value` as metadata `name`, besides the values that these options have under that name already.
    ///
    /// # Errors
    ///
    /// [`Code::InvalidArgument`](crate::Code::InvalidArgument), saying what is wrong:
    ///
    /// * `name` is not made of lower-case letters, digits, `-`, `_` and `.`; it is reserved (`grpc-..`, `loop-..`,
    ///   `content-type`, `user-agent` and other headers of one hop); HTTP/2 cannot carry it (`connection`, `upgrade`,
    ///   `keep-alive`, `transfer-encoding`, `proxy-connection`).
    /// * `value` holds anything but printable ASCII characters; or `name` ends with `-bin`, which gRPC keeps for bytes, and
    ///   `value` is not their base64: [`metadata_bin`](Self::metadata_bin) takes the bytes themselves.
    pub fn metadata(mut self, name: &str, value: &str) -> Result<Self> {
        let header = metadata::name(name)?;
        let value = metadata::value(&header, value)?;
        self.0.metadata.append(header, value);
        Ok(self)
    }

    /// As [`metadata`](Self::metadata), with bytes. The name ends with `-bin`.
    ///
    /// # Errors
    ///
    /// [`Code::InvalidArgument`](crate::Code::InvalidArgument) if the name is refused, as there, or does not end with `-bin`.
    pub fn metadata_bin(mut self, name: &str, value: &[u8]) -> Result<Self> {
        let header = metadata::name(name)?;
        let value = metadata::bytes(&header, value)?;
        self.0.metadata.append(header, value);
        Ok(self)
    }

    /// Runs `future` with these options. Dropping it cancels its calls, as always.
    pub fn scope<F: Future>(self, future: F) -> impl Future<Output = F::Output> {
        let mut context = Context::current();
        if let Some(at) = self.0.deadline {
            context.limit(at);
        }
        for name in self.0.metadata.keys() {
            context.metadata.remove(name);
        }
        context.metadata.extend(self.0.metadata);
        context.scope(future)
    }
}

/// Values of metadata are left out: they may be secrets.
impl fmt::Debug for CallOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.debug("CallOptions", f)
    }
}

/// [`CallOptions::deadline`] alone: runs `future`, in which every service call ends at `at` at the latest.
pub async fn with_deadline<F: Future>(at: Instant, future: F) -> F::Output {
    CallOptions::new().deadline(at).scope(future).await
}

/// [`CallOptions::timeout`] alone: [`with_deadline`], `timeout` from now.
pub async fn with_timeout<F: Future>(timeout: Duration, future: F) -> F::Output {
    CallOptions::new().timeout(timeout).scope(future).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Call;
    use crate::error::{Code, Error};

    fn seen(name: &str) -> Option<String> {
        Call::current().metadata(name).map(str::to_owned)
    }

    fn refused(name: &str, value: &str) -> Error {
        CallOptions::new().metadata(name, value).unwrap_err()
    }

    #[tokio::test]
    async fn the_earlier_deadline_holds() {
        let soon = Instant::now() + Duration::from_secs(1);
        let late = soon + Duration::from_secs(60);
        with_deadline(soon, async {
            with_deadline(late, async { assert_eq!(Call::current().deadline(), Some(soon)) }).await;
        })
        .await;
        assert_eq!(Call::current().deadline(), None);
    }

    #[tokio::test]
    async fn metadata_nests_and_reserved_names_are_refused() {
        let options = CallOptions::new().metadata("traceparent", "00-a").unwrap();
        assert_eq!(options.scope(async { seen("traceparent") }).await.as_deref(), Some("00-a"));
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
            let error = refused(bad, "x");
            assert_eq!(error.code(), Code::InvalidArgument);
            let text = error.to_string();
            assert!(text.contains(&format!("`{bad}` cannot name metadata: ")) && text.contains(why), "{text}");
        }
        for bad in ["line\nbreak", "tab\t", "é", "\u{7f}"] {
            let text = refused("x-ok", bad).to_string();
            assert!(text.contains("metadata `x-ok`: gRPC takes printable ASCII"), "{text}");
        }
    }

    #[tokio::test]
    async fn bytes_are_base64() {
        for good in ["", "YQ", "YQ==", "AAECAw==", "+/+/"] {
            let options = CallOptions::new().metadata("trace-bin", good).unwrap();
            assert_eq!(options.scope(async { seen("trace-bin") }).await.as_deref(), Some(good));
        }
        for bad in ["no bytes", "Y", "YQ=", "_-_-", "YQ==YQ==", "YQ,YQ"] {
            let error = refused("trace-bin", bad);
            assert_eq!(error.code(), Code::InvalidArgument);
            assert!(error.to_string().contains("`trace-bin`") && error.to_string().contains("base64"), "{error}");
        }
        let _ = CallOptions::new().metadata("trace-binary", "no bytes").unwrap();
    }

    #[tokio::test]
    async fn several_values_of_a_name_arrive_in_order_and_an_inner_scope_takes_their_place() {
        let of = |values: [&[u8]; 2]| {
            let options = CallOptions::new().metadata_bin("x-bin", values[0]).unwrap();
            options.metadata_bin("x-bin", values[1]).unwrap()
        };
        let all = || Call::current().metadata_all("x-bin");
        of([b"\0", b"two"])
            .scope(async {
                assert_eq!(all(), [&b"\0"[..], b"two"]);
                of([b"three", b""]).scope(async { assert_eq!(all(), [&b"three"[..], b""]) }).await;
                assert_eq!(all(), [&b"\0"[..], b"two"]);
            })
            .await;
        assert!(all().is_empty());
        assert_eq!(CallOptions::new().metadata_bin("x", b"").unwrap_err().code(), Code::InvalidArgument);
    }

    #[tokio::test]
    async fn what_several_values_in_one_header_hold_is_taken_apart() {
        let options = CallOptions::new().metadata("x-bin", "YQ==").unwrap();
        let mut context = options.0;
        context.metadata.append("x-bin", "Yg, Yw==,_".parse().unwrap());
        context.scope(async { assert_eq!(Call::current().metadata_all("x-bin"), ["a", "b", "c"]) }).await;
    }

    #[tokio::test]
    async fn a_spawned_task_has_it_in_the_scope_of_the_call() {
        let options = CallOptions::new().metadata("x-a", "1").unwrap();
        options
            .scope(async {
                let call = Call::current();
                assert_eq!(tokio::spawn(async { seen("x-a") }).await.unwrap(), None);
                assert_eq!(tokio::spawn(call.scope(async { seen("x-a") })).await.unwrap().as_deref(), Some("1"));
            })
            .await;
    }

    #[test]
    fn debug_shows_no_values() {
        let text = format!("{:?}", CallOptions::new().metadata("x-token", "hunter2").unwrap());
        assert!(text.contains("x-token") && !text.contains("hunter2"), "{text}");
    }

    #[test]
    fn a_received_context_leaves_out_what_belongs_to_one_hop() {
        let mut headers = http::HeaderMap::new();
        headers.insert("grpc-timeout", http::HeaderValue::from_static("1S"));
        headers.insert("x-chainlink-org", http::HeaderValue::from_static("a"));
        let context = Context::received(None, &headers);
        assert_eq!(context.metadata.len(), 1);
    }
}
