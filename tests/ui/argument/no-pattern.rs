use std::sync::Arc;

use loop_runtime::{Result, loop_service};

#[loop_service(package = "acme.relayer.v1")]
trait Relayer {
    async fn height(&self) -> Result<u64>;

    async fn by_ref(&self, ref height: u64) -> Result<()>;

    async fn at(&self, all @ (_, _): (u64, u64)) -> Result<()>;
}

struct Evm;

impl Relayer for Evm {
    async fn height(&self) -> Result<u64> {
        Ok(7)
    }

    async fn by_ref(&self, _height: u64) -> Result<()> {
        Ok(())
    }

    async fn at(&self, _all: (u64, u64)) -> Result<()> {
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
