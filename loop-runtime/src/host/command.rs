//! What to start.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};

/// How to start a plugin: program, arguments, environment and directory. Nothing runs until it is launched, and
/// the same command is used for every restart, so that a replaced binary is picked up by the next one.
///
/// The environment of the host is *not* inherited, except for `RUST_LOG`, `TMPDIR` and what the host is told to
/// pass on. Variables whose names the protocol owns (the cookie, `PLUGIN_PROTOCOL_VERSIONS` and its siblings)
/// are always set by the host.
///
/// ```
/// use loop_runtime::host::Command;
///
/// let command = Command::new("./kv-plugin").arg("--cache").arg("64").env("KV_FILE", "kv.db");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Command {
    pub(super) program: OsString,
    pub(super) args: Vec<OsString>,
    pub(super) env: BTreeMap<OsString, OsString>,
    pub(super) current_dir: Option<PathBuf>,
}

impl Command {
    /// A command that runs `program`. A name without a slash is looked up in the host's `PATH`; a relative path
    /// is relative to the host's directory, not to [`current_dir`](Self::current_dir).
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        Self { program: program.as_ref().to_owned(), args: Vec::new(), env: BTreeMap::new(), current_dir: None }
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

    /// Sets an environment variable. It wins over one that is passed on from the host.
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
