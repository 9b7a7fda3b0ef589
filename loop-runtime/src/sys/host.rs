//! Operating system calls of the side that starts processes.

use std::ffi::{CString, OsStr, c_char};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, WaitIdStatus};

/// Bytes that the path of a Unix socket may have, without the terminating zero.
pub(crate) const SOCKET_PATH_MAX: usize = if cfg!(any(target_os = "linux", target_os = "android")) { 107 } else { 103 };

/// A program image as `execve` takes it: everything that needs memory is made before the fork.
pub(crate) struct Image {
    program: CString,
    arguments: CStrings,
    environment: CStrings,
}

impl Image {
    /// The file `program`, which is told that its name is `name`. `environment` holds `NAME=value` entries. Fails with
    /// [`io::ErrorKind::InvalidInput`] on a zero byte.
    pub(crate) fn new<'a>(
        program: &'a OsStr,
        name: &'a OsStr,
        arguments: impl IntoIterator<Item = &'a OsStr>,
        environment: impl IntoIterator<Item = &'a OsStr>,
    ) -> io::Result<Self> {
        Ok(Self {
            program: CString::new(program.as_bytes())?,
            arguments: CStrings::new(std::iter::once(name).chain(arguments))?,
            environment: CStrings::new(environment)?,
        })
    }

    /// Becomes the program; comes back only when that fails.
    #[cfg(target_os = "linux")]
    fn exec(&self) -> io::Error {
        // SAFETY: the path is a C string, both lists are null-terminated arrays of pointers to C strings, and all
        // of them are owned by `self`, which outlives the call.
        unsafe {
            libc::execve(self.program.as_ptr(), self.arguments.pointers.as_ptr(), self.environment.pointers.as_ptr());
        }
        io::Error::last_os_error()
    }
}

/// A null-terminated array of C strings.
struct CStrings {
    pointers: Vec<*const c_char>,
    _owned: Vec<CString>,
}

// SAFETY: the pointers lead into the heap buffers of `_owned`, which moves and ends together with them; nobody
// writes to those buffers.
unsafe impl Send for CStrings {}
// SAFETY: as above; a shared reference only reads.
unsafe impl Sync for CStrings {}

impl CStrings {
    fn new<'a>(strings: impl IntoIterator<Item = &'a OsStr>) -> io::Result<Self> {
        let owned = strings.into_iter().map(|string| CString::new(string.as_bytes())).collect::<Result<Vec<_>, _>>()?;
        let pointers = owned.iter().map(|string| string.as_ptr()).chain(std::iter::once(std::ptr::null())).collect();
        Ok(Self { pointers, _owned: owned })
    }
}

/// Has the child of `command` killed when the *thread* that spawned it ends, which on Linux is what the signal is
/// bound to. The thread must therefore live as long as this process.
///
/// The program is then executed from here rather than by the standard library: glibc's `execvp`, which the
/// standard library uses after a fork, hands a file in no known format to `/bin/sh`.
#[cfg(target_os = "linux")]
pub(crate) fn die_with_this_thread(command: &mut Command, image: Image) {
    let host = rustix::process::getpid();
    let between_fork_and_exec = move || -> io::Result<()> {
        rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
        // Our parent may have died before the line above, and no signal will come any more.
        if rustix::process::getppid() != Some(host) {
            return Err(Errno::SRCH.into());
        }
        Err(image.exec())
    };
    // SAFETY: the closure only makes system calls (prctl, getppid, execve), which are async-signal-safe, and
    // builds errors from numbers; it neither allocates nor takes a lock.
    unsafe {
        command.pre_exec(between_fork_and_exec);
    }
}

/// There is no such signal here: a plugin has to watch its parent by itself.
#[cfg(not(target_os = "linux"))]
pub(crate) fn die_with_this_thread(_: &mut Command, _: Image) {}

/// Sends `signal` to the process group led by `leader`, and to `leader`, should it have moved to another group.
/// A group that is gone is no error.
pub(crate) fn signal_group(leader: Pid, signal: Signal) {
    let _ = rustix::process::kill_process_group(leader, signal);
    let _ = rustix::process::kill_process(leader, signal);
}

/// Blocks until the child has ended, and leaves it unreaped: its process id stays taken.
pub(crate) fn wait_for_end(child: Pid) {
    while wait(child, WaitIdOptions::EXITED | WaitIdOptions::NOWAIT).is_err_and(|error| error == Errno::INTR) {}
}

/// Takes the exit status of a child that has ended, as (status, signal). Both are `None` if somebody else took it.
pub(crate) fn reap(child: Pid) -> (Option<i32>, Option<i32>) {
    loop {
        match wait(child, WaitIdOptions::EXITED) {
            Ok(Some(status)) => return (status.exit_status(), status.terminating_signal()),
            Err(Errno::INTR) => {}
            Ok(None) | Err(_) => return (None, None),
        }
    }
}

fn wait(child: Pid, options: WaitIdOptions) -> Result<Option<WaitIdStatus>, Errno> {
    rustix::process::waitid(WaitId::Pid(child), options)
}

/// When a process was started, in clock ticks since the system was; with the process id it names a process
/// uniquely. `None` where the system does not tell.
pub(crate) fn start_time(pid: u32) -> Option<u64> {
    if !cfg!(target_os = "linux") {
        return None;
    }
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the program's name in parentheses, which may itself hold spaces and parentheses.
    let after_name = &stat[stat.rfind(')')? + 1..];
    after_name.split_whitespace().nth(19)?.parse().ok()
}

/// Whether a process of this id exists. One that belongs to somebody else counts.
pub(crate) fn exists(pid: u32) -> bool {
    i32::try_from(pid)
        .ok()
        .and_then(Pid::from_raw)
        .is_some_and(|pid| rustix::process::test_kill_process(pid) != Err(Errno::SRCH))
}

#[cfg(test)]
#[path = "host_tests.rs"]
mod tests;
