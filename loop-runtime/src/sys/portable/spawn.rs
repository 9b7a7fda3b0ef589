//! Starting a process by means of the standard library.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::Pid;

use crate::sys::child::ChildProcess;

/// A program with its arguments and environment, ready to be started.
pub(crate) struct Program(Command);

impl Program {
    /// The file `program`, which is told that its name is `name`. The system cannot be asked to kill it together with this
    /// process (`_bound`): a plugin has to watch its parent by itself.
    ///
    /// # Errors
    ///
    /// None; what the system refuses is told by [`start`](Self::start).
    pub(crate) fn new<'a>(
        program: &OsStr,
        name: &OsStr,
        arguments: &[OsString],
        environment: impl IntoIterator<Item = (&'a OsString, &'a OsString)>,
        directory: Option<&Path>,
        _bound: bool,
    ) -> io::Result<Self> {
        let mut command = Command::new(program);
        command.arg0(name).args(arguments).env_clear().envs(environment).process_group(0);
        if let Some(directory) = directory {
            command.current_dir(directory);
        }
        // Whatever this process does with it: a program that ignores SIGCHLD, by inheritance, cannot wait for children of
        // its own.
        let heed_children = || {
            // SAFETY: the default action needs no code of this process's.
            unsafe { libc::signal(libc::SIGCHLD, libc::SIG_DFL) };
            Ok(())
        };
        // SAFETY: between fork and exec it makes one system call, which may be made there.
        unsafe { command.pre_exec(heed_children) };
        Ok(Self(command))
    }

    /// Starts it as the leader of a group of its own, with this process's stdin or none, and gives the reading ends of its
    /// stdout and stderr.
    ///
    /// # Errors
    ///
    /// What the system says; no process is left then.
    pub(crate) fn start(mut self, has_stdin: bool) -> io::Result<(ChildProcess, OwnedFd, OwnedFd)> {
        let stdin = if has_stdin { Stdio::inherit() } else { Stdio::null() };
        let mut child = self.0.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let process = ChildProcess::new(Pid::from_child(&child), None);
        match (child.stdout.take(), child.stderr.take()) {
            (Some(stdout), Some(stderr)) => Ok((process, stdout.into(), stderr.into())),
            _ => Err(io::Error::other("it has no pipes")),
        }
    }
}
