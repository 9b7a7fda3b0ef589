#![allow(unused_variables)]

use std::sync::Arc;

use loop_runtime::{Result, Streaming, loop_service};

#[loop_service(package = "acme.relayer.v1")]
trait Relayer {
    async fn height(&self) -> Result<u64>;

    async fn send(&self, heads: &Streaming<u64>) -> Result<()>;
}

struct Evm;

impl Relayer for Evm {
    async fn height(&self) -> Result<u64> {
        Ok(7)
    }

    async fn send(&self, heads: &Streaming<u64>) -> Result<()> {
        unimplemented!()
    }
}

async fn caller(relayer: Arc<dyn Relayer>) -> Result<u64> {
    relayer.height().await
}

fn shared() -> Arc<dyn Relayer> {
    Arc::new(Evm)
}

fn main() {}
