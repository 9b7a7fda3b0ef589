use std::sync::Arc;

use loop_runtime::{Result, loop_service};

#[loop_service(package = "acme.relayer.v1")]
trait Relayer {
    async fn height(&self) -> Result<u64>;

    async fn open(url: &str) -> Result<u64>;
}

struct Evm;

impl Relayer for Evm {
    async fn height(&self) -> Result<u64> {
        Ok(7)
    }

    async fn open(url: &str) -> Result<u64> {
        Ok(url.len() as u64)
    }
}

async fn caller() -> Result<u64> {
    Evm::open("url").await
}

fn main() {}
