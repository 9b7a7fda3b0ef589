//! The services of the two plugins, and their implementations, which leave a trace of everything that they run.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use loop_runtime::{Error, Result, loop_service};

use crate::trace::{Site, Trace};

/// The root of both plugins.
#[loop_service(package = "test.chaos.v1")]
pub(crate) trait Works {
    #[rpc(idempotent)]
    async fn look(&self, call: u64) -> Result<u64>;
    async fn submit(&self, call: u64) -> Result<u64>;
    async fn new_relayer(&self, name: &str, ledger: Arc<dyn Ledger>) -> Result<Arc<dyn Relayer>>;
    async fn new_factory(&self, name: &str, provider: Arc<dyn Provider>) -> Result<Arc<dyn Factory>>;
}

#[loop_service(package = "test.chaos.v1")]
pub(crate) trait Relayer {
    #[rpc(idempotent)]
    async fn look(&self, call: u64) -> Result<u64>;
    async fn submit(&self, call: u64) -> Result<u64>;
    async fn new_provider(&self, name: &str) -> Result<Arc<dyn Provider>>;
    #[rpc(release)]
    async fn close(&self) -> Result<()>;
}

/// Made by the relayer, forwarded to the factory.
#[loop_service(package = "test.chaos.v1")]
pub(crate) trait Provider {
    #[rpc(idempotent)]
    async fn look(&self, call: u64) -> Result<u64>;
    async fn submit(&self, call: u64) -> Result<u64>;
    #[rpc(release)]
    async fn close(&self) -> Result<()>;
}

#[loop_service(package = "test.chaos.v1")]
pub(crate) trait Factory {
    #[rpc(idempotent)]
    async fn look(&self, call: u64) -> Result<u64>;
    async fn submit(&self, call: u64) -> Result<u64>;
    async fn new_reporter(&self, name: &str) -> Result<Arc<dyn Reporter>>;
    #[rpc(release)]
    async fn close(&self) -> Result<()>;
}

/// Calls the provider in the other plugin.
#[loop_service(package = "test.chaos.v1")]
pub(crate) trait Reporter {
    #[rpc(idempotent)]
    async fn look(&self, call: u64) -> Result<u64>;
    async fn submit(&self, call: u64) -> Result<u64>;
    /// Closes the provider behind the back of the host that owns it.
    #[rpc(idempotent)]
    async fn close_provider(&self) -> Result<()>;
    #[rpc(release)]
    async fn close(&self) -> Result<()>;
}

/// Lent by the host.
#[loop_service(package = "test.chaos.v1")]
pub(crate) trait Ledger {
    #[rpc(idempotent)]
    async fn note(&self, pid: u32) -> Result<()>;
}

/// The reply to a call, so that a reply to another call is detected.
pub(crate) fn answer(site: Site, call: u64) -> u64 {
    call.wrapping_mul(31) + site as u64
}

/// What all objects of a plugin share.
#[derive(Clone)]
pub(crate) struct Ground {
    dir: PathBuf,
    trace: Arc<Trace>,
}

impl Ground {
    pub(crate) fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned(), trace: Arc::new(Trace::open(dir)) }
    }

    async fn run(&self, site: Site, call: u64) -> Result<u64> {
        self.trace.ran(site, call);
        // Long enough for a fault in the middle, now and then.
        tokio::time::sleep(Duration::from_millis(call % 4)).await;
        Ok(answer(site, call))
    }

    /// Runs the constructor of `name` in the object `parent`, as ordered by the schedule for this one time.
    async fn construct(&self, name: &str, parent: u64) -> Result<Instance> {
        self.trace.making(name);
        if claim(&self.dir, "refuse") {
            return Err("not now".into());
        }
        if claim(&self.dir, "refuse-for-good") || claim(&self.dir, &format!("refuse-{name}")) {
            return Err(Error::invalid_argument(format!("never {name}")));
        }
        if claim(&self.dir, "hang") {
            std::future::pending::<()>().await;
        }
        if claim(&self.dir, "crash") {
            std::process::abort();
        }
        static SERIALS: AtomicU64 = AtomicU64::new(1);
        let serial = SERIALS.fetch_add(1, Ordering::Relaxed);
        self.trace.made(name, serial, parent);
        Ok(Instance { ground: self.clone(), serial, parent })
    }
}

/// An object that a constructor made.
struct Instance {
    ground: Ground,
    serial: u64,
    parent: u64,
}

impl Instance {
    fn told(&self) -> Result<()> {
        self.ground.trace.told(self.serial, self.parent);
        Ok(())
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.ground.trace.gone(self.serial);
    }
}

/// Whether there is an order; it is carried out once.
pub(crate) fn claim(dir: &Path, order: &str) -> bool {
    std::fs::remove_file(dir.join(order)).is_ok()
}

impl Works for Ground {
    async fn look(&self, call: u64) -> Result<u64> {
        self.run(Site::Root, call).await
    }

    async fn submit(&self, call: u64) -> Result<u64> {
        self.run(Site::Root, call).await
    }

    async fn new_relayer(&self, name: &str, ledger: Arc<dyn Ledger>) -> Result<Arc<dyn Relayer>> {
        let instance = self.construct(name, 0).await?;
        ledger.note(std::process::id()).await?;
        Ok(Arc::new(Chain { instance, ledger }))
    }

    async fn new_factory(&self, name: &str, provider: Arc<dyn Provider>) -> Result<Arc<dyn Factory>> {
        let instance = self.construct(name, 0).await?;
        provider.look(0).await?;
        Ok(Arc::new(Median { instance, provider }))
    }
}

struct Chain {
    instance: Instance,
    ledger: Arc<dyn Ledger>,
}

impl Relayer for Chain {
    async fn look(&self, call: u64) -> Result<u64> {
        let answer = self.instance.ground.run(Site::Relayer, call).await?;
        self.ledger.note(std::process::id()).await?;
        Ok(answer)
    }

    async fn submit(&self, call: u64) -> Result<u64> {
        self.instance.ground.run(Site::Relayer, call).await
    }

    async fn new_provider(&self, name: &str) -> Result<Arc<dyn Provider>> {
        Ok(Arc::new(Feed(self.instance.ground.construct(name, self.instance.serial).await?)))
    }

    async fn close(&self) -> Result<()> {
        self.instance.told()
    }
}

struct Feed(Instance);

impl Provider for Feed {
    async fn look(&self, call: u64) -> Result<u64> {
        self.0.ground.run(Site::Provider, call).await
    }

    async fn submit(&self, call: u64) -> Result<u64> {
        self.0.ground.run(Site::Provider, call).await
    }

    async fn close(&self) -> Result<()> {
        self.0.told()
    }
}

struct Median {
    instance: Instance,
    provider: Arc<dyn Provider>,
}

impl Factory for Median {
    async fn look(&self, call: u64) -> Result<u64> {
        self.instance.ground.run(Site::Factory, call).await
    }

    async fn submit(&self, call: u64) -> Result<u64> {
        self.instance.ground.run(Site::Factory, call).await
    }

    async fn new_reporter(&self, name: &str) -> Result<Arc<dyn Reporter>> {
        let instance = self.instance.ground.construct(name, self.instance.serial).await?;
        Ok(Arc::new(Report { instance, provider: self.provider.clone() }))
    }

    async fn close(&self) -> Result<()> {
        self.instance.told()
    }
}

struct Report {
    instance: Instance,
    provider: Arc<dyn Provider>,
}

impl Reporter for Report {
    async fn look(&self, call: u64) -> Result<u64> {
        self.instance.ground.run(Site::Reporter, call).await?;
        self.provider.look(call).await
    }

    async fn submit(&self, call: u64) -> Result<u64> {
        self.instance.ground.run(Site::Reporter, call).await?;
        self.provider.submit(call).await
    }

    async fn close_provider(&self) -> Result<()> {
        self.provider.close().await
    }

    async fn close(&self) -> Result<()> {
        self.instance.told()
    }
}
