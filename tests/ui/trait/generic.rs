use loop_runtime::{Result, loop_service};

#[loop_service(package = "acme.relayer.v1")]
trait Relayer<C> {
    async fn height(&self) -> Result<u64>;
}

struct Evm;

impl Relayer<u32> for Evm {
    async fn height(&self) -> Result<u64> {
        Ok(7)
    }
}

async fn caller(relayer: &impl Relayer<u32>) -> Result<u64> {
    relayer.height().await
}

fn main() {}
