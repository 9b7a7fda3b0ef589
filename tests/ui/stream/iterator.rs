#![allow(unused_variables)]

use loop_runtime::{Result, loop_service};

#[loop_service(package = "acme.relayer.v1")]
trait Relayer {
    async fn height(&self) -> Result<u64>;

    async fn heads(&self) -> Result<impl Iterator<Item = u64> + Send>;
}

struct Evm;

impl Relayer for Evm {
    async fn height(&self) -> Result<u64> {
        Ok(7)
    }

    async fn heads(&self) -> Result<impl Iterator<Item = u64> + Send> {
        Ok([1].into_iter())
    }
}

fn main() {}
