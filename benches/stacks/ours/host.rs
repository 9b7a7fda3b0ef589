//! Our host.

#![allow(missing_docs, reason = "a bench")]

mod service;
#[path = "../shared/mod.rs"]
mod shared;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use loop_runtime::host::{Command, Host, State, Supervisor};
use rustix::process::{Pid, Signal, kill_process};

use service::{Client, Counter, Echo, HANDSHAKE, Work};
use shared::{Caller, FLAVOUR, Load, Outcome, Stack, load, obey};

fn main() -> ExitCode {
    shared::host(|flavour, program| async move {
        let command = Command::new(program).env(FLAVOUR, flavour.name());
        let (plugin, echo) = launch(&command).await?;
        let mut ours = Ours { command, plugin, echo, caller: None };
        let obeyed = obey(&mut ours).await;
        for plugin in ours.caller.iter().chain([&ours.plugin]) {
            plugin.close().await;
        }
        obeyed
    })
}

async fn launch(command: &Command) -> Outcome<(Supervisor, Client)> {
    let host = Host::new(HANDSHAKE);
    #[cfg(feature = "auto-mtls")]
    let host = if std::env::var_os(shared::AUTO_MTLS).is_some() { host.auto_mtls() } else { host };
    let plugin = host.launch(command.clone()).await?;
    let client = Client(plugin.dispense::<dyn Echo>().await?);
    Ok((plugin, client))
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

    /// Waits until a call is answered again; the crash is then reset, as after a stable run.
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

    async fn replace(&mut self) -> Outcome<Duration> {
        let echo = self.echo.clone();
        let client = move || std::future::ready(Box::new(echo.clone()));
        load::meanwhile(client, async { Ok(self.plugin.upgrade(self.command.clone()).await?) }).await
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
