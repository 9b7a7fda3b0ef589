use std::sync::Arc;

use loop_runtime::{Result, loop_service};

type RpcResult<T> = Result<T>;

#[loop_service(package = "acme.relayer.v1")]
trait Relayer {
    async fn height(&self) -> Result<u64>;

    async fn range(&self) -> RpcResult<(u64, u64)>;
}

struct Evm;

impl Relayer for Evm {
    async fn height(&self) -> Result<u64> {
        Ok(7)
    }

    async fn range(&self) -> RpcResult<(u64, u64)> {
        Ok((1, 7))
    }
}

async fn caller(relayer: Arc<dyn Relayer>) -> Result<u64> {
    relayer.height().await
}

fn shared() -> Arc<dyn Relayer> {
    Arc::new(Evm)
}

fn main() {}
