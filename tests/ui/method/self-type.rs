use std::sync::Arc;

use loop_runtime::{Result, loop_service};

#[loop_service(package = "acme.relayer.v1")]
trait Relayer {
    async fn height(&self) -> Result<u64>;

    fn again(&self) -> Arc<Self>;

    async fn fork(&self) -> Result<Arc<Self>>;

    async fn all(&self) -> Result<Vec<Self>>;

    async fn join(&self, other: &Self) -> Result<()>;
}

struct Evm;

impl Relayer for Evm {
    async fn height(&self) -> Result<u64> {
        Ok(7)
    }

    fn again(&self) -> Arc<Self> {
        Arc::new(Evm)
    }

    async fn fork(&self) -> Result<Arc<Self>> {
        Ok(Arc::new(Evm))
    }

    async fn all(&self) -> Result<Vec<Self>> {
        Ok(vec![Evm])
    }

    async fn join(&self, _other: &Self) -> Result<()> {
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
