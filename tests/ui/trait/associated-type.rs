use std::sync::Arc;

use loop_runtime::{Result, loop_service};

#[loop_service(package = "acme.relayer.v1")]
trait Relayer {
    async fn height(&self) -> Result<u64>;

    type Config;
}

struct Evm;

impl Relayer for Evm {
    async fn height(&self) -> Result<u64> {
        Ok(7)
    }

    type Config = u32;
}

async fn caller(relayer: &impl Relayer) -> Result<u64> {
    relayer.height().await
}

fn main() {}
