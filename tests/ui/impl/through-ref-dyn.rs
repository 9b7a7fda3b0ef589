use std::sync::Arc;

use loop_runtime::{Result, loop_service};

#[loop_service(package = "acme.relayer.v1")]
trait Relayer {
    async fn height(&self) -> Result<u64>;

    async fn submit(&self, payload: &[u8]) -> Result<u64>;
}

struct Good;

impl Relayer for Good {
    async fn height(&self) -> Result<u64> {
        Ok(7)
    }

    async fn submit(&self, payload: &[u8]) -> Result<u64> {
        Ok(payload.len() as u64)
    }
}

async fn caller(relayer: Arc<dyn Relayer>) -> Result<u64> {
    relayer.submit(b"payload").await
}

async fn borrowed(relayer: &dyn Relayer) -> Result<u64> {
    relayer.height().await
}

fn main() {}
