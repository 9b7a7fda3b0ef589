use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use loop_runtime::{Result, loop_service};

#[loop_service(package = "acme.relayer.v1")]
trait Keystore {
    async fn sign(&self, digest: &[u8]) -> Result<Vec<u8>>;
}

#[loop_service(package = "acme.relayer.v1")]
trait Relayer {
    async fn height(&self) -> Result<u64>;

    async fn keep(&self, counts: Rc<Vec<u8>>, last: &Cell<u8>) -> Result<()>;

    async fn lend(&self, keys: Rc<dyn Keystore>) -> Result<()>;
}

struct Evm;

impl Relayer for Evm {
    async fn height(&self) -> Result<u64> {
        Ok(7)
    }

    async fn keep(&self, counts: Rc<Vec<u8>>, last: &Cell<u8>) -> Result<()> {
        last.set(counts[0]);
        Ok(())
    }

    async fn lend(&self, _keys: Rc<dyn Keystore>) -> Result<()> {
        Ok(())
    }
}

async fn caller(relayer: Arc<dyn Relayer>) -> Result<u64> {
    relayer.height().await
}

fn shared() -> Arc<dyn Relayer> {
    Arc::new(Evm)
}

fn main() {}
