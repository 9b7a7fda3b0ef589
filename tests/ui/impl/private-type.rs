use std::sync::Arc;

use loop_runtime::Result;

mod api {
    use loop_runtime::{LoopMessage, Result, loop_service};

    #[derive(LoopMessage)]
    struct Head {
        #[wire(1)]
        height: u64,
    }

    #[loop_service(package = "acme.relayer.v1")]
    pub trait Relayer {
        async fn head(&self) -> Result<Head>;
    }

    pub struct Evm;

    impl Relayer for Evm {
        async fn head(&self) -> Result<Head> {
            Ok(Head { height: 7 })
        }
    }
}

fn shared() -> Arc<dyn api::Relayer> {
    Arc::new(api::Evm)
}

fn main() {}
