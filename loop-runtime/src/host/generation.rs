//! One process of a plugin, from its start to its end.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::builder::{Settings, Source};
use super::event::{EndCause, Ended};
use super::mains::{Main, Mains};
use super::reattach::find;
use super::supervisor::Remains;
use super::{LaunchError, LaunchOptions, Process, launch};
#[cfg(feature = "mux")]
use crate::broker::Knocks;
use crate::broker::{BrokerEnd, BrokerTransport, exchange};
use crate::error::Error;
use crate::lived;
use crate::proto::plugin::Empty;
use crate::proto::plugin::grpc_controller_client::GrpcControllerClient;
use crate::service::{Link, PeerContext, Session, Wiring, settle};
use crate::socket_dir::PrivateDir;
#[cfg(feature = "mux")]
use crate::transport::MuxSession;
use crate::transport::{Connection, Stream};

/// A running process with its session. Dropped early, it ends together with its process.
pub(super) struct Generation {
    pub(super) number: u64,
    pub(super) session: Arc<Session>,
    pub(super) mains: Arc<Mains>,
    pub(super) version: u32,
    process: Arc<Process>,
    /// The streams of the runtime's own on the first main connection.
    streams: CancellationToken,
    broker_end: watch::Receiver<Option<EndCause>>,
    /// Removed when the generation has ended.
    _sockets: PrivateDir,
    started: Instant,
}

impl Generation {
    /// Starts a process and connects to it. `cancel` cancels the start.
    ///
    /// # Errors
    ///
    /// The error of [`launch`], or a connection that was refused; the process is gone then.
    pub(super) async fn start(
        settings: &Settings,
        source: &Source,
        number: u64,
        peer_context: &Arc<PeerContext>,
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
            cancel: cancel.clone(),
        };
        let process = match source {
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
            let (connection, driver) = Connection::open_beside(stream, &settings.calling, peer_context.signs())
                .await
                .map_err(std::io::Error::other)?;
            std::io::Result::Ok((connection, driver, route))
        };
        let connected = lived::within(settings.policy.start_timeout, connected);
        let Some(connected) = cancel.run_until_cancelled(connected).await else {
            if !process.is_left_alone() {
                process.kill();
                process.reap(settings.policy.reap_timeout).await;
            }
            return Err(LaunchError::CalledOff { stderr: process.stderr() });
        };
        let (connection, driver, route) = match connected.unwrap_or_else(|| Err(std::io::ErrorKind::TimedOut.into())) {
            Ok(connected) => connected,
            Err(why) => {
                if !process.is_left_alone() {
                    process.kill();
                    process.reap(settings.policy.reap_timeout).await;
                }
                let address = process.line().address.to_string();
                return Err(LaunchError::Connect { address, source: Arc::new(why), stderr: process.stderr() });
            }
        };
        let wiring = Wiring {
            route,
            security,
            dial_timeout: settings.dial_timeout,
            calling: settings.calling.clone(),
            serving: settings.serving.clone(),
        };
        let (session, announcements) = Session::assemble(&settings.name, number, wiring, peer_context.clone());
        let root = Link::adopt(&session, connection.clone(), driver, None, session.root().clone());
        let mains = Mains::new(&session, &process.line().address, root);
        let streams = CancellationToken::new();
        let (broker_ended, broker_end) = watch::channel(None);
        // Before any call: a plugin that takes few at a time refuses those beyond the first, and these two must not be among
        // them.
        let exchange = begun(exchange(connection, session.broker().clone(), announcements)).await;
        let let_go = streams.clone();
        session.tasks().spawn(async move {
            let why = match let_go.run_until_cancelled(exchange).await {
                Some(BrokerEnd::Without) | None => return,
                // In Go the first host takes it along; the services themselves can be called.
                _ if has_other_hosts => return,
                Some(BrokerEnd::Closed) => EndCause::ShutDown,
                Some(BrokerEnd::Lost) => EndCause::BrokerLost,
            };
            broker_ended.send_replace(Some(why));
        });
        let (let_go, followed) = (streams.clone(), begun(mains.clone().follow_stdio()).await);
        session.tasks().spawn(async move {
            let_go.run_until_cancelled(followed).await;
        });
        let version = process.line().version;
        let process = Arc::new(process);
        Ok(Self { number, session, mains, version, process, streams, broker_end, _sockets: sockets, started })
    }

    pub(super) fn pid(&self) -> u32 {
        self.process.pid()
    }

    pub(super) fn process(&self) -> &Arc<Process> {
        &self.process
    }

    pub(super) fn took(&self) -> Duration {
        self.started.elapsed()
    }

    /// Waits until the broker's stream has ended, and returns why: [`EndCause::ShutDown`] for an orderly end.
    pub(super) fn broker_ends(&self) -> impl Future<Output = EndCause> + Send + 'static {
        let mut end = self.broker_end.clone();
        async move {
            match end.wait_for(Option::is_some).await.map(|end| *end) {
                Ok(Some(why)) => why,
                // A plugin without a broker.
                Ok(None) | Err(_) => std::future::pending().await,
            }
        }
    }

    /// Waits until the main connection takes no new calls. `None`: it is retired; else why it has ended.
    pub(super) fn main_changes(&self) -> impl Future<Output = Option<EndCause>> + Send + 'static {
        let (changed, broker) = (self.mains.changes(), self.broker_ends());
        async move {
            match changed.await {
                Main::Retired => None,
                // The end of the broker's stream may still arrive, and tells an orderly end from a broken one.
                Main::Ended => {
                    let broker = tokio::time::timeout(settle::CONNECTIONS, broker).await;
                    Some(broker.unwrap_or(EndCause::ConnectionLost))
                }
            }
        }
    }

    /// Asks the process to shut down. The answer does not matter, Go's plugins give none.
    pub(super) fn shut_down(&self) -> impl Future<Output = ()> + Send + 'static {
        let mains = self.mains.clone();
        async move {
            let session = mains.session();
            let ask = async {
                let main = mains.usable().await.map_err(|error| error.to_string())?;
                let mut controller = GrpcControllerClient::new(main.connection().clone());
                controller.shutdown(Empty {}).await.map_err(|status| status.to_string())
            };
            if let Some(Err(error)) = session.ended().run_until_cancelled(ask).await {
                tracing::debug!(plugin = session.name(), error, "no answer to the shutdown call");
            }
        }
    }

    /// Ends the runtime's own streams, which a server in Go that stops gracefully waits for.
    pub(super) fn let_go(&self) {
        self.streams.cancel();
    }

    /// Ends its session, and returns whether the process has exited or is about to: it drops its connections an instant
    /// before it can be reaped.
    pub(super) async fn exits_soon(&self) -> bool {
        self.cut();
        tokio::time::timeout(settle::CONNECTIONS, self.process.exited()).await.is_ok()
    }

    /// Ends lending and calls: leases are cut, then links are dropped.
    pub(super) fn cut(&self) {
        self.session.end();
    }

    /// Kills and reaps the process, unless it is to live on: `leave`.
    pub(super) fn end(&self, leave: bool, reap: Duration) -> impl Future<Output = Remains> + Send + 'static {
        self.cut();
        if !leave {
            self.process.claim();
            self.process.kill();
        }
        let (process, uptime) = (self.process.clone(), self.took());
        async move {
            let exit = if leave { None } else { process.reap(reap).await };
            Remains { pid: process.pid(), exit, unreaped: exit.is_none() && !leave, stderr: process.stderr(), uptime }
        }
    }

    /// The last step: callers that lost a call learn how it ended, tasks end, sockets are removed.
    pub(super) async fn discard(self, ended: &Ended, bound: Duration) {
        self.session.set_epitaph(ended.to_string());
        // A lent handler that blocks its thread cannot be ended; it must not hold up the next start.
        let _ = tokio::time::timeout(bound, self.session.finished()).await;
    }
}

impl Settings {
    /// The stream of the main connection, over the socket that was dialled, and the transport of brokered ones.
    async fn reach(&self, socket: Stream, sockets: &PrivateDir) -> std::io::Result<(Stream, BrokerTransport)> {
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
            return Ok((Stream::Mux(main), BrokerTransport::Multiplexed(knocks)));
        }
        Ok((socket, BrokerTransport::sockets(sockets.path())))
    }
}

/// The same future, polled once: the call that it begins with is in the queue of its connection.
async fn begun<F: Future<Output: Send> + Send>(future: F) -> impl Future<Output = F::Output> + Send {
    let mut future = Box::pin(future);
    let first = poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await;
    async move {
        match first {
            Poll::Ready(output) => output,
            Poll::Pending => future.await,
        }
    }
}

/// The error that calls get while nothing runs.
pub(super) fn not_running(name: &str, why: &str) -> Error {
    Error::lost(false, format!("plugin not running: {name}: {why}"))
}
