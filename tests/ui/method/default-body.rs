use std::sync::Arc;

use loop_runtime::{Result, loop_service};

#[loop_service(package = "acme.relayer.v1")]
trait Keystore {
    async fn sign(&self, digest: &[u8]) -> Result<Vec<u8>>;
}

struct Local;

impl Keystore for Local {
    async fn sign(&self, digest: &[u8]) -> Result<Vec<u8>> {
        Ok(digest.to_vec())
    }
}

#[loop_service(package = "acme.relayer.v1")]
trait Relayer {
    async fn height(&self) -> Result<u64>;

    async fn keys(&self) -> Result<Arc<dyn Keystore>> {
        Ok(Arc::new(Local))
    }

    async fn depth(&self) -> Result<u64> {
        Ok("seven")
    }

    async fn count(&self) -> Result<u32> {
        return Ok(7_u64);
    }
}

struct Evm;

impl Relayer for Evm {
    async fn height(&self) -> Result<u64> {
        Ok(7)
    }

}

async fn caller(relayer: Arc<dyn Relayer>) -> Result<u64> {
    relayer.height().await
}

fn shared() -> Arc<dyn Relayer> {
    Arc::new(Evm)
}

fn main() {}
