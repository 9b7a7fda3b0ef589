//! The plugin's process: from the cookie to the last log line.
//!
//! [`Plugin`] does what go-plugin asks of a plugin, for hosts in Go and in Rust:
//!
//! 1. The magic cookie is checked before anything else. A person who runs the binary reads three lines; the exit code
//!    is 1 and stdout stays empty.
//! 2. The panic hook and, if the program has no `tracing` subscriber, [that of the log](#logs) are installed. Descriptor 1 is
//!    captured: what is printed from then on goes to the host's stdio subscription and never before the handshake line
//!    (what the program printed *earlier* would be taken for the line and fail the start).
//! 3. The service is made and started, a socket is bound in `PLUGIN_UNIX_SOCKET_DIR` or in a private directory, and
//!    the handshake line is written.
//! 4. It serves until the host calls Shutdown, SIGTERM comes, or the host is gone. SIGINT is ignored for the life of
//!    the process: Ctrl-C reaches the whole foreground group, and the host decides.
//! 5. At the end, calls in flight have one second, objects are dropped, connections and sockets are removed, the
//!    cleanup hooks run in the order in which they were given, and [`Plugin::serve`] returns. All of it, and whatever
//!    `main` does afterwards, has 2 s: hosts kill then, and a plugin ends by itself just before.
//!
//! If the host offers TLS (its certificate is in `PLUGIN_CLIENT_CERT`) and the feature `auto-mtls` is on, the plugin
//! answers with a certificate of its own in the handshake line, and every connection, whoever dials it, is mutual TLS
//! between the owners of these two. An offer that cannot be answered, because the feature is off or the certificate is
//! invalid, fails the start: the host could make no connection.
//!
//! The host counts as gone when the process that started the plugin has ended, and when all connections have been gone
//! for 10 s; with the feature `mux`, if the host multiplexes, when its one connection is gone. Processes that the plugin starts are its own: end them in a cleanup hook, or give them the parent-death
//! signal, for only a host of this runtime kills the whole process group.
//!
//! A plugin that cannot start prints one line on stderr and ends with code 1.
//!
//! # Logs
//!
//! Log with `tracing`, or with `log`: hosts in Go and in Rust show the records with level, target and fields, and those of the
//! spans around them ([`HclogLayer`] says in which form, [`host`](crate::host#logs) what a host in Rust makes of them).
//!
//! | the program has | what happens |
//! |---|---|
//! | neither a `tracing` subscriber nor a logger of the crate `log` | both are installed, with one filter: `RUST_LOG`, or [`Plugin::log_filter`] |
//! | a logger of `log` | the subscriber is installed, and the logger stays |
//! | a subscriber | nothing is: it adds [`HclogLayer`], and for `log` the bridge `tracing-log`, which `init()` of `tracing-subscriber` sets up with its default features |
//!
//! ```no_run
//! use loop_runtime::plugin::HclogLayer;
//! use tracing_subscriber::filter::LevelFilter;
//! use tracing_subscriber::prelude::*;
//!
//! // Before `Plugin::serve`:
//! tracing_subscriber::registry().with(HclogLayer::new()).with(LevelFilter::DEBUG).init();
//! ```
//!
//! What is printed, on stdout or stderr, is text: a host in Rust shows it at info level and one in Go at debug, line by line.
//! Print nothing before the plugin serves, and nothing that a reader should be able to filter. Key-values of `log` (its feature
//! `kv`) are left out, and where a record came from in the source is not said but for its module.

mod cookie;
mod duration;
mod environment;
mod error;
mod fixed;
mod listen_mode;
mod logging;
#[cfg(feature = "metrics-endpoint")]
mod metrics;
mod panics;
mod run;
mod serving;
mod socket;
mod stop;
mod test_mode;
mod version;
mod watch;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

pub use crate::reattach::{Reattach, ReattachError};
pub use crate::stdio::stderr::{SyncStderr, sync_stderr};
pub use crate::stdio::writer::HclogLayer;
pub use environment::{Database, EnvironmentError, LoopEnvironment, Mercury, Tracing, loop_environment};
#[allow(unused_imports, reason = "in-process serving, for `testing`")]
pub(crate) use serving::{Serving, ServingOptions};
#[allow(unused_imports, reason = "in-process serving, for `testing`")]
pub(crate) use stop::{Reason, Stop};
pub use test_mode::TestMode;

use crate::broker::DIAL_TIMEOUT;
use crate::handshake::Handshake;
use crate::service::{RootService, Service};
use crate::transport::Limits;
use serving::OnCall;

type Cleanup = Box<dyn FnOnce() -> Pin<Box<dyn Future<Output = ()> + Send>> + Send>;

/// The builder of a plugin's process. See the [module](self) for what it does.
///
/// ```no_run
/// use std::process::ExitCode;
/// use std::sync::Arc;
///
/// use loop_runtime::plugin::Plugin;
/// use loop_runtime::{Handshake, Result, loop_service};
///
/// const HANDSHAKE: Handshake = Handshake::new("CLOCK_PLUGIN", "hello").version(1);
///
/// #[loop_service(package = "clock")]
/// pub trait Clock {
///     /// Seconds since the epoch.
///     async fn now(&self) -> Result<u64>;
/// }
///
/// struct Stopped;
///
/// impl Clock for Stopped {
///     async fn now(&self) -> Result<u64> {
///         Ok(0)
///     }
/// }
///
/// #[tokio::main]
/// async fn main() -> ExitCode {
///     Plugin::new(HANDSHAKE)
///         .on_shutdown(|| async { tracing::info!("the last word") })
///         .serve::<dyn Clock>(Arc::new(Stopped))
///         .await
/// }
/// ```
#[must_use = "a plugin does nothing before it serves"]
pub struct Plugin {
    handshake: Handshake,
    limits: Limits,
    limits_are_set: bool,
    dial_timeout: Duration,
    cleanup: Vec<Cleanup>,
    on_call: Vec<OnCall>,
    log_filter: Option<String>,
    panic_hook: bool,
    outlives_host: bool,
    loop_environment: bool,
    #[cfg(feature = "metrics-endpoint")]
    metrics: Vec<metrics::Extra>,
}

impl fmt::Debug for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plugin")
            .field("handshake", &self.handshake)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

impl Plugin {
    /// A plugin of the kind that `handshake` names.
    pub fn new(handshake: Handshake) -> Self {
        Self {
            handshake,
            limits: Limits::server(),
            limits_are_set: false,
            dial_timeout: DIAL_TIMEOUT,
            cleanup: Vec::new(),
            on_call: Vec::new(),
            log_filter: None,
            panic_hook: true,
            outlives_host: false,
            loop_environment: false,
            #[cfg(feature = "metrics-endpoint")]
            metrics: Vec::new(),
        }
    }

    /// The longest request accepted from the host, in bytes; default 128 MiB. It takes precedence over the
    /// environment's (see [`loop_environment`](Self::loop_environment)).
    pub fn max_request(mut self, bytes: usize) -> Self {
        self.limits.max_receive = bytes;
        self.limits_are_set = true;
        self
    }

    /// How many calls of the host are handled at a time on one connection; further ones wait, in their order. At least
    /// 1: 0 is taken for 1. Default 65,536.
    pub fn max_calls_in_flight(mut self, calls: u32) -> Self {
        self.limits.max_in_flight = calls;
        self
    }

    /// How long a dial of a service that the host lends and its announcement wait for each other; default 5 s, as in
    /// go-plugin. With AutoMTLS, the TLS handshake is part of it.
    pub fn dial_timeout(mut self, timeout: Duration) -> Self {
        self.dial_timeout = timeout;
        self
    }

    /// Runs `cleanup` at the end, after the last call and after the objects were dropped. Hooks run one after another,
    /// in the order in which they were given, and share what is left of the plugin's last 1.4 s (0.2 s at least): a
    /// hook that takes longer is dropped, with those after it.
    pub fn on_shutdown<F, Fut>(mut self, cleanup: F) -> Self
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.cleanup.push(Box::new(|| Box::pin(cleanup())));
        self
    }

    /// Calls `seen` with the path (`/package.Service/Method`) of every call that arrives on a main connection, before
    /// it is answered: those of the plugin's own services, of health, reflection and Shutdown, the two streams, and
    /// unknown ones. It must not block.
    pub fn on_root_call(mut self, seen: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.on_call.push(Arc::new(seen));
        self
    }

    /// What is logged if `RUST_LOG` says nothing, in the syntax of `RUST_LOG`: levels by target, as in
    /// `info,my_plugin=trace`. Default: everything from debug on, without the transport's noise; a host filters by its
    /// own level. It is for records of the crate `log` too. Without effect in a program that has installed a `tracing`
    /// subscriber of its own.
    pub fn log_filter(mut self, filter: impl Into<String>) -> Self {
        self.log_filter = Some(filter.into());
        self
    }

    /// Keeps the process's panic hook. By default it is replaced by one that writes a panic in a task, which is caught,
    /// as one record of the log at error level, and any other as text that begins `panic: `, so that hosts report it as
    /// the cause of the end. There is a backtrace if `RUST_BACKTRACE` asks for it; hosts of this crate pass it on.
    pub fn keep_panic_hook(mut self) -> Self {
        self.panic_hook = false;
        self
    }

    /// Keeps the plugin running when its host is gone, because another host will reattach to it: see
    /// [`Host::reattach`](crate::host::Host::reattach). Only Shutdown and SIGTERM end it then. Hosts lend services, and
    /// are lent some, one after the other: the next one's turn comes when the connection of the last has ended.
    pub fn outlive_host(mut self) -> Self {
        self.outlives_host = true;
        self
    }

    /// Reads the environment that a Chainlink node gives its plugins ([`LoopEnvironment`]), and applies it: the limit
    /// of messages, and with the feature `metrics-endpoint` the port of `/metrics`, which is then required. An invalid
    /// variable fails the start, which names it.
    pub fn loop_environment(mut self) -> Self {
        self.loop_environment = true;
        self
    }

    /// Appends to the text of `/metrics` at each request, in Prometheus' text format: whole lines, under names that do
    /// not begin with `process_` or `loop_plugin_`. `/metrics` exists if the environment of a node is read
    /// ([`loop_environment`](Self::loop_environment)).
    #[cfg(feature = "metrics-endpoint")]
    pub fn metrics(mut self, write: impl Fn(&mut String) + Send + Sync + 'static) -> Self {
        self.metrics.push(Arc::new(write));
        self
    }

    /// Serves `service` until shutdown, and returns the process's exit code: return it from `main`.
    ///
    /// The code is 0 after Shutdown, SIGTERM and the end of the host, else 1. Dropping the future ends the service at
    /// once, without cleanup.
    pub async fn serve<S: Service + ?Sized>(self, service: Arc<S>) -> ExitCode {
        self.serve_with(|_| async { Ok::<_, std::convert::Infallible>(service) }).await
    }

    /// As [`serve`](Self::serve), with a service that is made only when the process is known to be run as a plugin:
    /// after the cookie, when logging works, for the application version that was chosen. What `make` prints on
    /// stdout is captured.
    ///
    /// If `make` fails, its text is printed and the code is 1. It has the host's start timeout (10 s, and 60 s in Go),
    /// and is dropped if shutdown is requested.
    pub async fn serve_with<S, E, F, Fut>(self, make: F) -> ExitCode
    where
        S: Service + ?Sized,
        E: fmt::Display,
        F: FnOnce(Starting) -> Fut,
        Fut: Future<Output = Result<Arc<S>, E>>,
    {
        let make = |starting| async {
            let service = make(starting).await.map_err(|why| why.to_string())?;
            let root = RootService::new(&service);
            root.start().await.map_err(|why| format!("the service does not start: {why}"))?;
            Ok(root)
        };
        // Boxed, because what `main` runs is on its stack, and more than once on its way there.
        Box::pin(run::run(self, make)).await
    }
}

/// What a service can know when it is made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Starting {
    /// The application protocol version, chosen from those of the [`Handshake`] and of the host.
    pub version: u32,
    /// The node's environment, if [`Plugin::loop_environment`] was asked for.
    pub environment: Option<LoopEnvironment>,
}
