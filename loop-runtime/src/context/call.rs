//! The call that is being handled.

use std::fmt;
use std::future::Future;
use std::time::Instant;

use bytes::Bytes;

use super::{Context, metadata};

/// The call that the current task is handling: its deadline, and the metadata that came with it.
///
/// ```
/// use loop_runtime::{Call, Result};
///
/// # struct Kv;
/// # impl Kv {
/// async fn get(&self, key: &str) -> Result<Vec<u8>> {
///     let call = Call::current();
///     tracing::info!(key, tenant = call.metadata("x-tenant"), "get");
///     # Ok(Vec::new())
/// }
/// # }
/// ```
///
/// It is a value: a clone may outlive the call and move to other tasks. A spawned task inherits nothing by itself:
/// [`scope`](Self::scope) makes its calls part of this one.
#[derive(Clone)]
pub struct Call(Context);

impl Call {
    /// The call of the current task, with what [`CallOptions`](crate::CallOptions) have set for it. Outside of any
    /// call, as where an implementation is called in process, it has no deadline and no metadata.
    pub fn current() -> Self {
        Self(Context::current())
    }

    /// The caller's deadline, if it set one.
    pub fn deadline(&self) -> Option<Instant> {
        self.0.deadline
    }

    /// The first value of the metadata `name`, if there is one and it is text. The values of a name that ends with `-bin` are
    /// in base64 here.
    pub fn metadata(&self, name: &str) -> Option<&str> {
        self.0.metadata.get(name)?.to_str().ok()
    }

    /// All values of the metadata `name`, in their order. Those of a name that ends with `-bin` are decoded; values
    /// that are not base64 are skipped.
    pub fn metadata_all(&self, name: &str) -> Vec<Bytes> {
        metadata::all_bytes(&self.0.metadata, name)
    }

    /// Runs `future` as a part of this call: calls inside it have its deadline and carry its metadata. For spawned
    /// tasks, which inherit neither. The end of the call does not cancel `future`.
    pub fn scope<F: Future>(self, future: F) -> impl Future<Output = F::Output> {
        self.0.scope(future)
    }
}

/// Values of metadata are left out: they may be secrets.
impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.debug("Call", f)
    }
}
