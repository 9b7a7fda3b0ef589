use std::time::Instant;
use std::sync::Arc;

use loop_runtime::{Result, loop_service};

struct Job;

#[loop_service(package = "acme.relayer.v1")]
trait Relayer {
    async fn height(&self) -> Result<u64>;

    async fn submit(&mut self, count: usize, at: Instant) -> Result<Job>;

    async fn wait(&self, until: Instant) -> Result<()>;

    async fn count(&self) -> u32;

    fn job(&self) -> Arc<Job>;
}

struct Evm;

impl Relayer for Evm {
    async fn height(&self) -> Result<u64> {
        Ok(7)
    }

    async fn submit(&mut self, _count: usize, _at: Instant) -> Result<Job> {
        Ok(Job)
    }

    async fn wait(&self, _until: Instant) -> Result<()> {
        Ok(())
    }

    async fn count(&self) -> u32 {
        0
    }

    fn job(&self) -> Arc<Job> {
        Arc::new(Job)
    }
}

async fn caller(relayer: Arc<dyn Relayer>) -> Result<u64> {
    relayer.height().await
}

fn shared() -> Arc<dyn Relayer> {
    Arc::new(Evm)
}

fn main() {}
