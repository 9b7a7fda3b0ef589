//! Our services as traits, with the implementation of the plugin.

#![allow(dead_code, reason = "hosts need one half of it, plugins the other")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use loop_runtime::{Handshake, Result, loop_service};

use crate::shared::load::{self, NAP};
use crate::shared::{COOKIE, Caller, Load, Outcome, PLUGIN};

pub(crate) const HANDSHAKE: Handshake = Handshake::new(PLUGIN, COOKIE).version(1);

/// What is called.
#[loop_service(package = "bench.v1")]
pub(crate) trait Echo {
    /// Gives `data` back.
    #[rpc(idempotent)]
    async fn echo(&self, data: &[u8]) -> Result<Vec<u8>>;
    /// Takes its time.
    #[rpc(idempotent)]
    async fn nap(&self) -> Result<()>;
}

/// The plugin's other methods.
#[loop_service(package = "bench.v1")]
pub(crate) trait Work: Echo {
    /// Puts a load on `target`, and returns the nanoseconds that it took.
    async fn drive(&self, target: Arc<dyn Echo>, bytes: u64, in_flight: u64, calls: u64) -> Result<u64>;
    /// An object on a connection of its own.
    async fn new_counter(&self) -> Result<Arc<dyn Counter>>;
}

/// Counts.
#[loop_service(package = "bench.v1")]
pub(crate) trait Counter {
    /// The next number.
    async fn next(&self) -> Result<u64>;
    /// Nobody needs it any more.
    #[rpc(release)]
    async fn close(&self) -> Result<()>;
}

pub(crate) struct Worker;

impl Echo for Worker {
    async fn echo(&self, data: &[u8]) -> Result<Vec<u8>> {
        Ok(data.to_vec())
    }

    async fn nap(&self) -> Result<()> {
        tokio::time::sleep(NAP).await;
        Ok(())
    }
}

impl Work for Worker {
    async fn drive(&self, target: Arc<dyn Echo>, bytes: u64, in_flight: u64, calls: u64) -> Result<u64> {
        let load = Load { bytes: bytes as usize, in_flight: in_flight as usize, calls: calls as usize };
        let took = load::run(load, &Client(target)).await.map_err(|why| why.to_string())?;
        Ok(took.as_nanos() as u64)
    }

    async fn new_counter(&self) -> Result<Arc<dyn Counter>> {
        Ok(Arc::new(Count::default()))
    }
}

#[derive(Default)]
struct Count(AtomicU64);

impl Counter for Count {
    async fn next(&self) -> Result<u64> {
        Ok(self.0.fetch_add(1, Ordering::Relaxed))
    }

    async fn close(&self) -> Result<()> {
        Ok(())
    }
}

#[derive(Clone)]
pub(crate) struct Client(pub(crate) Arc<dyn Echo>);

impl Caller for Client {
    async fn echo(&mut self, data: &[u8]) -> Outcome<usize> {
        Ok(self.0.echo(data).await?.len())
    }

    async fn nap(&mut self) -> Outcome<()> {
        Ok(self.0.nap().await?)
    }
}
