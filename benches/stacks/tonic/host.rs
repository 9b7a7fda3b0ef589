//! A host by hand: exec, handshake line, dial, call; and once more when the plugin has died.

#![allow(missing_docs, reason = "a bench")]

mod service;
#[path = "../shared/mod.rs"]
mod shared;

use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::{OwnedRwLockReadGuard, RwLock};

use service::{Client, DriveRequest, Peer};
use shared::{COOKIE, Caller, FLAVOUR, Flavour, Load, Outcome, PLUGIN, SOCKETS, Stack, load, obey};

fn main() -> ExitCode {
    shared::host(|flavour, program| async move {
        let start = Start { flavour, program, sockets: tempfile::tempdir()? };
        let plugin = start.plugin().await?;
        obey(&mut Host { start, plugin, caller: None }).await
    })
}

/// How plugins are started.
struct Start {
    flavour: Flavour,
    program: PathBuf,
    sockets: tempfile::TempDir,
}

struct Host {
    start: Start,
    plugin: Plugin,
    /// Calls through the host.
    caller: Option<Plugin>,
}

/// A process that was started; killed on drop.
struct Plugin {
    child: Child,
    client: Client,
}

impl Start {
    async fn plugin(&self) -> Outcome<Plugin> {
        let mut child = Command::new(&self.program)
            .env(PLUGIN, COOKIE)
            .env(FLAVOUR, self.flavour.name())
            .env(SOCKETS, self.sockets.path())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().ok_or("no stdout")?).read_line(&mut line).await?;
        let socket = line.trim_end().split('|').nth(3).ok_or("no handshake line")?;
        let client = Client::connect(Path::new(socket)).await?;
        Ok(Plugin { child, client })
    }
}

/// The current client, which is not replaced while a call is in flight.
struct Held {
    _guard: OwnedRwLockReadGuard<Client>,
    client: Client,
}

impl Held {
    fn new(guard: OwnedRwLockReadGuard<Client>) -> Self {
        let client = guard.clone();
        Self { _guard: guard, client }
    }
}

impl Deref for Held {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl DerefMut for Held {
    fn deref_mut(&mut self) -> &mut Client {
        &mut self.client
    }
}

impl Plugin {
    async fn kill(&mut self) -> Outcome<()> {
        Ok(self.child.kill().await?)
    }
}

impl Host {
    fn proxy_socket(&self) -> PathBuf {
        self.start.sockets.path().join("proxy")
    }

    /// Serves `Echo` by calling the plugin, and starts the process that calls it.
    async fn set_up_proxy(&mut self) -> Outcome<Plugin> {
        let proxy = Peer { upstream: Some(self.plugin.client.clone()) };
        tokio::spawn(proxy.serve(&self.proxy_socket())?);
        self.start.plugin().await
    }
}

impl Stack for Host {
    fn plugins(&self) -> Vec<u32> {
        [Some(&self.plugin), self.caller.as_ref()].into_iter().flatten().filter_map(|it| it.child.id()).collect()
    }

    async fn unary(&mut self, load: Load) -> Outcome<Duration> {
        load::run(load, &self.plugin.client).await
    }

    async fn proxy(&mut self, load: Load) -> Outcome<Duration> {
        let mut caller = match self.caller.take() {
            Some(caller) => caller,
            None => self.set_up_proxy().await?,
        };
        let request = DriveRequest {
            socket: self.proxy_socket().display().to_string(),
            bytes: load.bytes as u64,
            in_flight: load.in_flight as u64,
            calls: load.calls as u64,
        };
        let reply = caller.client.drive(request).await?;
        self.caller = Some(caller);
        Ok(Duration::from_nanos(reply.nanos))
    }

    async fn flood(&mut self, calls: usize) -> Outcome<Duration> {
        load::flood(calls, &self.plugin.client).await
    }

    async fn start(&mut self) -> Outcome<Duration> {
        let began = Instant::now();
        let mut plugin = self.start.plugin().await?;
        plugin.client.echo(&[7; 64]).await?;
        let took = began.elapsed();
        plugin.kill().await?;
        Ok(took)
    }

    async fn notice(&mut self) -> Outcome<Duration> {
        let began = Instant::now();
        self.plugin.child.start_kill()?;
        self.plugin.child.wait().await?;
        let took = began.elapsed();
        self.plugin = self.start.plugin().await?;
        self.plugin.client.echo(&[7; 64]).await?;
        Ok(took)
    }

    async fn recover(&mut self) -> Outcome<Duration> {
        let began = Instant::now();
        self.plugin.child.start_kill()?;
        while self.plugin.client.echo(&[7; 64]).await.is_err() {
            self.plugin.child.wait().await?;
            self.plugin = self.start.plugin().await?;
        }
        Ok(began.elapsed())
    }

    /// Starts another process, connects, and kills the old one when its calls are answered: nothing is set up in it.
    async fn replace(&mut self) -> Outcome<Duration> {
        let current = Arc::new(RwLock::new(self.plugin.client.clone()));
        let client = {
            let current = current.clone();
            move || {
                let current = current.clone();
                async move { Held::new(current.read_owned().await) }
            }
        };
        load::meanwhile(client, async {
            let mut next = self.start.plugin().await?;
            next.client.echo(&[7; 64]).await?;
            *current.write().await = next.client.clone();
            std::mem::replace(&mut self.plugin, next).kill().await
        })
        .await
    }

    async fn broker(&mut self, _: usize) -> Outcome<Duration> {
        Err("there is no broker".into())
    }
}
