use std::sync::Arc;

use loop_runtime::Result;

mod api {
    use loop_runtime::{Result, loop_service};

    #[loop_service(package = "acme.relayer.v1")]
    pub trait Relayer {
        async fn height(&self) -> Result<u64>;
    }
}

async fn caller(relayer: Arc<dyn api::Relayer>) -> Result<u64> {
    relayer.height().await
}

fn main() {}
