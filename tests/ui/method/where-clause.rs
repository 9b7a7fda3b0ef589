use std::sync::Arc;

use loop_runtime::{Result, loop_service};

#[loop_service(package = "acme.relayer.v1")]
trait Relayer {
    async fn height(&self) -> Result<u64>;

    async fn get(&self) -> Result<u64>
    where
        Self: Unpin;
}

struct Evm;

impl Relayer for Evm {
    async fn height(&self) -> Result<u64> {
        Ok(7)
    }

    async fn get(&self) -> Result<u64>
    where
        Self: Unpin {
        Ok(1)
    }
}

async fn caller(relayer: &Evm) -> Result<u64> {
    relayer.get().await
}

fn main() {}
