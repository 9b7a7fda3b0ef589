use std::sync::Arc;

use loop_runtime::{Result, loop_service};

#[loop_service(package = "acme.relayer.v1")]
trait Relayer {
    async fn height(&self) -> Result<u64>;

    fn tip(&self) -> impl Future<Output = Result<u64>> + Send;
}

struct Evm;

impl Relayer for Evm {
    async fn height(&self) -> Result<u64> {
        Ok(7)
    }

    fn tip(&self) -> impl Future<Output = Result<u64>> + Send {
        async { Ok(1) }
    }
}

async fn caller(relayer: &impl Relayer) -> Result<u64> {
    relayer.tip().await
}

fn main() {}
