//! One process of a plugin, from its start to its end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::builder::{Settings, Source};
use super::event::{Ended, What, Why};
use super::reattach::find;
use super::{Exit, LaunchError, LaunchOptions, Process, launch};
#[cfg(feature = "mux")]
use crate::broker::Knocks;
use crate::broker::{Broker, BrokerEnd, Route, exchange};
use crate::error::Error;
use crate::proto::plugin::Empty;
use crate::proto::plugin::grpc_controller_client::GrpcControllerClient;
use crate::service::{Family, Link, Session};
use crate::socket_dir::PrivateDir;
use crate::stdio::follow_stdio;
#[cfg(feature = "mux")]
use crate::transport::MuxSession;
use crate::transport::{Connection, Stream};

/// How many announcements wait to be sent: as many as services can be lent before the plugin reads.
const ANNOUNCEMENTS: usize = 64;

/// How long a process whose connections are gone has to show that it is gone itself, before it is killed.
const INSTANT: Duration = Duration::from_millis(20);

/// A running process with its session. [`Generation::end`] is the only way out.
pub(super) struct Generation {
    pub(super) number: u64,
    pub(super) session: Arc<Session>,
    pub(super) root: Arc<Link>,
    pub(super) version: u32,
    process: Arc<Process>,
    connection: Connection,
    broker_lost: CancellationToken,
    /// Removed when the generation has ended.
    _sockets: PrivateDir,
    started: Instant,
}

impl Generation {
    /// Starts a process and connects to it. `cancel` calls the start off.
    ///
    /// # Errors
    ///
    /// What [`launch`] says, or that the connection was refused; the process is gone then.
    pub(super) async fn start(
        settings: &Settings,
        number: u64,
        family: &Arc<Family>,
        cancel: CancellationToken,
    ) -> Result<Self, LaunchError> {
        let started = Instant::now();
        let sockets = PrivateDir::create()
            .map_err(|why| LaunchError::SocketDir { dir: why.dir, source: Arc::new(why.source) })?;
        let offer =
            settings.security.offer().map_err(|why| LaunchError::io("set up TLS", std::io::Error::other(why)))?;
        let options = LaunchOptions {
            name: settings.name.clone(),
            start_timeout: settings.policy.start_timeout,
            socket_dir: sockets.path().to_owned(),
            pass_env: settings.pass_env.clone(),
            parent_death: settings.parent_death,
            offer,
            #[cfg(feature = "mux")]
            multiplexed: settings.multiplexed,
            cancel,
        };
        let process = match &settings.source {
            Source::Command(command) => launch(command, &settings.handshake, &options).await?,
            Source::Running(plugin) => {
                let wait = options.start_timeout;
                let found = find(plugin, &settings.handshake, wait, &options.cancel).await?;
                Process::attached(found, &settings.name)
            }
        };
        let has_other_hosts = process.is_attached();
        let security = process.line().security.clone();
        let connected = async {
            let (stream, route) = settings.reach(Stream::connect(&process.line().address).await?, &sockets).await?;
            let stream = security.connect(stream).await?;
            let (connection, driver) =
                Connection::open(stream, &settings.calling).await.map_err(std::io::Error::other)?;
            std::io::Result::Ok((connection, driver, route))
        };
        let connected = tokio::time::timeout(settings.policy.start_timeout, connected).await;
        let (connection, driver, route) = match connected.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into())) {
            Ok(connected) => connected,
            Err(why) => {
                if !process.is_left_alone() {
                    process.kill();
                    process.reap(settings.policy.reap).await;
                }
                let address = process.line().address.to_string();
                return Err(LaunchError::Connect { address, source: Arc::new(why), stderr: process.stderr() });
            }
        };
        let (outgoing, announcements) = mpsc::channel(ANNOUNCEMENTS);
        let broker = Broker::new(route, security, settings.dial_timeout, outgoing);
        let limits = (settings.calling.clone(), settings.serving.clone());
        let session = Session::new(&settings.name, number, broker.clone(), limits, family.clone());
        let root = session.adopt(connection.clone(), driver, None, session.root().clone());
        let broker_lost = CancellationToken::new();
        let lost = broker_lost.clone();
        let exchange = exchange(connection.clone(), broker, announcements);
        session.tasks().spawn(async move {
            match exchange.await {
                BrokerEnd::Without => {}
                // In Go the first host takes it along; the services themselves can be called.
                BrokerEnd::Lost if has_other_hosts => {}
                BrokerEnd::Lost => lost.cancel(),
            }
        });
        let stdio = follow_stdio(connection.clone(), settings.name.clone());
        let ended = session.ended().clone();
        session.tasks().spawn(async move {
            ended.run_until_cancelled(stdio).await;
        });
        let version = process.line().version;
        let process = Arc::new(process);
        Ok(Self { number, session, root, version, process, connection, broker_lost, _sockets: sockets, started })
    }

    pub(super) fn pid(&self) -> u32 {
        self.process.pid()
    }

    pub(super) fn process(&self) -> &Arc<Process> {
        &self.process
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    pub(super) fn took(&self) -> Duration {
        self.started.elapsed()
    }

    /// Waits for the first sign that it is over.
    pub(super) async fn over(&self) -> Why {
        tokio::select! {
            biased;
            _ = self.process.exited() => Why::Exited,
            () = self.broker_lost.cancelled() => Why::BrokerLost,
            () = self.root.ended().cancelled() => Why::ConnectionLost,
        }
    }

    /// Asks the process to shut down and waits for that; the answer does not matter, Go's plugins give none.
    pub(super) async fn shut_down(&self, grace: Duration) {
        let mut controller = GrpcControllerClient::new(self.connection.clone());
        let ask = async {
            if let Err(status) = controller.shutdown(Empty {}).await {
                tracing::debug!(plugin = self.session.name(), %status, "no answer to the shutdown call");
            }
            self.process.exited().await
        };
        // What has not ended by then is killed.
        let _ = tokio::time::timeout(grace, ask).await;
    }

    /// Ends it, in an order that never varies: nothing can be lent or called any more, what was lent is cut, links are
    /// dropped, the process is killed and reaped, its sockets are removed.
    pub(super) async fn end(self, why: Why, reap: Duration, in_a_row: u32) -> (What, Option<What>) {
        let uptime = self.took();
        self.session.end();
        // A dying process drops its connections an instant before it can be reaped; that it exited says more.
        let dying = matches!(why, Why::ConnectionLost | Why::BrokerLost);
        let why = match dying {
            true if tokio::time::timeout(INSTANT, self.process.exited()).await.is_ok() => Why::Exited,
            _ => why,
        };
        self.process.kill();
        let left = self.process.is_left_alone() && why != Why::Exited;
        let exit: Option<Exit> = if left { None } else { self.process.reap(reap).await };
        let unreaped = (exit.is_none() && !left).then(|| What::Unreaped { generation: self.number, pid: self.pid() });
        let ended = Ended { generation: self.number, why, exit, stderr: self.process.stderr(), uptime, in_a_row };
        self.session.set_epitaph(ended.to_string());
        // A lent handler that blocks its thread cannot be ended; it must not hold up the next start.
        let _ = tokio::time::timeout(reap, self.session.finished()).await;
        (What::Ended(ended), unreaped)
    }
}

impl Settings {
    /// The stream of the main connection, over the socket that was dialled, and the way of brokered ones.
    async fn reach(&self, socket: Stream, sockets: &PrivateDir) -> std::io::Result<(Stream, Route)> {
        #[cfg(feature = "mux")]
        if self.multiplexed {
            let knocks = Knocks::new();
            let mut route = knocks.router();
            let name = self.name.clone();
            let (session, drive) = MuxSession::client(socket, move |stream| {
                if route(stream).is_some() {
                    tracing::warn!(plugin = name, "reset a stream that the plugin opened without an acked knock");
                }
            });
            // It ends with the last clone of the session: with the route.
            tokio::spawn(drive);
            let main = session.open().await?;
            knocks.attach(session);
            return Ok((Stream::Mux(main), Route::Multiplexed(knocks)));
        }
        Ok((socket, Route::sockets(sockets.path())))
    }
}

/// The error that calls get while nothing runs.
pub(super) fn not_running(name: &str, why: &str) -> Error {
    Error::lost(false, format!("{name} is not running: {why}"))
}
