//! Starting a process that dies with this one, at a price that does not grow with this one's memory.
//!
//! The wish to be killed has to be uttered between the birth of a process and its program, where the standard library
//! runs nothing without a real `fork`. That copies the page tables: milliseconds for each GiB in use, and for some time
//! after it every page that is written is copied too. The child here borrows this process's memory and this thread
//! sleeps until it has its own, as with `posix_spawn`.

use std::ffi::{CStr, CString, OsStr, c_char, c_int, c_void};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicI32, Ordering};

use rustix::process::Pid;

/// glibc gives its own `posix_spawn` 32 KiB; this one calls less.
const STACK: usize = 64 * 1024;

/// A program image as `execve` takes it: everything that needs memory is made before the child is.
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

/// What the child is to be; everything that needs memory was made before.
pub(crate) struct Start<'a> {
    pub(crate) image: &'a Image,
    /// `None` for the same as here.
    pub(crate) stdin: Option<BorrowedFd<'a>>,
    pub(crate) stdout: BorrowedFd<'a>,
    pub(crate) stderr: BorrowedFd<'a>,
    pub(crate) directory: Option<&'a CStr>,
}

/// What parent and child share.
struct Shared<'a> {
    start: Start<'a>,
    parent: libc::pid_t,
    error: AtomicI32,
}

impl Start<'_> {
    /// Starts the process, as the leader of a group of its own, which the system kills when the *thread* that calls
    /// this ends: it must live as long as this process. The descriptors must not be those of standard streams.
    ///
    /// # Errors
    ///
    /// What the system says of the start, or of one of the steps to the program; no process is left then.
    pub(crate) fn run(self) -> io::Result<Pid> {
        let mut stack: Vec<MaybeUninit<u128>> = Vec::with_capacity(STACK / size_of::<u128>());
        let shared = Shared { start: self, parent: std::process::id().cast_signed(), error: AtomicI32::new(0) };
        let blocked = Blocked::all();
        let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
        // SAFETY: the pointer is to the end of an allocation that nobody else uses; it is aligned as a `u128` is, as the
        // ABI wants a stack. The child runs on it while this thread is stopped by the system, until it has memory of its
        // own or has ended; so it outlives its use, as does `shared`, and the two never run at the same time. What
        // the child calls is listed there.
        let pid = unsafe {
            let top = stack.as_mut_ptr().add(stack.capacity());
            libc::clone(child, top.cast(), flags, (&raw const shared).cast_mut().cast())
        };
        let error = io::Error::last_os_error();
        drop(blocked);
        let pid = Pid::from_raw(pid).filter(|_| pid > 0).ok_or(error)?;
        match shared.error.load(Ordering::Relaxed) {
            0 => Ok(pid),
            error => {
                // It has ended already.
                super::host::reap(pid);
                Err(io::Error::from_raw_os_error(error))
            }
        }
    }
}

/// All signals blocked in this thread, until dropped: none may find this process's handlers in the child, which runs in
/// the same memory.
struct Blocked(libc::sigset_t);

impl Blocked {
    fn all() -> Self {
        let mut all = MaybeUninit::uninit();
        let mut before = MaybeUninit::uninit();
        // SAFETY: `sigfillset` makes the first set, `pthread_sigmask` reads it and makes the second; neither can fail
        // with these arguments.
        unsafe {
            libc::sigfillset(all.as_mut_ptr());
            libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr());
            Self(before.assume_init())
        }
    }
}

impl Drop for Blocked {
    fn drop(&mut self) {
        // SAFETY: the set is one that the system gave.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.0, null_mut()) };
    }
}

/// Runs in the child, on the memory of the parent.
extern "C" fn child(shared: *mut c_void) -> c_int {
    // SAFETY: `run` passes a pointer to its `Shared`, which lives and which nobody changes but through the atomic.
    let shared = unsafe { &*shared.cast::<Shared<'_>>() };
    let error = become_program(shared);
    shared.error.store(error.raw_os_error().unwrap_or(libc::EINVAL), Ordering::Relaxed);
    // SAFETY: nothing of this process's runs: no exit handler, no destructor.
    unsafe { libc::_exit(127) }
}

/// Comes back only when a step fails. Everything here is a system call or reads memory: nothing allocates, takes a lock
/// or panics.
fn become_program(Shared { start, parent, .. }: &Shared<'_>) -> io::Error {
    let check = |result: c_int| if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) };
    let steps = || -> io::Result<()> {
        // SAFETY: system calls on numbers, on C strings that live, and on structures of this stack frame. Changes of
        // handlers, descriptors, group, directory and mask concern the child alone, which shares only memory.
        unsafe {
            // The program would start with default handlers anyway; a signal just before it must not find others.
            for signal in 1..=64 {
                let mut action = MaybeUninit::<libc::sigaction>::uninit();
                // Those that cannot be read cannot be handled either.
                if libc::sigaction(signal, null_mut(), action.as_mut_ptr()) < 0 {
                    continue;
                }
                let mut action = action.assume_init();
                let is_handled = action.sa_sigaction != libc::SIG_DFL && action.sa_sigaction != libc::SIG_IGN;
                // Rust programs ignore SIGPIPE, which others do not expect.
                if is_handled || signal == libc::SIGPIPE {
                    action.sa_sigaction = libc::SIG_DFL;
                    action.sa_flags = 0;
                    libc::sigaction(signal, &raw const action, null_mut());
                }
            }
            check(libc::setpgid(0, 0))?;
            if let Some(stdin) = start.stdin {
                check(libc::dup2(stdin.as_raw_fd(), libc::STDIN_FILENO))?;
            }
            check(libc::dup2(start.stdout.as_raw_fd(), libc::STDOUT_FILENO))?;
            check(libc::dup2(start.stderr.as_raw_fd(), libc::STDERR_FILENO))?;
            if let Some(directory) = start.directory {
                check(libc::chdir(directory.as_ptr()))?;
            }
            check(libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL))?;
            // The parent may have died before the line above, and no signal will come any more.
            if libc::getppid() != *parent {
                return Err(io::Error::from_raw_os_error(libc::ESRCH));
            }
            let mut none = MaybeUninit::uninit();
            libc::sigemptyset(none.as_mut_ptr());
            check(libc::sigprocmask(libc::SIG_SETMASK, none.as_ptr(), null_mut()))?;
        }
        Ok(())
    };
    match steps() {
        Ok(()) => start.image.exec(),
        Err(error) => error,
    }
}

#[cfg(test)]
#[path = "spawn_tests.rs"]
mod tests;
