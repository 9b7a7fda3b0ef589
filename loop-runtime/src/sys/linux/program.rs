//! Starting a process as [`spawn`](super::spawn) does it.

use std::ffi::{CString, OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use super::spawn::Start;
use crate::sys::child::ChildProcess;
use crate::sys::image::Image;

/// A program with its arguments and environment, ready to be started.
pub(crate) struct Program {
    image: Image,
    directory: Option<CString>,
    bound: bool,
}

impl Program {
    /// The file `program`, which is told that its name is `name`. With `bound` the system kills it when the *thread* that
    /// starts it ends.
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
        bound: bool,
    ) -> io::Result<Self> {
        let image = Image::new(program, name, arguments, environment)?;
        let directory = directory.map(|dir| CString::new(dir.as_os_str().as_bytes())).transpose()?;
        Ok(Self { image, directory, bound })
    }

    /// Starts it as the leader of a group of its own, with this process's stdin or none, and gives the reading ends of its
    /// stdout and stderr.
    ///
    /// # Errors
    ///
    /// What the system says; no process is left then.
    pub(crate) fn start(self, has_stdin: bool) -> io::Result<(ChildProcess, OwnedFd, OwnedFd)> {
        let (stdout, child_stdout) = pipe()?;
        let (stderr, child_stderr) = pipe()?;
        let null = if has_stdin { None } else { Some(File::open("/dev/null")?) };
        let start = Start {
            image: &self.image,
            stdin: null.as_ref().map(|null| null.as_fd()),
            stdout: child_stdout.as_fd(),
            stderr: child_stderr.as_fd(),
            directory: self.directory.as_deref(),
            bound_to_thread: self.bound,
        };
        Ok((start.run()?, stdout, stderr))
    }
}

/// A pipe, of which the child's end is not one of the descriptors that it takes the place of.
fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let (reader, writer) = io::pipe()?;
    Ok((reader.into(), rustix::io::fcntl_dupfd_cloexec(&writer, 3)?))
}
