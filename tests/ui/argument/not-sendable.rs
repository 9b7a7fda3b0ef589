use std::fmt::Debug;
use std::sync::Arc;

use loop_runtime::{Result, loop_service};

#[loop_service(package = "acme.relayer.v1")]
trait Relayer {
    async fn height(&self) -> Result<u64>;

    async fn watch(&self, on_head: impl Fn(u64)) -> Result<()>;

    async fn show(&self, value: &dyn Debug) -> Result<()>;

    async fn share(&self, value: Arc<dyn Debug>) -> Result<()>;

    async fn store<T: Debug>(&self, value: T) -> Result<()>;
}

struct Evm;

impl Relayer for Evm {
    async fn height(&self) -> Result<u64> {
        Ok(7)
    }

    async fn watch(&self, on_head: impl Fn(u64)) -> Result<()> {
        on_head(7);
        Ok(())
    }

    async fn show(&self, value: &dyn Debug) -> Result<()> {
        println!("{value:?}");
        Ok(())
    }

    async fn share(&self, value: Arc<dyn Debug>) -> Result<()> {
        println!("{value:?}");
        Ok(())
    }

    async fn store<T: Debug>(&self, value: T) -> Result<()> {
        println!("{value:?}");
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
