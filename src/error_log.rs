//! Where a job's errors are kept.

use loop_runtime::{Result, loop_service};

/// Errors that an operator sees beside the job.
#[loop_service(package = "loop")]
pub trait ErrorLog {
    /// Keeps one error.
    #[rpc(reply = "google.protobuf.Empty")]
    async fn save_error(&self, message: &str) -> Result<()>;
}
