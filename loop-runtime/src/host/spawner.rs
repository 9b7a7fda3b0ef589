//! The one thread that starts all plugins. The one that [reaps](super::reaper) them is another.
//!
//! On Linux a child can ask to be killed when its parent dies, but "parent" there is the *thread* that forked it.
//! Threads of a runtime come and go, and each that goes would take healthy plugins with it. So this thread starts
//! them all, and never ends.

#[cfg(target_os = "linux")]
use std::ffi::CString;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, IsTerminal as _};
#[cfg(target_os = "linux")]
use std::os::fd::AsFd;
use std::os::fd::OwnedFd;
#[cfg(not(target_os = "linux"))]
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
#[cfg(not(target_os = "linux"))]
use std::process::{Command as StdCommand, Stdio};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use rustix::fs::Access;
use rustix::io::Errno;
use tokio::sync::oneshot;

use super::process::{Child, REAP};
use super::{Command, LaunchError, registry};
use crate::sys::child::ChildProcess;
#[cfg(target_os = "linux")]
use crate::sys::spawn::{Image, Start};

/// A command with everything looked up that can be looked up beforehand.
pub(super) struct Prepared {
    way: Way,
    named: PathBuf,
    /// Open until the process has been started from it.
    #[cfg(feature = "sha256")]
    _checked: Option<super::checksum::Checked>,
}

/// How the process is started.
enum Way {
    /// By the standard library, where the system has nothing better.
    #[cfg(not(target_os = "linux"))]
    Plain(StdCommand),
    /// So that it can die with this process, and is held by a descriptor.
    #[cfg(target_os = "linux")]
    Bound { image: Image, directory: Option<CString>, parent_death: bool },
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
        let way = Way::new(command, file.as_os_str(), program.as_os_str(), environment, parent_death)?;
        Ok(Self {
            way,
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
        let (process, stdout, stderr) = self.way.start().map_err(|error| refused(&self.named, error))?;
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

type Variables<'a> = (&'a OsString, &'a OsString);

#[cfg(not(target_os = "linux"))]
impl Way {
    /// `parent_death` has no counterpart here: a plugin has to watch its parent by itself.
    fn new<'a>(
        command: &Command,
        file: &OsStr,
        name: &OsStr,
        environment: impl IntoIterator<Item = Variables<'a>>,
        _parent_death: bool,
    ) -> Result<Self, LaunchError> {
        let mut std = StdCommand::new(file);
        std.arg0(name)
            .args(&command.args)
            .env_clear()
            .envs(environment)
            .stdin(if has_stdin() { Stdio::inherit() } else { Stdio::null() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        if let Some(dir) = &command.current_dir {
            std.current_dir(dir);
        }
        crate::sys::host::heed_children(&mut std);
        Ok(Self::Plain(std))
    }

    /// The process, and the ends of its pipes.
    fn start(self) -> io::Result<(ChildProcess, OwnedFd, OwnedFd)> {
        let Self::Plain(mut command) = self;
        let mut child = command.spawn()?;
        let process = ChildProcess::new(rustix::process::Pid::from_child(&child), None);
        match (child.stdout.take(), child.stderr.take()) {
            (Some(stdout), Some(stderr)) => Ok((process, stdout.into(), stderr.into())),
            _ => Err(io::Error::other("it has no pipes")),
        }
    }
}

#[cfg(target_os = "linux")]
impl Way {
    fn new<'a>(
        command: &Command,
        file: &OsStr,
        name: &OsStr,
        environment: impl IntoIterator<Item = Variables<'a>>,
        parent_death: bool,
    ) -> Result<Self, LaunchError> {
        use std::os::unix::ffi::OsStrExt as _;

        let environment: Vec<OsString> = environment
            .into_iter()
            .map(|(name, value)| {
                let mut entry = name.clone();
                entry.push("=");
                entry.push(value);
                entry
            })
            .collect();
        let arguments = command.args.iter().map(OsString::as_os_str);
        let image = Image::new(file, name, arguments, environment.iter().map(OsString::as_os_str));
        let directory = command.current_dir.as_ref().map(|dir| CString::new(dir.as_os_str().as_bytes())).transpose();
        let way = image.and_then(|image| Ok(Self::Bound { image, directory: directory?, parent_death }));
        way.map_err(|error| LaunchError::io("pass the command to the system", error))
    }

    /// The process, and the ends of its pipes.
    fn start(self) -> io::Result<(ChildProcess, OwnedFd, OwnedFd)> {
        let Self::Bound { image, directory, parent_death } = self;
        let (stdout, child_stdout) = pipe()?;
        let (stderr, child_stderr) = pipe()?;
        let null = if has_stdin() { None } else { Some(fs::File::open("/dev/null")?) };
        let start = Start {
            image: &image,
            stdin: null.as_ref().map(AsFd::as_fd),
            stdout: child_stdout.as_fd(),
            stderr: child_stderr.as_fd(),
            directory: directory.as_deref(),
            bound_to_thread: parent_death,
        };
        Ok((start.run()?, stdout, stderr))
    }
}

/// A pipe, of which the child's end is not one of the descriptors that it takes the place of.
#[cfg(target_os = "linux")]
fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let (reader, writer) = io::pipe()?;
    Ok((reader.into(), rustix::io::fcntl_dupfd_cloexec(&writer, 3)?))
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
