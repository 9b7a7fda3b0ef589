//! Where a median's numbers come from.

use loop_runtime::{Result, loop_service};

use crate::{BigInt, ReportTimestamp};

/// One number, observed anew for every round.
#[loop_service(package = "loop")]
pub trait DataSource {
    /// The number now, for the round `timestamp`; `None` if there is none, which makes the observation fail.
    #[rpc(idempotent)]
    async fn observe(&self, #[wire(name = "reportTimestamp")] timestamp: ReportTimestamp) -> Result<Option<BigInt>>;
}
