//! Two plugins, and the handles that the callers use.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use loop_runtime::Result;
use loop_runtime::host::{Command, Host, RestartPolicy, State, Supervisor};
use tokio::task::JoinHandle;

use crate::HANDSHAKE;
use crate::events::{self, Told};
use crate::services::{Factory, Ledger, Provider, Relayer, Reporter, Works};
use crate::trace::{Site, Trace};

/// The budget of a plugin that has one.
pub(crate) const MAX_RESTARTS: u32 = 10;
pub(crate) const RESTART_WINDOW: Duration = Duration::from_secs(2);
/// A run as long as this clears the crashes before it.
pub(crate) const STABLE_AFTER: Duration = Duration::from_secs(1);

/// All numbers scaled down, so that everything that can happen does within a minute; the health tick is as short as
/// a busy machine allows.
fn policy(max_restarts: Option<u32>) -> RestartPolicy {
    let policy = RestartPolicy::default()
        .max_backoff(Duration::from_millis(50))
        .stable_after(STABLE_AFTER)
        .max_restarts(max_restarts)
        .restart_window(RESTART_WINDOW)
        .breaker_open(Duration::from_millis(200))
        .max_breaker_open(Duration::from_millis(400))
        .start_timeout(Duration::from_secs(5))
        .health_check_interval(Some(Duration::from_millis(200)))
        .shutdown_timeout(Duration::from_millis(500))
        .construct_timeout(Duration::from_secs(1))
        .redial_timeout(Duration::from_millis(100))
        .recovery_timeout(Duration::from_secs(5))
        .forward_timeout(Duration::from_millis(500))
        .drain_timeout(Duration::from_millis(200))
        .release_timeout(Duration::from_millis(200))
        .disconnect_timeout(Duration::from_millis(200))
        .close_timeout(Duration::from_millis(600))
        .construct_backoff(Duration::from_millis(10))
        .max_construct_backoff(Duration::from_millis(100));
    // Without a budget, nothing delays a test that kills in a row.
    policy.initial_backoff(if max_restarts.is_some() { Duration::from_millis(5) } else { Duration::ZERO })
}

pub(crate) struct World {
    pub(crate) dir: PathBuf,
    pub(crate) trace: Arc<Trace>,
    /// The plugin of the relayer, and that of the median.
    pub(crate) plugins: [Supervisor; 2],
    pub(crate) roots: [Arc<dyn Works>; 2],
    pub(crate) relayer: Arc<dyn Relayer>,
    pub(crate) provider: Arc<dyn Provider>,
    pub(crate) factory: Arc<dyn Factory>,
    pub(crate) reporter: Arc<dyn Reporter>,
    /// How often a plugin was reset.
    pub(crate) resets: AtomicU64,
    /// When each was reset last.
    last_reset: Mutex<[Option<Instant>; 2]>,
    /// Processes that were made silent, possibly for longer than a healthy one may be.
    pub(crate) silent: Mutex<HashSet<u32>>,
}

/// The program of a plugin: a link, so that it can be removed.
pub(crate) fn program(dir: &Path, plugin: usize) -> PathBuf {
    dir.join(["relaying", "reporting"][plugin])
}

pub(crate) fn link_program(dir: &Path, plugin: usize) {
    let this = std::env::current_exe().expect("this test");
    // It exists already if it was not removed.
    let _ = std::os::unix::fs::symlink(this, program(dir, plugin));
}

fn command(dir: &Path, plugin: usize) -> (String, Command) {
    let program = program(dir, plugin);
    let name = program.file_name().expect("a name").to_string_lossy().into_owned();
    let command = Command::new(&program).env(crate::DIR, dir).env("PLUGIN", &name);
    (name, command)
}

async fn launch(dir: &Path, plugin: usize, max_restarts: Option<u32>) -> Supervisor {
    link_program(dir, plugin);
    let (name, command) = command(dir, plugin);
    Host::new(HANDSHAKE).name(name).restart_policy(policy(max_restarts)).launch(command).await.expect("a plugin")
}

impl World {
    /// Launches both and makes all objects. The tasks end once both plugins are closed.
    pub(crate) async fn new(dir: &Path, max_restarts: Option<u32>) -> (Arc<Self>, Vec<JoinHandle<Told>>) {
        let trace = Arc::new(Trace::open(dir));
        let plugins = [launch(dir, 0, max_restarts).await, launch(dir, 1, max_restarts).await];
        let told =
            plugins.iter().map(|plugin| tokio::spawn(events::follow(plugin, max_restarts, trace.clone()))).collect();
        let roots: [Arc<dyn Works>; 2] =
            [plugins[0].dispense().await.expect("a root"), plugins[1].dispense().await.expect("a root")];
        let ledger = Notes(trace.clone());
        let relayer = roots[0].new_relayer("relayer", Arc::new(ledger)).await.expect("a relayer");
        let provider = relayer.new_provider("provider").await.expect("a provider");
        let factory = roots[1].new_factory("factory", provider.clone()).await.expect("a factory");
        let reporter = factory.new_reporter("reporter").await.expect("a reporter");
        let dir = dir.to_owned();
        let (resets, last_reset, silent) = (AtomicU64::new(0), Mutex::default(), Mutex::default());
        let world =
            Self { dir, trace, plugins, roots, relayer, provider, factory, reporter, resets, last_reset, silent };
        (Arc::new(world), told)
    }

    /// The command of a plugin, for another process of it.
    pub(crate) fn command(&self, which: usize) -> Command {
        command(&self.dir, which).1
    }

    pub(crate) fn reset(&self, which: usize) {
        self.resets.fetch_add(1, Ordering::Relaxed);
        self.last_reset.lock().expect("no panic")[which] = Some(Instant::now());
        self.plugins[which].reset();
    }

    /// Until when the breaker of the called plugin is open, if it is.
    pub(crate) fn open(&self, site: Site, call: u64) -> Option<Instant> {
        let which = match site {
            Site::Root => (call % 2) as usize,
            Site::Relayer | Site::Provider => 0,
            Site::Factory | Site::Reporter => 1,
        };
        // The state is set by a task, which may still have a reset to process.
        let fresh = Duration::from_secs(1);
        if self.last_reset.lock().expect("no panic")[which].is_some_and(|at| at.elapsed() < fresh) {
            return None;
        }
        match self.plugins[which].states().now() {
            State::Open { until } => Some(until),
            _ => None,
        }
    }

    pub(crate) async fn look(&self, site: Site, call: u64) -> Result<u64> {
        match site {
            Site::Root => self.roots[(call % 2) as usize].look(call).await,
            Site::Relayer => self.relayer.look(call).await,
            Site::Provider => self.provider.look(call).await,
            Site::Factory => self.factory.look(call).await,
            Site::Reporter => self.reporter.look(call).await,
        }
    }

    pub(crate) async fn submit(&self, site: Site, call: u64) -> Result<u64> {
        match site {
            Site::Root => self.roots[(call % 2) as usize].submit(call).await,
            Site::Relayer => self.relayer.submit(call).await,
            Site::Provider => self.provider.submit(call).await,
            Site::Factory => self.factory.submit(call).await,
            Site::Reporter => self.reporter.submit(call).await,
        }
    }
}

/// A unique number for a call.
pub(crate) fn next_call() -> u64 {
    static CALLS: AtomicU64 = AtomicU64::new(1);
    CALLS.fetch_add(1, Ordering::Relaxed)
}

/// The host's ledger.
struct Notes(Arc<Trace>);

impl Ledger for Notes {
    async fn note(&self, pid: u32) -> Result<()> {
        self.0.noted(pid);
        Ok(())
    }
}
