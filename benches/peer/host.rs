//! A host by hand: exec, handshake line, dial, call; and once more when the plugin has died.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::plugin::SOCKETS;
use crate::service::{Client, DriveRequest, Peer};
use crate::shared::{COOKIE, Caller, FLAVOUR, Flavour, Load, Outcome, PLUGIN, Stack, load, obey};

pub(crate) async fn run(flavour: Flavour) -> Outcome<()> {
    let sockets = tempfile::tempdir()?;
    let plugin = Plugin::start(flavour, sockets.path()).await?;
    obey(&mut Host { flavour, sockets, plugin, caller: None }).await
}

struct Host {
    flavour: Flavour,
    sockets: tempfile::TempDir,
    plugin: Plugin,
    /// Calls through the host.
    caller: Option<Plugin>,
}

/// A process that was started; killed on drop.
struct Plugin {
    child: Child,
    client: Client,
}

impl Plugin {
    async fn start(flavour: Flavour, sockets: &Path) -> Outcome<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .env(PLUGIN, COOKIE)
            .env(FLAVOUR, flavour.name())
            .env(SOCKETS, sockets)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().ok_or("no stdout")?).read_line(&mut line).await?;
        let socket = line.trim_end().split('|').nth(3).ok_or("no handshake line")?;
        let client = Client::connect(Path::new(socket)).await?;
        Ok(Self { child, client })
    }

    async fn kill(&mut self) -> Outcome<()> {
        Ok(self.child.kill().await?)
    }
}

impl Host {
    fn proxy_socket(&self) -> PathBuf {
        self.sockets.path().join("proxy")
    }

    /// Serves `Echo` by calling the plugin, and starts the process that calls it.
    async fn set_up_proxy(&mut self) -> Outcome<Plugin> {
        let proxy = Peer { upstream: Some(self.plugin.client.clone()) };
        tokio::spawn(proxy.serve(&self.proxy_socket())?);
        Plugin::start(self.flavour, self.sockets.path()).await
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
        let mut plugin = Plugin::start(self.flavour, self.sockets.path()).await?;
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
        self.plugin = Plugin::start(self.flavour, self.sockets.path()).await?;
        self.plugin.client.echo(&[7; 64]).await?;
        Ok(took)
    }

    async fn recover(&mut self) -> Outcome<Duration> {
        let began = Instant::now();
        self.plugin.child.start_kill()?;
        while self.plugin.client.echo(&[7; 64]).await.is_err() {
            self.plugin.child.wait().await?;
            self.plugin = Plugin::start(self.flavour, self.sockets.path()).await?;
        }
        Ok(began.elapsed())
    }

    async fn broker(&mut self, _: usize) -> Outcome<Duration> {
        Err("there is no broker".into())
    }
}
