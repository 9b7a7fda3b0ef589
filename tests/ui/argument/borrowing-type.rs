use std::sync::Arc;

use loop_runtime::{LoopMessage, Result, loop_service};

#[derive(LoopMessage)]
struct Batch<'a> {
    #[wire(1)]
    name: &'a str,
}

#[loop_service(package = "acme.relayer.v1")]
trait Relayer {
    async fn height(&self) -> Result<u64>;

    async fn submit(&self, batch: Batch<'_>) -> Result<()>;
}

struct Evm;

impl Relayer for Evm {
    async fn height(&self) -> Result<u64> {
        Ok(7)
    }

    async fn submit(&self, batch: Batch<'_>) -> Result<()> {
        println!("{}", batch.name);
        Ok(())
    }
}

async fn caller(relayer: Arc<dyn Relayer>) -> Result<u64> {
    relayer.height().await
}

fn shared() -> Arc<dyn Relayer> {
    Arc::new(Evm)
}

fn main() {}
