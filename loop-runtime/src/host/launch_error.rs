//! Why a plugin could not be started.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::Exit;

/// Why a plugin could not be started. When it is returned, the process, if there was one, is gone.
///
/// A `line` is what the plugin wrote to stdout, shortened, with everything but printable ASCII escaped.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LaunchError {
    /// The program, or the interpreter that it names, does not exist.
    #[error("cannot start `{}`: {what}", program.display())]
    NotFound {
        /// As in the command.
        program: PathBuf,
        /// What was looked for.
        what: &'static str,
    },
    /// The program may not be executed: a directory, or no permission.
    #[error("cannot start `{}`: not an executable file, or no permission to execute it", program.display())]
    NotExecutable {
        /// As in the command.
        program: PathBuf,
    },
    /// The file is executable, but for no system or processor known here.
    #[error("cannot start `{}`: it is no program for this system and processor", program.display())]
    WrongFormat {
        /// As in the command.
        program: PathBuf,
    },
    /// The program's file is not the one that the command asks for with [`Command::sha256`](super::Command::sha256).
    /// Nothing was started.
    #[cfg(feature = "sha256")]
    #[error("cannot start `{}`: its SHA-256 is {found}, and must be {expected}", program.display())]
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
    #[error("cannot start `{}` with a checksum: {why}", program.display())]
    CannotCheck {
        /// The path that was opened.
        program: PathBuf,
        /// What stands in the way.
        why: &'static str,
    },
    /// The working directory of the command cannot be entered.
    #[error("cannot start the plugin in the directory `{}`: {source}", dir.display())]
    Directory {
        /// As in the command.
        dir: PathBuf,
        /// What the system said.
        source: Arc<io::Error>,
    },
    /// No handshake line came in time. The process was killed.
    #[error("the plugin wrote no handshake line within {after:?}{stderr}")]
    StartTimeout {
        /// The start timeout.
        after: Duration,
        /// The end of its stderr.
        stderr: StderrTail,
    },
    /// The process ended before it had written its handshake line.
    #[error("the plugin exited before its handshake: {exit}{stderr}")]
    Exited {
        /// How it ended.
        exit: Exit,
        /// The end of its stderr.
        stderr: StderrTail,
        /// Its panic message, if it left one.
        panic: Option<String>,
    },
    /// The first line of stdout is no handshake line.
    #[error("unrecognized handshake line {line} from the plugin: {why}. {ADVICE}{stderr}")]
    Unrecognized {
        /// What came.
        line: String,
        /// What is wrong with it.
        why: String,
        /// The end of its stderr.
        stderr: StderrTail,
    },
    /// The plugin speaks another version of go-plugin's own protocol; only 1 exists.
    #[error("the plugin speaks core protocol {plugin}, and this host 1 (handshake line {line}){stderr}")]
    CoreVersion {
        /// What the plugin speaks.
        plugin: i64,
        /// What came.
        line: String,
        /// The end of its stderr.
        stderr: StderrTail,
    },
    /// Host and plugin have no version of the application's protocol in common.
    #[error(
        "the plugin speaks application protocol {plugin}, and this host {host:?}: one of them needs an update \
         (handshake line {line}){stderr}"
    )]
    ApplicationVersion {
        /// What the plugin offers: its lowest version, when it shares none with the host.
        plugin: i64,
        /// What the host speaks, highest first.
        host: Vec<u32>,
        /// What came.
        line: String,
        /// The end of its stderr.
        stderr: StderrTail,
    },
    /// The plugin does not speak gRPC.
    #[error("the plugin speaks `{protocol}`, and this host only `grpc` (handshake line {line}){stderr}")]
    Protocol {
        /// What it speaks; `netrpc` when the line does not say.
        protocol: String,
        /// What came.
        line: String,
        /// The end of its stderr.
        stderr: StderrTail,
    },
    /// The plugin listens on a kind of network that is neither `unix` nor `tcp`.
    #[error("the plugin listens on the unknown network `{network}` (handshake line {line}){stderr}")]
    Network {
        /// The network.
        network: String,
        /// What came.
        line: String,
        /// The end of its stderr.
        stderr: StderrTail,
    },
    /// The plugin's address cannot be one.
    #[error("the plugin's address cannot be dialled: {why} (handshake line {line}){stderr}")]
    Address {
        /// What is wrong with it.
        why: String,
        /// What came.
        line: String,
        /// The end of its stderr.
        stderr: StderrTail,
    },
    /// The plugin sent a TLS certificate, so it expects TLS, and the host did not ask for it.
    #[error("the plugin sent a certificate, but this host did not ask for TLS (handshake line {line}){stderr}")]
    Certificate {
        /// What came.
        line: String,
        /// The end of its stderr.
        stderr: StderrTail,
    },
    /// This host asked for TLS ([`Host::auto_mtls`](super::Host)), and the plugin sent no certificate: it was built
    /// without TLS, or does not know go-plugin's.
    #[error(
        "this host asked for TLS (AutoMTLS), and the plugin sent no certificate: it does not support it, or was built \
         without it (handshake line {line}){stderr}"
    )]
    NoCertificate {
        /// What came.
        line: String,
        /// The end of its stderr.
        stderr: StderrTail,
    },
    /// The plugin's TLS certificate cannot be used: it is none, or not now.
    #[error("the plugin's certificate cannot be used: {why} (handshake line {line}){stderr}")]
    BadCertificate {
        /// What is wrong with it.
        why: String,
        /// What came.
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
        "the plugin does not multiplex its connections, as this host demands: {why} (handshake line {line}){stderr}"
    )]
    NotMultiplexed {
        /// How it is known.
        why: String,
        /// What came.
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
        /// What the system said.
        source: Arc<io::Error>,
    },
    /// The configuration of a plugin to reattach to cannot be meant for this host.
    #[error("cannot reattach to the plugin: {why}")]
    Reattach {
        /// What is wrong with it.
        why: String,
    },
    /// The plugin started, and a set-up call that the host repeats on every new process, or its first questions, failed.
    #[error("the plugin started, but it could not be set up: {source}")]
    SetUp {
        /// What it answered, or how the call was lost.
        source: crate::error::Error,
    },
    /// The launch was called off: the plugin was closed meanwhile, or the host is ending.
    #[error("the launch was called off")]
    CalledOff,
    /// The system refused something: no memory, too many processes or files, the binary is just being written.
    #[error("cannot {what}: {source}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// What the system said.
        source: Arc<io::Error>,
    },
}

const ADVICE: &str = "A plugin may write nothing to stdout before that line (logs belong on stderr), and the program \
                      must be a plugin of this host";

impl LaunchError {
    /// Whether starting the same command again cannot help: the program has to be replaced or the configuration
    /// changed first. A supervisor gives up on these at once, and retries the others within its budget.
    pub fn is_permanent(&self) -> bool {
        match self {
            #[cfg(feature = "sha256")]
            Self::Checksum { .. } | Self::CannotCheck { .. } => true,
            Self::NotFound { .. }
            | Self::NotExecutable { .. }
            | Self::WrongFormat { .. }
            | Self::Directory { .. }
            | Self::CoreVersion { .. }
            | Self::ApplicationVersion { .. }
            | Self::Protocol { .. }
            | Self::Network { .. }
            | Self::ProcessNotFound { .. }
            | Self::Reattach { .. }
            | Self::Certificate { .. }
            | Self::NoCertificate { .. } => true,
            #[cfg(feature = "mux")]
            Self::NotMultiplexed { .. } => true,
            Self::StartTimeout { .. }
            | Self::Exited { .. }
            | Self::Unrecognized { .. }
            | Self::Address { .. }
            // The next process makes another one.
            | Self::BadCertificate { .. }
            | Self::SetUp { .. }
            | Self::CalledOff
            | Self::Io { .. } => false,
        }
    }

    pub(super) fn io(what: &'static str, source: impl Into<io::Error>) -> Self {
        Self::Io { what, source: Arc::new(source.into()) }
    }

    /// The same error with the end of stderr, where it has a place for it.
    pub(super) fn with_stderr(mut self, tail: StderrTail) -> Self {
        match &mut self {
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
            | Self::BadCertificate { stderr, .. } => *stderr = tail,
            #[cfg(feature = "mux")]
            Self::NotMultiplexed { stderr, .. } => *stderr = tail,
            #[cfg(feature = "sha256")]
            Self::Checksum { .. } | Self::CannotCheck { .. } => {}
            Self::NotFound { .. }
            | Self::NotExecutable { .. }
            | Self::WrongFormat { .. }
            | Self::Directory { .. }
            | Self::ProcessNotFound { .. }
            | Self::Reattach { .. }
            | Self::SetUp { .. }
            | Self::CalledOff
            | Self::Io { .. } => {}
        }
        self
    }
}

/// The last lines that a process wrote to stderr, oldest first, each shortened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StderrTail(Vec<String>);

impl StderrTail {
    pub(super) fn new(lines: Vec<String>) -> Self {
        Self(lines)
    }

    /// The lines.
    pub fn lines(&self) -> &[String] {
        &self.0
    }
}

/// Nothing if there are no lines, else a heading and one line each.
impl fmt::Display for StderrTail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.0.is_empty() {
            f.write_str("\nits last lines on stderr:")?;
        }
        self.0.iter().try_for_each(|line| write!(f, "\n  | {line}"))
    }
}
