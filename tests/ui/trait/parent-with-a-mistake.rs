use std::sync::Arc;

use loop_runtime::{Result, loop_service};

#[loop_service(package = "acme.relayer.v1")]
trait Child: Relayer {
    async fn depth(&self) -> Result<u32>;
}

impl Child for Evm {
    async fn depth(&self) -> Result<u32> {
        Ok(1)
    }
}

async fn calls_the_child(child: Arc<dyn Child>) -> Result<u32> {
    child.depth().await
}

#[loop_service(package = "acme.relayer.v1")]
trait Relayer {
    async fn height(&self) -> Result<u64>;

    async fn submit(&mut self) -> Result<()>;
}

struct Evm;

impl Relayer for Evm {
    async fn height(&self) -> Result<u64> {
        Ok(7)
    }

    async fn submit(&mut self) -> Result<()> {
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
