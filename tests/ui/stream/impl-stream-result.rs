#![allow(unused_variables)]

use loop_runtime::{Result, loop_service};

trait Stream {
    type Item;
}

struct Heads;

impl Stream for Heads {
    type Item = Result<u64>;
}

#[loop_service(package = "acme.relayer.v1")]
trait Relayer {
    async fn height(&self) -> Result<u64>;

    async fn heads(&self) -> Result<impl Stream<Item = Result<u64>> + Send>;
}

struct Evm;

impl Relayer for Evm {
    async fn height(&self) -> Result<u64> {
        Ok(7)
    }

    async fn heads(&self) -> Result<impl Stream<Item = Result<u64>> + Send> {
        Ok(Heads)
    }
}

fn main() {}
