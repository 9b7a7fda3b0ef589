use std::sync::Arc;

use loop_runtime::{Result, loop_service};

#[loop_service(package = "acme.relayer.v1")]
trait Relayer {
    async fn height(&self) -> Result<u64>;

    async fn get<'a>(&self, key: &'a str) -> Result<u64>;
}

struct Evm;

impl Relayer for Evm {
    async fn height(&self) -> Result<u64> {
        Ok(7)
    }

    async fn get<'a>(&self, key: &'a str) -> Result<u64> {
        Ok(key.len() as u64)
    }
}

async fn caller(relayer: &impl Relayer) -> Result<u64> {
    relayer.get("key").await
}

fn main() {}
