//! The builder of a host: what to launch, and how.

use std::ffi::OsString;
use std::time::Duration;

use super::{Command, LaunchError, Reattach, RestartPolicy, Supervisor};
use crate::broker::DIAL_TIMEOUT;
use crate::handshake::Handshake;
use crate::transport::{Limits, TlsMode};

/// Launches plugins of one kind.
///
/// ```no_run
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// use loop_runtime::Handshake;
/// use loop_runtime::host::{Command, Host};
///
/// const HANDSHAKE: Handshake = Handshake::new("KV_PLUGIN", "hello").version(1);
///
/// let plugin = Host::new(HANDSHAKE).launch(Command::new("./kv-plugin")).await?;
/// plugin.close().await;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a host does nothing before it launches a plugin"]
pub struct Host {
    handshake: Handshake,
    name: Option<String>,
    policy: RestartPolicy,
    pass_env: Vec<OsString>,
    parent_death: bool,
    calling: Limits,
    serving: Limits,
    dial_timeout: Duration,
    security: TlsMode,
    #[cfg(feature = "mux")]
    multiplexed: bool,
}

/// Where the process comes from.
pub(super) enum Source {
    Command(Command),
    Running(Reattach),
}

/// What a supervisor needs to start its plugin, again and again.
pub(super) struct Settings {
    pub(super) handshake: Handshake,
    pub(super) name: String,
    pub(super) policy: RestartPolicy,
    pub(super) pass_env: Vec<OsString>,
    pub(super) parent_death: bool,
    pub(super) calling: Limits,
    pub(super) serving: Limits,
    pub(super) dial_timeout: Duration,
    pub(super) security: TlsMode,
    #[cfg(feature = "mux")]
    pub(super) multiplexed: bool,
}

impl Settings {
    /// Whether nothing about the connections was negotiated at the start of the process, so that any host of its
    /// handshake can dial some.
    pub(super) fn is_plain(&self) -> bool {
        !self.is_multiplexed() && matches!(self.security, TlsMode::Nothing)
    }

    pub(super) fn is_multiplexed(&self) -> bool {
        #[cfg(feature = "mux")]
        return self.multiplexed;
        #[cfg(not(feature = "mux"))]
        false
    }
}

impl Host {
    /// A host of plugins that know `handshake`.
    pub fn new(handshake: Handshake) -> Self {
        Self {
            handshake,
            name: None,
            policy: RestartPolicy::default(),
            pass_env: Vec::new(),
            parent_death: true,
            calling: Limits::client(),
            serving: Limits::server(),
            dial_timeout: DIAL_TIMEOUT,
            security: TlsMode::default(),
            #[cfg(feature = "mux")]
            multiplexed: false,
        }
    }

    /// The plugin's name in errors and events, and in the [targets of its log](super#logs). Default: the file name of its program.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// When the plugin is restarted, and the timeouts of the runtime.
    pub fn restart_policy(mut self, policy: RestartPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Passes the variable `name` of this process's environment on, if it is set. Nothing else is passed on but
    /// `RUST_LOG`, `RUST_BACKTRACE`, `TMPDIR` and what the command itself sets; variables named `PLUGIN_..` never are.
    pub fn pass_env(mut self, name: impl Into<OsString>) -> Self {
        self.pass_env.push(name.into());
        self
    }

    /// Whether the system kills the plugin when this process dies, however it dies. Linux only; on by default. Plugins
    /// of this crate watch their host themselves.
    pub fn parent_death_signal(mut self, on: bool) -> Self {
        self.parent_death = on;
        self
    }

    /// The longest reply accepted from the plugin, in bytes; default `i32::MAX`.
    pub fn max_reply(mut self, bytes: usize) -> Self {
        self.calling.max_receive = bytes;
        self
    }

    /// The longest request accepted from the plugin by services lent to it, in bytes; default 128 MiB.
    pub fn max_request(mut self, bytes: usize) -> Self {
        self.serving.max_receive = bytes;
        self
    }

    /// How many calls of the plugin to a service lent to it are handled at a time on one connection; further ones wait,
    /// in their order. At least 1: 0 is taken for 1. Default 65,536.
    pub fn max_calls_in_flight(mut self, calls: u32) -> Self {
        self.serving.max_in_flight = calls;
        self
    }

    /// How long a brokered dial and its announcement wait for each other; default 5 s, as in go-plugin.
    pub fn dial_timeout(mut self, timeout: Duration) -> Self {
        self.dial_timeout = timeout;
        self
    }

    /// Secures every connection with mutual TLS, as go-plugin's AutoMTLS does: the main one and those of objects, whoever
    /// dials them. For each process that it starts, the host makes a certificate, gives it to the plugin in
    /// `PLUGIN_CLIENT_CERT`, and trusts nobody but the owner of the one that comes back in the handshake line. Keys never
    /// leave their process.
    ///
    /// Without it, whoever may open the plugin's sockets may call it: processes of the same user (the sockets are in a
    /// directory of that user's). TLS is for hosts and plugins that insist on it, and for plugins that listen on TCP.
    /// Each connection costs a handshake, of about a millisecond.
    ///
    /// A plugin that sends no certificate, because it was built without TLS, fails the launch with
    /// [`LaunchError::NoCertificate`]. Plugins of this crate need the feature `auto-mtls` too, and nothing else.
    #[cfg(feature = "auto-mtls")]
    pub fn auto_mtls(mut self) -> Self {
        self.security = TlsMode::Tls;
        self
    }

    /// Opens one connection to the plugin's process; all others, in both directions, are streams of it. A plugin that
    /// does not support that is refused with [`LaunchError::NotMultiplexed`]: those of this crate need the feature
    /// `mux` too, and nothing else. Such a plugin cannot be reattached to.
    ///
    /// It is for hosts that count file descriptors, and for plugins that are reached through one socket, as in a container;
    /// and a plugin notices the end of its host by it. Calls take somewhat longer than over sockets of their own, lent and
    /// made services are dialled one at a time, and at most 4,096 of these connections are open at once. A dial of a service
    /// that nobody serves fails only after the dial timeout, and other dials wait for that.
    #[cfg(feature = "mux")]
    pub fn multiplexed(mut self) -> Self {
        self.multiplexed = true;
        self
    }

    /// Starts the plugin and supervises it from then on. Must be called inside a tokio runtime.
    ///
    /// Dropping the future cancels the start; the process is killed.
    ///
    /// # Errors
    ///
    /// The first start is attempted once: its error is returned, permanent or not. [`LaunchError::NoRuntime`] and
    /// [`LaunchError::ClockPaused`] come at once.
    pub async fn launch(&self, command: Command) -> Result<Supervisor, LaunchError> {
        super::surroundings::check()?;
        let name = self.name.clone().unwrap_or_else(|| command.name());
        Supervisor::start(self.settings(name), Source::Command(command)).await
    }

    /// Reattaches to a running plugin, and supervises it from then on. Must be called inside a tokio runtime.
    ///
    /// The process was started by another host: [`Supervisor::close`] asks it to shut down, and kills it if it does
    /// not; dropping the handles, and any failure, only disconnects. In [test mode](Reattach::test) closing disconnects
    /// too. When the connection is lost, the address is dialled again; when the process has ended, the plugin is given
    /// up, since this host cannot start it.
    ///
    /// This host does not see what the plugin writes to stderr: the pipe belongs to the host that started it. There is
    /// no TLS, and no multiplexing. Services can be lent to a plugin in Go only if no host had opened its broker
    /// before; one of this crate that [outlives its host](crate::plugin::Plugin::outlive_host) serves its hosts one
    /// after the other, as does one in test mode.
    ///
    /// # Errors
    ///
    /// [`LaunchError::ProcessNotFound`] if the address accepts no connection, or there is no such process;
    /// [`LaunchError::Reattach`] if the plugin speaks another protocol, or another version of the application protocol,
    /// or if this host asks for TLS or multiplexing, which are negotiated at the start of a process.
    pub async fn reattach(&self, plugin: Reattach) -> Result<Supervisor, LaunchError> {
        super::surroundings::check()?;
        #[cfg(feature = "mux")]
        if self.multiplexed {
            let why = "its one connection belongs to the host that started it, and this one multiplexes";
            return Err(LaunchError::Reattach { why: why.to_owned() });
        }
        let name = self.name.clone().unwrap_or_else(|| format!("process {}", plugin.pid));
        let settings = self.settings(name);
        if !settings.is_plain() {
            let why = "TLS and multiplexing are agreed upon when a process is started".to_owned();
            return Err(LaunchError::Reattach { why });
        }
        Supervisor::start(settings, Source::Running(plugin)).await
    }

    fn settings(&self, name: String) -> Settings {
        Settings {
            handshake: self.handshake,
            name,
            policy: self.policy.clone(),
            pass_env: self.pass_env.clone(),
            parent_death: self.parent_death,
            calling: self.calling.clone(),
            serving: self.serving.clone(),
            dial_timeout: self.dial_timeout,
            security: self.security,
            #[cfg(feature = "mux")]
            multiplexed: self.multiplexed,
        }
    }
}
