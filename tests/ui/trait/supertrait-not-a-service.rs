use std::sync::Arc;

use loop_runtime::{Result, loop_service};

trait Named: Send + Sync + 'static {
    fn name(&self) -> String;
}

impl Named for Evm {
    fn name(&self) -> String {
        "evm".into()
    }
}

#[loop_service(package = "acme.relayer.v1")]
trait Relayer: Named {
    async fn height(&self) -> Result<u64>;
}

struct Evm;

impl Relayer for Evm {
    async fn height(&self) -> Result<u64> {
        Ok(7)
    }
}

async fn caller(relayer: Arc<dyn Relayer>) -> Result<u64> {
    relayer.height().await
}

fn shared() -> Arc<dyn Relayer> {
    Arc::new(Evm)
}

fn main() {}
