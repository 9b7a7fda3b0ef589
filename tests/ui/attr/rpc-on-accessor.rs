use std::sync::Arc;

use loop_runtime::{Result, loop_service};

#[loop_service(package = "acme.relayer.v1")]
trait Keystore {
    async fn sign(&self, digest: &[u8]) -> Result<Vec<u8>>;
}

#[loop_service(package = "acme.relayer.v1")]
trait Relayer {
    async fn height(&self) -> Result<u64>;

    #[rpc(idempotent)]
    fn keystore(&self) -> Arc<dyn Keystore>;
}

struct Evm;

impl Relayer for Evm {
    async fn height(&self) -> Result<u64> {
        Ok(7)
    }

    fn keystore(&self) -> Arc<dyn Keystore> {
        Arc::new(Keys)
    }
}

struct Keys;

impl Keystore for Keys {
    async fn sign(&self, digest: &[u8]) -> Result<Vec<u8>> {
        Ok(digest.to_vec())
    }
}

async fn caller(relayer: Arc<dyn Relayer>) -> Result<Vec<u8>> {
    relayer.keystore().sign(b"digest").await
}

fn main() {}
