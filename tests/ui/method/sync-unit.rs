use std::sync::Arc;

use loop_runtime::{Result, loop_service};

#[loop_service(package = "acme.relayer.v1")]
trait Relayer {
    async fn height(&self) -> Result<u64>;

    fn reset(&self);
}

struct Evm;

impl Relayer for Evm {
    async fn height(&self) -> Result<u64> {
        Ok(7)
    }

    fn reset(&self) {

    }
}

async fn caller(relayer: Arc<dyn Relayer>) -> Result<u64> {
    relayer.reset();
    relayer.height().await
}

fn main() {}
