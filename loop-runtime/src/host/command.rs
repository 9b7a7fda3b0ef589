//! The command that starts a plugin.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};

/// How to start a plugin: program, arguments, environment and directory. Nothing runs until it is launched, and
/// the same command is used for every restart, so that a replaced binary is picked up by the next one.
///
/// The environment of the host is *not* inherited, except for `RUST_LOG` ([in the plugin's words](super#logs)),
/// `RUST_BACKTRACE`, `TMPDIR` and what the host is told to pass on. Variables whose names the protocol owns (the cookie, `PLUGIN_PROTOCOL_VERSIONS` and its siblings)
/// are always set by the host.
///
/// ```
/// use loop_runtime::host::Command;
///
/// let command = Command::new("./kv-plugin").arg("--cache").arg("64").env("KV_FILE", "kv.db");
/// ```
#[derive(Clone, PartialEq, Eq)]
#[must_use = "a command does nothing before it is launched"]
pub struct Command {
    pub(super) program: OsString,
    pub(super) args: Vec<OsString>,
    pub(super) env: BTreeMap<OsString, OsString>,
    pub(super) current_dir: Option<PathBuf>,
    #[cfg(feature = "sha256")]
    pub(super) sha256: Option<super::Sha256>,
}

impl Command {
    /// A command that runs `program`. A name without a slash is looked up in the host's `PATH`; a relative path
    /// is relative to the host's directory, not to [`current_dir`](Self::current_dir).
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        Self {
            program: program.as_ref().to_owned(),
            args: Vec::new(),
            env: BTreeMap::new(),
            current_dir: None,
            #[cfg(feature = "sha256")]
            sha256: None,
        }
    }

    /// Adds one argument.
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    pub fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Sets an environment variable. It takes precedence over one that is passed on from the host.
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.env.insert(name.as_ref().to_owned(), value.as_ref().to_owned());
        self
    }

    /// Sets environment variables, as [`env`](Self::env) does.
    pub fn envs(mut self, all: impl IntoIterator<Item = (impl AsRef<OsStr>, impl AsRef<OsStr>)>) -> Self {
        self.env.extend(all.into_iter().map(|(name, value)| (name.as_ref().to_owned(), value.as_ref().to_owned())));
        self
    }

    /// Sets the working directory of the plugin; without it, the host's.
    pub fn current_dir(mut self, dir: impl AsRef<Path>) -> Self {
        self.current_dir = Some(dir.as_ref().to_owned());
        self
    }

    /// Starts the program only if its file has this digest, now and at every restart; go-plugin calls it SecureConfig.
    /// A file that differs is refused with [`LaunchError::Checksum`](super::LaunchError::Checksum), which is permanent:
    /// a plugin whose file was changed while it ran is given up when it has to be started again.
    ///
    /// The file is opened once, hashed, and that open file is executed, so that no other can take its place between the
    /// check and the start. Nobody but those who may be trusted should be able to *write* to the file; and the digest
    /// covers neither libraries nor what the program reads.
    ///
    /// Scripts are refused ([`LaunchError::CannotCheck`](super::LaunchError::CannotCheck)): what runs is their
    /// interpreter, which the digest does not cover. On systems other than Linux every program is refused, because they
    /// can execute only a path. On Linux `/proc` is needed, and tools that show a process's short name show a number;
    /// its arguments and `/proc/../exe` are as usual.
    ///
    /// ```
    /// use loop_runtime::host::Command;
    ///
    /// let digest = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae".parse()?;
    /// let command = Command::new("./kv-plugin").sha256(digest);
    /// # Ok::<(), loop_runtime::host::ParseSha256Error>(())
    /// ```
    #[cfg(feature = "sha256")]
    pub fn sha256(mut self, digest: super::Sha256) -> Self {
        self.sha256 = Some(digest);
        self
    }

    /// Whether the whole program is read before it is started.
    pub(super) fn is_checked(&self) -> bool {
        #[cfg(feature = "sha256")]
        return self.sha256.is_some();
        #[cfg(not(feature = "sha256"))]
        false
    }

    /// The file name of the program, for logs.
    pub(crate) fn name(&self) -> String {
        let file = Path::new(&self.program).file_name().unwrap_or(&self.program);
        file.to_string_lossy().into_owned()
    }
}

/// Values of variables are left out: they may be secrets.
impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Command")
            .field("program", &self.program)
            .field("args", &self.args)
            .field("env", &self.env.keys().collect::<Vec<_>>())
            .field("current_dir", &self.current_dir)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_values() {
        let text = format!("{:?}", Command::new("/bin/x").env("TOKEN", "hunter2"));
        assert!(text.contains("TOKEN") && !text.contains("hunter2"), "{text}");
    }

    #[test]
    fn is_named_after_its_file() {
        assert_eq!(Command::new("/opt/bin/median").name(), "median");
        assert_eq!(Command::new("median").name(), "median");
        assert_eq!(Command::new("..").name(), "..");
    }
}
