use std::sync::Arc;

use loop_runtime::{LoopMessage, Result, loop_service};

#[loop_service(package = "acme.relayer.v1")]
trait Keystore {
    async fn sign(&self, data: &[u8]) -> Result<Vec<u8>>;
}

#[derive(LoopMessage)]
struct Config {
    #[wire(1)]
    name: String,
    #[wire(2)]
    keystore: Arc<dyn Keystore>,
}

struct Keys;

impl Keystore for Keys {
    async fn sign(&self, data: &[u8]) -> Result<Vec<u8>> {
        Ok(data.to_vec())
    }
}

fn main() {
    loop_runtime::wire::encode(&Config { name: String::new(), keystore: Arc::new(Keys) });
}
