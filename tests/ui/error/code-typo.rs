use std::fmt::{Display, Formatter};
use std::sync::Arc;

use loop_runtime::{Error, LoopError, Result, loop_service};

#[derive(LoopError)]
#[message(package = "acme.ledger.v1")]
enum SubmitError {
    #[wire(1, code = FailedPreconditon)]
    Insufficient {
        #[wire(1)]
        needed: u64,
    },
    #[wire(transport)]
    Boundary(Error),
}

impl Display for SubmitError {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str("not taken")
    }
}

#[loop_service(package = "acme.ledger.v1")]
trait Ledger {
    async fn submit(&self, amount: u64) -> Result<u64, SubmitError>;
}

struct Empty;

impl Ledger for Empty {
    async fn submit(&self, amount: u64) -> Result<u64, SubmitError> {
        Err(SubmitError::Insufficient { needed: amount })
    }
}

async fn caller(ledger: Arc<dyn Ledger>) -> Result<u64, SubmitError> {
    let sum: u64 = ledger.submit(7).await?;
    Ok(sum)
}

fn shared() -> Arc<dyn Ledger> {
    Arc::new(Empty)
}

fn main() {}
