//! The services of the plugins under test, and their implementations.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use loop_runtime::{Error, Result, loop_service};

/// The root of the plugin.
#[loop_service(package = "test.recovery.v1")]
pub(crate) trait Workshop {
    /// The process id.
    #[rpc(idempotent)]
    async fn pid(&self) -> Result<u32>;
    /// Answers later, and counts how often it did.
    async fn nap(&self, millis: u64) -> Result<()>;
    /// Notes `line` in the journal given, then waits for ever.
    async fn note_and_hang(&self, line: &str, journal: Arc<dyn Journal>) -> Result<()>;
    /// Blocks a thread of the runtime for ever, once there is a file `here`.
    async fn block(&self, here: &str) -> Result<()>;
    /// Ends the process in the middle of the call.
    async fn abort(&self) -> Result<()>;
    /// The same, as a call that may be repeated.
    #[rpc(idempotent)]
    async fn abort_always(&self) -> Result<()>;
    /// Makes a bench that writes to `journal`.
    async fn new_bench(&self, name: &str, journal: Arc<dyn Journal>) -> Result<Arc<dyn Bench>>;
    /// Makes a bench without a journal, whose count of calls nobody can bring back.
    #[rpc(once)]
    async fn new_counter(&self) -> Result<Arc<dyn Bench>>;
    /// Makes a bench that works with a tool of somebody else.
    async fn new_borrower(&self, tool: Arc<dyn Tool>) -> Result<Arc<dyn Bench>>;
    /// Sets the journal of the workshop, again after each restart.
    #[rpc(replay)]
    async fn open(&self, journal: Arc<dyn Journal>) -> Result<()>;
    /// Prepares the workshop, again after each restart; refused while there is a file at `unless`.
    #[rpc(replay)]
    async fn prepare(&self, unless: &str) -> Result<()>;
    /// Writes to the journal of the workshop.
    #[rpc(idempotent)]
    async fn write(&self, line: &str) -> Result<()>;
    /// Gives `data` back; not to be repeated, so that a loss is seen.
    async fn echo(&self, data: &[u8]) -> Result<Vec<u8>>;
    /// Lends a tool.
    fn tool(&self) -> Arc<dyn Tool>;
}

/// Made by a workshop.
#[loop_service(package = "test.recovery.v1")]
pub(crate) trait Bench {
    /// Process id, and how many calls this object has seen.
    #[rpc(idempotent)]
    async fn work(&self) -> Result<(u32, u64)>;
    /// Makes a part, which dies with the bench.
    async fn new_part(&self, name: &str) -> Result<Arc<dyn Part>>;
    /// Has the tool give `length` bytes, and tells how many came.
    #[rpc(idempotent)]
    async fn fetch(&self, length: u64) -> Result<u64>;
    /// Says that nobody needs the bench any more.
    #[rpc(release)]
    async fn close(&self) -> Result<()>;
}

/// Made by a bench.
#[loop_service(package = "test.recovery.v1")]
pub(crate) trait Part {
    /// Its name and the process id.
    #[rpc(idempotent)]
    async fn describe(&self) -> Result<(String, u32)>;
}

/// Forwarded from one plugin to another.
#[loop_service(package = "test.recovery.v1")]
pub(crate) trait Tool {
    /// Doubles.
    #[rpc(idempotent)]
    async fn double(&self, n: u64) -> Result<u64>;
    /// Gives `length` bytes.
    #[rpc(idempotent)]
    async fn fill(&self, length: u64) -> Result<Vec<u8>>;
    /// Not to be repeated: ends the process.
    async fn explode(&self) -> Result<()>;
}

/// Lent by the host.
#[loop_service(package = "test.recovery.v1")]
pub(crate) trait Journal {
    /// Keeps a line.
    async fn note(&self, line: &str) -> Result<()>;
}

/// Set for a plugin that makes no more benches of oak.
pub(crate) const REFUSING: &str = "RECOVERY_REFUSING";

/// How many naps were taken in this process.
pub(crate) static NAPS: AtomicU64 = AtomicU64::new(0);

/// The implementation in the plugin.
#[derive(Default)]
pub(crate) struct Shop {
    journal: std::sync::Mutex<Option<Arc<dyn Journal>>>,
}

impl Workshop for Shop {
    async fn pid(&self) -> Result<u32> {
        Ok(std::process::id())
    }

    async fn nap(&self, millis: u64) -> Result<()> {
        tokio::time::sleep(std::time::Duration::from_millis(millis)).await;
        NAPS.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    async fn note_and_hang(&self, line: &str, journal: Arc<dyn Journal>) -> Result<()> {
        journal.note(line).await?;
        std::future::pending().await
    }

    async fn block(&self, here: &str) -> Result<()> {
        std::fs::write(here, "").map_err(Error::other)?;
        loop {
            std::thread::park();
        }
    }

    async fn abort(&self) -> Result<()> {
        std::process::abort()
    }

    async fn abort_always(&self) -> Result<()> {
        std::process::abort()
    }

    async fn new_bench(&self, name: &str, journal: Arc<dyn Journal>) -> Result<Arc<dyn Bench>> {
        match name {
            "abort" => std::process::abort(),
            "oak" if std::env::var_os(REFUSING).is_some() => return Err(Error::failed_precondition("out of oak")),
            "refused" => return Err(Error::invalid_argument("no such bench")),
            _ => {}
        }
        journal.note(&format!("made {name}")).await?;
        Ok(Arc::new(Table { name: name.to_owned(), journal: Some(journal), tool: None, calls: AtomicU64::new(0) }))
    }

    async fn new_counter(&self) -> Result<Arc<dyn Bench>> {
        Ok(Arc::new(Table { name: "counter".into(), journal: None, tool: None, calls: AtomicU64::new(0) }))
    }

    async fn new_borrower(&self, tool: Arc<dyn Tool>) -> Result<Arc<dyn Bench>> {
        tool.double(1).await?;
        Ok(Arc::new(Table { name: "borrower".into(), journal: None, tool: Some(tool), calls: AtomicU64::new(0) }))
    }

    async fn open(&self, journal: Arc<dyn Journal>) -> Result<()> {
        *self.journal.lock().map_err(|_| "poisoned")? = Some(journal);
        Ok(())
    }

    async fn prepare(&self, unless: &str) -> Result<()> {
        if std::path::Path::new(unless).exists() { Err("not now".into()) } else { Ok(()) }
    }

    async fn write(&self, line: &str) -> Result<()> {
        let journal = self.journal.lock().map_err(|_| "poisoned")?.clone();
        journal.ok_or("the workshop was not opened")?.note(line).await
    }

    async fn echo(&self, data: &[u8]) -> Result<Vec<u8>> {
        Ok(data.to_vec())
    }

    fn tool(&self) -> Arc<dyn Tool> {
        Arc::new(Hammer)
    }
}

struct Table {
    name: String,
    journal: Option<Arc<dyn Journal>>,
    tool: Option<Arc<dyn Tool>>,
    calls: AtomicU64,
}

impl Bench for Table {
    async fn work(&self) -> Result<(u32, u64)> {
        if let Some(journal) = &self.journal {
            journal.note(&format!("work at {}", self.name)).await?;
        }
        if let Some(tool) = &self.tool {
            let n = tool.double(21).await?;
            return Ok((std::process::id(), n));
        }
        Ok((std::process::id(), self.calls.fetch_add(1, Ordering::Relaxed) + 1))
    }

    async fn new_part(&self, name: &str) -> Result<Arc<dyn Part>> {
        if name == "explode" {
            let tool = self.tool.as_ref().ok_or("no tool")?;
            tool.explode().await?;
        }
        Ok(Arc::new(Leg(format!("{} of {}", name, self.name))))
    }

    async fn fetch(&self, length: u64) -> Result<u64> {
        let tool = self.tool.as_ref().ok_or("no tool")?;
        Ok(tool.fill(length).await?.len() as u64)
    }

    async fn close(&self) -> Result<()> {
        if let Some(journal) = &self.journal {
            journal.note(&format!("closed {}", self.name)).await?;
        }
        Ok(())
    }
}

struct Leg(String);

impl Part for Leg {
    async fn describe(&self) -> Result<(String, u32)> {
        Ok((self.0.clone(), std::process::id()))
    }
}

struct Hammer;

impl Tool for Hammer {
    async fn double(&self, n: u64) -> Result<u64> {
        Ok(2 * n)
    }

    async fn fill(&self, length: u64) -> Result<Vec<u8>> {
        Ok(vec![7; usize::try_from(length).map_err(Error::other)?])
    }

    async fn explode(&self) -> Result<()> {
        std::process::abort()
    }
}
