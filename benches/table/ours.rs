//! Our side: the services as traits, the plugin, and the host.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use loop_runtime::host::{Command, Host, State, Supervisor};
use loop_runtime::plugin::Plugin;
use loop_runtime::{Handshake, Result, loop_service};
use rustix::process::{Pid, Signal, kill_process};

use crate::shared::load::NAP;
use crate::shared::{COOKIE, Caller, FLAVOUR, Flavour, Load, Outcome, PLUGIN, Stack, load, obey};

const HANDSHAKE: Handshake = Handshake::new(PLUGIN, COOKIE).version(1);

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

/// What a plugin can be asked besides.
#[loop_service(package = "bench.v1")]
pub(crate) trait Work: Echo {
    /// Puts a load on `target`, and gives the nanoseconds that it took.
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

struct Worker;

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

pub(crate) async fn plugin() -> Outcome<()> {
    // Its exit status is nobody's concern: it is killed more often than not.
    Plugin::new(HANDSHAKE).serve::<dyn Work>(Arc::new(Worker)).await;
    Ok(())
}

pub(crate) async fn host(flavour: Flavour) -> Outcome<()> {
    let command = Command::new(std::env::current_exe()?).env(FLAVOUR, flavour.name());
    let (plugin, echo) = launch(&command).await?;
    let mut ours = Ours { command, plugin, echo, caller: None };
    let obeyed = obey(&mut ours).await;
    for plugin in ours.caller.iter().chain([&ours.plugin]) {
        plugin.close().await;
    }
    obeyed
}

async fn launch(command: &Command) -> Outcome<(Supervisor, Client)> {
    let plugin = Host::new(HANDSHAKE).launch(command.clone()).await?;
    let client = Client(plugin.dispense::<dyn Echo>().await?);
    Ok((plugin, client))
}

#[derive(Clone)]
struct Client(Arc<dyn Echo>);

impl Caller for Client {
    async fn echo(&mut self, data: &[u8]) -> Outcome<usize> {
        Ok(self.0.echo(data).await?.len())
    }

    async fn nap(&mut self) -> Outcome<()> {
        Ok(self.0.nap().await?)
    }
}

struct Ours {
    command: Command,
    plugin: Supervisor,
    echo: Client,
    /// Calls through the host.
    caller: Option<Supervisor>,
}

impl Ours {
    fn kill(&self) -> Outcome<()> {
        let pid = self.plugin.pid().and_then(|pid| Pid::from_raw(pid as i32)).ok_or("no process")?;
        Ok(kill_process(pid, Signal::KILL)?)
    }

    /// Until a call is answered again; the crash is then forgotten, as a stable run would have it.
    async fn back(&mut self) -> Outcome<()> {
        self.echo.echo(&[7; 64]).await?;
        Ok(())
    }
}

impl Stack for Ours {
    fn plugins(&self) -> Vec<u32> {
        [Some(&self.plugin), self.caller.as_ref()].into_iter().flatten().filter_map(Supervisor::pid).collect()
    }

    async fn unary(&mut self, load: Load) -> Outcome<Duration> {
        load::run(load, &self.echo).await
    }

    async fn proxy(&mut self, load: Load) -> Outcome<Duration> {
        let caller = match self.caller.take() {
            Some(caller) => caller,
            None => launch(&self.command).await?.0,
        };
        let work = caller.dispense::<dyn Work>().await?;
        self.caller = Some(caller);
        let Load { bytes, in_flight, calls } = load;
        let nanos = work.drive(self.echo.0.clone(), bytes as u64, in_flight as u64, calls as u64).await?;
        Ok(Duration::from_nanos(nanos))
    }

    async fn flood(&mut self, calls: usize) -> Outcome<Duration> {
        load::flood(calls, &self.echo).await
    }

    async fn start(&mut self) -> Outcome<Duration> {
        let began = Instant::now();
        let (plugin, mut client) = launch(&self.command).await?;
        client.echo(&[7; 64]).await?;
        let took = began.elapsed();
        plugin.close().await;
        Ok(took)
    }

    async fn notice(&mut self) -> Outcome<Duration> {
        let mut states = self.plugin.states();
        let began = Instant::now();
        self.kill()?;
        states.until(|state| !matches!(state, State::Running { .. })).await.ok_or("closed")?;
        let took = began.elapsed();
        self.back().await?;
        self.plugin.reset();
        Ok(took)
    }

    async fn recover(&mut self) -> Outcome<Duration> {
        let began = Instant::now();
        self.kill()?;
        self.back().await?;
        let took = began.elapsed();
        self.plugin.reset();
        Ok(took)
    }

    async fn broker(&mut self, times: usize) -> Outcome<Duration> {
        let work = self.plugin.dispense::<dyn Work>().await?;
        let began = Instant::now();
        for _ in 0..times {
            let counter = work.new_counter().await?;
            counter.next().await?;
            counter.close().await?;
        }
        Ok(began.elapsed())
    }
}
