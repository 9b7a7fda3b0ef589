use std::sync::Arc;

use loop_runtime::{Result, loop_service};

trait Store: Send + Sync {}

struct Disk;

impl Store for Disk {}

#[loop_service(package = "acme.relayer.v1")]
trait Relayer {
    async fn height(&self) -> Result<u64>;

    fn store(&self) -> Arc<dyn Store>;
}

struct Evm;

impl Relayer for Evm {
    async fn height(&self) -> Result<u64> {
        Ok(7)
    }

    fn store(&self) -> Arc<dyn Store> {
        Arc::new(Disk)
    }
}

async fn caller(relayer: Arc<dyn Relayer>) -> Result<u64> {
    relayer.height().await
}

fn shared() -> Arc<dyn Relayer> {
    Arc::new(Evm)
}

fn main() {}
