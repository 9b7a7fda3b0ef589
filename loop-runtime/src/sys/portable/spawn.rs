//! Starting a process by means of the standard library.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::Pid;

use crate::sys::child::ChildProcess;
use crate::sys::image::Image;

/// A program with its arguments and environment, ready to be started.
pub(crate) struct Program(Command);

impl Program {
    /// The file `program`, which is told that its name is `name`. The system cannot be asked to kill it together with this
    /// process (`_bound`): a plugin has to watch its parent by itself.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::InvalidInput`] on a zero byte.
    pub(crate) fn new<'a>(
        program: &OsStr,
        name: &OsStr,
        arguments: &[OsString],
        environment: impl IntoIterator<Item = (&'a OsString, &'a OsString)>,
        directory: Option<&Path>,
        _bound: bool,
    ) -> io::Result<Self> {
        let image = Image::new(program, name, arguments, environment)?;
        let mut command = Command::new(program);
        command.process_group(0);
        if let Some(directory) = directory {
            command.current_dir(directory);
        }
        let become_program = move || {
            // A program that ignores SIGCHLD, by inheritance from a parent that was careless, cannot wait for children of its
            // own.
            // SAFETY: the default action needs no code of this process's.
            unsafe { libc::signal(libc::SIGCHLD, libc::SIG_DFL) };
            // The standard library would go on with `execvp`, which has a shell try what the system cannot execute.
            Err(image.exec())
        };
        // SAFETY: between fork and exec it makes two system calls, which may be made there, and takes no memory.
        unsafe { command.pre_exec(become_program) };
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
