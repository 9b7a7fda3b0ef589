use std::sync::Arc;

use loop_runtime::{LoopMessage, Result, loop_service};

#[loop_service(package = "acme.relayer.v1")]
trait Session {
    async fn next(&self) -> Result<u64>;
}

#[derive(LoopMessage)]
struct Head {
    #[wire(1)]
    height: u64,
}

#[loop_service(package = "acme.relayer.v1")]
trait Relayer {
    async fn height(&self) -> Result<u64>;

    #[rpc(once)]
    async fn tip(&self, session: Arc<dyn Session>) -> Result<Head>;
}

struct Evm;

impl Session for Evm {
    async fn next(&self) -> Result<u64> {
        Ok(1)
    }
}

impl Relayer for Evm {
    async fn height(&self) -> Result<u64> {
        Ok(7)
    }

    async fn tip(&self, _: Arc<dyn Session>) -> Result<Head> {
        Ok(Head { height: 1 })
    }
}

async fn caller(relayer: Arc<dyn Relayer>) -> Result<u64> {
    relayer.height().await
}

fn shared() -> Arc<dyn Relayer> {
    Arc::new(Evm)
}

fn main() {}
