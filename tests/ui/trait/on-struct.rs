use loop_runtime::{Result, loop_service};

#[loop_service(package = "acme.relayer.v1")]
struct Evm;

impl Evm {
    async fn height(&self) -> Result<u64> {
        Ok(7)
    }
}

async fn caller(evm: &Evm) -> Result<u64> {
    evm.height().await
}

fn main() {}
