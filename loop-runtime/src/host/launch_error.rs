//! Why a plugin could not be started.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::{Exit, StderrTail};

/// Why a plugin could not be started. When it is returned, the process, if there was one, is gone.
///
/// A `line` is what the plugin wrote to stdout, shortened, with everything but printable ASCII escaped.
///
/// The first words of each text are the same in every release; [the list](crate::errors) says what to do.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LaunchError {
    /// The program, or the interpreter that it names, does not exist.
    #[error("plugin program not found: `{}`: {what}", program.display())]
    NotFound {
        /// As in the command.
        program: PathBuf,
        /// What was looked for.
        what: &'static str,
    },
    /// The program may not be executed: a directory, or no permission.
    #[error("plugin program not executable: `{}`: no regular file, or no permission to execute it", program.display())]
    NotExecutable {
        /// As in the command.
        program: PathBuf,
    },
    /// The file is executable, but not a valid executable for this platform.
    #[error("plugin program invalid: `{}`: not a valid executable for this platform", program.display())]
    WrongFormat {
        /// As in the command.
        program: PathBuf,
    },
    /// The program's file is not the one that the command asks for with [`Command::sha256`](super::Command::sha256).
    /// Nothing was started.
    #[cfg(feature = "sha256")]
    #[error("plugin program checksum mismatch: `{}`: expected SHA-256 {expected}, found {found}", program.display())]
    Checksum {
        /// The path that was opened.
        program: PathBuf,
        /// What the command asks for.
        expected: super::Sha256,
        /// What the file has.
        found: super::Sha256,
    },
    /// The command asks for a checksum, and what would be executed cannot be checked.
    #[cfg(feature = "sha256")]
    #[error("plugin program checksum unsupported: `{}`: {why}", program.display())]
    CannotCheck {
        /// The path that was opened.
        program: PathBuf,
        /// What stands in the way.
        why: &'static str,
    },
    /// The working directory of the command cannot be entered.
    #[error("plugin working directory unusable: `{}`: {source}", dir.display())]
    Directory {
        /// As in the command.
        dir: PathBuf,
        /// The error of the system.
        source: Arc<io::Error>,
    },
    /// No handshake line came before the start timeout. The process was killed.
    #[error(
        "plugin start timed out{}: no handshake line on stdout within {after:?}; the process was killed{stderr}\n\
         help: it can have longer with `RestartPolicy::start_timeout`; is the program a plugin?",
        stderr.named()
    )]
    StartTimeout {
        /// The start timeout.
        after: Duration,
        /// The end of its stderr.
        stderr: StderrTail,
    },
    /// The process ended before it had written its handshake line.
    #[error(
        "plugin exited before its handshake{}: {exit}{stderr}\n\
         help: it wrote no handshake line to stdout; a plugin that refuses to start says why on stderr",
        stderr.named()
    )]
    Exited {
        /// How it ended.
        exit: Exit,
        /// The end of its stderr.
        stderr: StderrTail,
    },
    /// The first line of stdout is not a handshake line.
    #[error(
        "unrecognized handshake line{}: {line}: {why}{stderr}\n\
         help: a plugin may write nothing to stdout before that line (logs belong on stderr), and the program must be a \
         plugin of this host",
        stderr.named()
    )]
    Unrecognized {
        /// The line that came.
        line: String,
        /// What is wrong with it.
        why: String,
        /// The end of its stderr.
        stderr: StderrTail,
    },
    /// The plugin speaks another version of go-plugin's own protocol; only 1 exists.
    #[error(
        "incompatible core protocol version{}: the plugin speaks {plugin}, and this host 1 (handshake line {line}){stderr}",
        stderr.named()
    )]
    CoreVersion {
        /// What the plugin speaks.
        plugin: i64,
        /// The line that came.
        line: String,
        /// The end of its stderr.
        stderr: StderrTail,
    },
    /// Host and plugin have no version of the application's protocol in common.
    #[error(
        "incompatible application protocol version{}: the plugin speaks {plugin}, and this host {host:?} (handshake line \
         {line}){stderr}\nhelp: one of them needs an update: see `Handshake::version` and `Handshake::also_versions`",
        stderr.named()
    )]
    ApplicationVersion {
        /// What the plugin offers: its lowest version, when it shares none with the host.
        plugin: i64,
        /// What the host speaks, highest first.
        host: Vec<u32>,
        /// The line that came.
        line: String,
        /// The end of its stderr.
        stderr: StderrTail,
    },
    /// The plugin does not speak gRPC.
    #[error(
        "unsupported plugin protocol{}: the plugin speaks `{protocol}`, and this host only `grpc` (handshake line \
         {line}){stderr}",
        stderr.named()
    )]
    Protocol {
        /// What it speaks; `netrpc` when the line does not say.
        protocol: String,
        /// The line that came.
        line: String,
        /// The end of its stderr.
        stderr: StderrTail,
    },
    /// The plugin listens on a kind of network that is neither `unix` nor `tcp`.
    #[error(
        "unsupported plugin network{}: `{network}` is neither `unix` nor `tcp` (handshake line {line}){stderr}",
        stderr.named()
    )]
    Network {
        /// The network.
        network: String,
        /// The line that came.
        line: String,
        /// The end of its stderr.
        stderr: StderrTail,
    },
    /// The plugin's address is invalid.
    #[error("invalid plugin address{}: {why} (handshake line {line}){stderr}", stderr.named())]
    Address {
        /// What is wrong with it.
        why: String,
        /// The line that came.
        line: String,
        /// The end of its stderr.
        stderr: StderrTail,
    },
    /// The plugin sent a TLS certificate, so it expects TLS, and the host did not ask for it.
    #[error(
        "unexpected TLS certificate{}: this host did not ask for TLS (handshake line {line}){stderr}\n\
         help: `Host::auto_mtls` asks for it",
        stderr.named()
    )]
    Certificate {
        /// The line that came.
        line: String,
        /// The end of its stderr.
        stderr: StderrTail,
    },
    /// This host asked for TLS ([`Host::auto_mtls`](super::Host)), and the plugin sent no certificate: it was built
    /// without TLS, or does not know go-plugin's.
    #[error(
        "missing TLS certificate{}: this host asked for TLS (AutoMTLS), and the plugin does not support it, or was built \
         without it (handshake line {line}){stderr}\nhelp: the feature `auto-mtls` is for plugins too",
        stderr.named()
    )]
    NoCertificate {
        /// The line that came.
        line: String,
        /// The end of its stderr.
        stderr: StderrTail,
    },
    /// The plugin's TLS certificate cannot be used: it is malformed, or not valid now.
    #[error("invalid TLS certificate{}: {why} (handshake line {line}){stderr}", stderr.named())]
    BadCertificate {
        /// What is wrong with it.
        why: String,
        /// The line that came.
        line: String,
        /// The end of its stderr.
        stderr: StderrTail,
    },
    /// The plugin does not multiplex its connections, and the host demands it ([`Host::multiplexed`]). Plugins in Go do
    /// since go-plugin 1.6, those made with this crate with the feature `mux`.
    ///
    /// [`Host::multiplexed`]: super::Host::multiplexed
    #[cfg(feature = "mux")]
    #[error(
        "plugin does not support multiplexing{}: {why} (handshake line {line}){stderr}\n\
         help: `Host::multiplexed` demands it; the feature `mux` is for plugins too",
        stderr.named()
    )]
    NotMultiplexed {
        /// How it is known.
        why: String,
        /// The line that came.
        line: String,
        /// The end of its stderr.
        stderr: StderrTail,
    },
    /// There is no plugin to reattach to: no such process, or nobody answers at its address. No process was touched.
    #[error("cannot reattach to process {pid} at {address}: {source}")]
    ProcessNotFound {
        /// The process id that was given.
        pid: u32,
        /// The address that was given.
        address: String,
        /// The error of the system.
        source: Arc<io::Error>,
    },
    /// The reattach configuration does not fit this host.
    #[error("cannot reattach to plugin: {why}")]
    Reattach {
        /// What is wrong with it.
        why: String,
    },
    /// The plugin started, and a repeated set-up call, or the probe for components, failed.
    #[error("plugin set-up failed: {source}")]
    SetUp {
        /// What it answered, or how the call was lost.
        source: crate::error::Error,
    },
    /// The plugin wrote its handshake line, and cannot be connected to at the address in it. The process was killed.
    #[error("cannot connect to plugin{}: {address}: {source}{stderr}", stderr.named())]
    Connect {
        /// The address in its handshake line.
        address: String,
        /// The error of the system, or of TLS.
        source: Arc<io::Error>,
        /// The end of its stderr.
        stderr: StderrTail,
    },
    /// No directory for the sockets of the plugin could be made. Each start makes a new one.
    #[error(
        "cannot create socket directory: in `{}`: {source}\n\
         help: it is made in the directory that `TMPDIR` names in the environment of this program, by default `/tmp`",
        dir.display()
    )]
    SocketDir {
        /// Where it was to be made.
        dir: PathBuf,
        /// The error of the system.
        source: Arc<io::Error>,
    },
    /// The launch was cancelled: the plugin was closed meanwhile, or the host is ending.
    #[error("plugin start cancelled{}: the plugin was closed, or the host is ending{stderr}", stderr.named())]
    CalledOff {
        /// The end of its stderr, if a process had been started.
        stderr: StderrTail,
    },
    /// There is no tokio runtime where the launch was called.
    #[error(
        "no tokio runtime: a plugin is launched, and its services are called, inside of one\n\
         help: `#[tokio::main]`, or `Runtime::block_on`"
    )]
    NoRuntime,
    /// The clock of the tokio runtime is paused, as in a test with `start_paused`. Its timers run ahead of a process, which
    /// would be given up at once.
    #[error(
        "tokio clock paused: its timers do not wait for a real process\n\
         help: leave out `start_paused`, or call `tokio::time::resume` before the launch"
    )]
    ClockPaused,
    /// The system refused something: no memory, too many processes or files, the binary is just being written.
    #[error("cannot {what}: {source}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// The error of the system.
        source: Arc<io::Error>,
    },
}

impl LaunchError {
    /// Whether starting the same command again cannot help: the program has to be replaced or the configuration
    /// changed first.
    ///
    /// Of a program that ran before, one that is [not there](Self::is_of_the_program) may be about to be replaced.
    pub fn is_permanent(&self) -> bool {
        match self {
            Self::Directory { .. }
            | Self::CoreVersion { .. }
            | Self::ApplicationVersion { .. }
            | Self::Protocol { .. }
            | Self::Network { .. }
            | Self::ProcessNotFound { .. }
            | Self::Reattach { .. }
            | Self::Certificate { .. }
            | Self::NoCertificate { .. }
            | Self::NoRuntime
            | Self::ClockPaused => true,
            #[cfg(feature = "mux")]
            Self::NotMultiplexed { .. } => true,
            Self::StartTimeout { .. }
            | Self::Exited { .. }
            | Self::Unrecognized { .. }
            | Self::Address { .. }
            // The next process makes another one.
            | Self::BadCertificate { .. }
            | Self::Connect { .. }
            | Self::SocketDir { .. }
            | Self::SetUp { .. }
            | Self::CalledOff { .. }
            | Self::Io { .. } => false,
            other => other.is_of_the_program(),
        }
    }

    /// Whether the program's file is at fault: it is absent, empty, not executable, not for this platform, or not the one
    /// with the checksum. Nothing was started.
    ///
    /// That is what a host sees for a moment while the program is being replaced (`rm p; cp new/p p`). So it is a mistake
    /// at the first launch, and [permanent](Self::is_permanent); of a plugin that ran before, it is worth another try.
    pub fn is_of_the_program(&self) -> bool {
        match self {
            Self::NotFound { .. } | Self::NotExecutable { .. } | Self::WrongFormat { .. } => true,
            #[cfg(feature = "sha256")]
            Self::Checksum { .. } | Self::CannotCheck { .. } => true,
            _ => false,
        }
    }

    pub(super) fn io(what: &'static str, source: impl Into<io::Error>) -> Self {
        Self::Io { what, source: Arc::new(source.into()) }
    }

    pub(super) fn called_off() -> Self {
        Self::CalledOff { stderr: StderrTail::default() }
    }

    /// The same error with the end of stderr, where it has a place for it.
    pub(super) fn with_stderr(mut self, tail: StderrTail) -> Self {
        if let Some(stderr) = self.stderr_mut() {
            *stderr = tail;
        }
        self
    }

    fn stderr_mut(&mut self) -> Option<&mut StderrTail> {
        match self {
            Self::StartTimeout { stderr, .. }
            | Self::Exited { stderr, .. }
            | Self::Unrecognized { stderr, .. }
            | Self::CoreVersion { stderr, .. }
            | Self::ApplicationVersion { stderr, .. }
            | Self::Protocol { stderr, .. }
            | Self::Network { stderr, .. }
            | Self::Address { stderr, .. }
            | Self::Certificate { stderr, .. }
            | Self::NoCertificate { stderr, .. }
            | Self::BadCertificate { stderr, .. }
            | Self::Connect { stderr, .. }
            | Self::CalledOff { stderr } => Some(stderr),
            #[cfg(feature = "mux")]
            Self::NotMultiplexed { stderr, .. } => Some(stderr),
            _ => None,
        }
    }
}
