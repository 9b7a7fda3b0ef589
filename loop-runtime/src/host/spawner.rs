//! The one thread that starts all plugins. The one that [reaps](super::reaper) them is another.
//!
//! On Linux a child can ask to be killed when its parent dies, but "parent" there is the *thread* that forked it.
//! Threads of a runtime come and go, and each that goes would take healthy plugins with it. So this thread starts
//! them all, and never ends.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, IsTerminal as _};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use rustix::fs::Access;
use rustix::io::Errno;
use tokio::sync::oneshot;

use super::process::{Child, REAP};
use super::{Command, LaunchError, registry};
use crate::sys::os::Program;

/// A command with everything looked up that can be looked up beforehand.
pub(super) struct Prepared {
    program: Program,
    named: PathBuf,
    /// Open until the process has been started from it.
    #[cfg(feature = "sha256")]
    _checked: Option<super::checksum::Checked>,
}

/// A child, and the ends of its pipes.
pub(super) struct Spawned {
    pub(super) child: Child,
    pub(super) stdout: OwnedFd,
    pub(super) stderr: OwnedFd,
}

impl Prepared {
    /// Checks what can be checked, so that the common mistakes get an error of their own. It blocks while a program
    /// with a checksum is read.
    pub(super) fn new<'a>(
        command: &Command,
        environment: impl IntoIterator<Item = (&'a OsString, &'a OsString)> + Clone,
        parent_death: bool,
    ) -> Result<Self, LaunchError> {
        let named = PathBuf::from(&command.program);
        let program = locate(&named)?;
        #[cfg(feature = "sha256")]
        let checked = command.sha256.map(|expected| super::checksum::Checked::open(&program, expected)).transpose()?;
        #[cfg(feature = "sha256")]
        let file = checked.as_ref().map_or_else(|| program.clone(), super::checksum::Checked::path);
        #[cfg(not(feature = "sha256"))]
        let file = &program;
        if let Some(dir) = &command.current_dir {
            check_dir(dir)?;
        }
        let (file, name, dir) = (file.as_os_str(), program.as_os_str(), command.current_dir.as_deref());
        let program = Program::new(file, name, &command.args, environment, dir, parent_death)
            .map_err(|error| LaunchError::io("pass the command to the system", error))?;
        Ok(Self {
            program,
            named,
            #[cfg(feature = "sha256")]
            _checked: checked,
        })
    }

    /// Starts the process, on the thread that calls.
    fn spawn(self) -> Result<Spawned, LaunchError> {
        if registry::is_ending() {
            return Err(LaunchError::called_off());
        }
        let (process, stdout, stderr) = self.program.start(has_stdin()).map_err(|error| refused(&self.named, error))?;
        let child =
            Child::adopt(process).map_err(|error| LaunchError::io("watch for the end of the process", error))?;
        if !registry::add(child.core()) {
            child.kill();
            child.core().wait_until(Instant::now() + REAP);
            return Err(LaunchError::called_off());
        }
        Ok(Spawned { child, stdout, stderr })
    }
}

/// Starts the process on the spawner thread. When the future is dropped, the process is killed.
pub(super) async fn spawn(prepared: Prepared) -> Result<Spawned, LaunchError> {
    let (give, take) = oneshot::channel();
    let job = Box::new(move || {
        // If nobody waits any more, this drops the child, which kills it.
        let _ = give.send(prepared.spawn());
    });
    submit(job).map_err(|error| LaunchError::io("start a thread", error))?;
    take.await.unwrap_or_else(|_| Err(LaunchError::called_off()))
}

type Job = Box<dyn FnOnce() + Send>;

fn submit(mut job: Job) -> io::Result<()> {
    static SPAWNER: Mutex<Option<Sender<Job>>> = Mutex::new(None);
    let mut spawner = SPAWNER.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(sender) = &*spawner {
        match sender.send(job) {
            Ok(()) => return Ok(()),
            // The thread has ended, which it never does by itself.
            Err(unsent) => job = unsent.0,
        }
    }
    let (sender, jobs) = std::sync::mpsc::channel::<Job>();
    thread::Builder::new().name("plugin-spawner".into()).spawn(move || {
        for job in jobs {
            job();
        }
    })?;
    sender.send(job).map_err(|_| io::Error::other("the spawner thread has ended"))?;
    *spawner = Some(sender);
    Ok(())
}

/// A plugin gets the host's stdin, as in go-plugin, but no terminal: it is in a background process group, and the
/// first read would stop it.
fn has_stdin() -> bool {
    !io::stdin().is_terminal()
}

/// The absolute path of a program: looked up in `PATH` if it has no slash, else relative to the host's directory.
fn locate(program: &Path) -> Result<PathBuf, LaunchError> {
    let not_found = |what| LaunchError::NotFound { program: program.to_owned(), what };
    if program.as_os_str().as_encoded_bytes().contains(&b'/') {
        return match usable(program) {
            Some(true) => std::path::absolute(program).map_err(|error| LaunchError::io("find the program", error)),
            Some(false) => Err(LaunchError::NotExecutable { program: program.to_owned() }),
            None => Err(not_found("there is no such file")),
        };
    }
    let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
    let candidates = || std::env::split_paths(&path).map(|dir| dir.join(program));
    let first = if program == OsStr::new("") { None } else { candidates().find(|file| usable(file) == Some(true)) };
    match first {
        Some(file) => std::path::absolute(file).map_err(|error| LaunchError::io("find the program", error)),
        None => Err(not_found("there is no program of that name in PATH")),
    }
}

/// Whether a file can be executed; `None` if there is none.
fn usable(file: &Path) -> Option<bool> {
    let meta = match fs::metadata(file) {
        Ok(meta) => meta,
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Some(false),
        Err(_) => return None,
    };
    Some(meta.is_file() && rustix::fs::access(file, Access::EXEC_OK).is_ok())
}

fn check_dir(dir: &Path) -> Result<(), LaunchError> {
    let checked = fs::metadata(dir).and_then(|meta| {
        if meta.is_dir() { Ok(rustix::fs::access(dir, Access::EXEC_OK)?) } else { Err(Errno::NOTDIR.into()) }
    });
    checked.map_err(|source| LaunchError::Directory { dir: dir.to_owned(), source: Arc::new(source) })
}

/// What the system's refusal to execute a file means, given that the file exists and looks executable.
fn refused(program: &Path, error: io::Error) -> LaunchError {
    let program = program.to_owned();
    match error.raw_os_error() {
        Some(libc::ENOENT) => LaunchError::NotFound { program, what: "the interpreter that it names does not exist" },
        Some(libc::EACCES) => LaunchError::NotExecutable { program },
        Some(libc::ENOEXEC) => LaunchError::WrongFormat { program },
        _ => LaunchError::io("start the plugin", error),
    }
}

#[cfg(test)]
#[path = "spawner_tests.rs"]
mod tests;
