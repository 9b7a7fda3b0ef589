#![allow(unused_variables)]

use std::sync::Arc;

use loop_runtime::{Result, loop_service};

trait Stream {
    type Item;
}

#[loop_service(package = "acme.relayer.v1")]
trait Relayer {
    async fn height(&self) -> Result<u64>;

    async fn send(&self, heads: Box<dyn Stream<Item = Vec<u8>> + Send>) -> Result<()>;
}

struct Evm;

impl Relayer for Evm {
    async fn height(&self) -> Result<u64> {
        Ok(7)
    }

    async fn send(&self, heads: Box<dyn Stream<Item = Vec<u8>> + Send>) -> Result<()> {
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
