use std::sync::Arc;

use loop_runtime::{Result, loop_service};

#[loop_service(pacakge = "acme.relayer.v1")]
unsafe trait Relayer {
    async fn height(&self) -> Result<u64>;

    async fn submit(&mut self, n: usize) -> Result<u64>;
    fn reset(&self);
}

struct Evm;

impl Relayer for Evm {
    async fn height(&self) -> Result<u64> {
        Ok(7)
    }
}

async fn caller(relayer: &impl Relayer) -> Result<u64> {
    relayer.height().await
}

fn main() {}
