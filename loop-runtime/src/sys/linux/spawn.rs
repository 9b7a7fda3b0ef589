//! Starting a process that can die with this one, at a price that does not grow with this one's memory.
//!
//! Three things have to happen between the birth of a process and its program: the wish to be killed with the parent, the
//! reset of signals that the parent ignores, and a descriptor of the child for the parent, before anything can reap it. The
//! standard library does the last two not at all, and runs other code there only after a real `fork`. That copies the page
//! tables: milliseconds for each GiB in use, and for some time after it every page that is written is copied too. The child
//! here borrows this process's memory and this thread sleeps until it has its own, as with `posix_spawn`.

use std::ffi::{CStr, c_int, c_void};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd as _, OwnedFd};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicI32, Ordering};

use rustix::process::Pid;

use crate::sys::child::{ChildProcess, End};
use crate::sys::image::Image;

/// glibc gives its own `posix_spawn` 32 KiB; this one calls less.
const STACK: usize = 64 * 1024;

/// What the child is to be; everything that needs memory was made before.
pub(super) struct Start<'a> {
    pub(super) image: &'a Image,
    /// `None` for the same as here.
    pub(super) stdin: Option<BorrowedFd<'a>>,
    pub(super) stdout: BorrowedFd<'a>,
    pub(super) stderr: BorrowedFd<'a>,
    pub(super) directory: Option<&'a CStr>,
    /// Whether the system kills it when the *thread* that starts it ends.
    pub(super) bound_to_thread: bool,
}

/// What parent and child share.
struct Shared<'a> {
    start: Start<'a>,
    parent: libc::pid_t,
    /// The signals that stay ignored.
    ignored: Ignored,
    error: AtomicI32,
}

impl Start<'_> {
    /// Starts the process, as the leader of a group of its own. The descriptors must not be those of standard streams.
    ///
    /// It starts with no signal blocked and with the default actions, except for signals that this process ignores: who
    /// ran it under `nohup` meant its children too. Two of those are reset nevertheless. Rust programs ignore SIGPIPE,
    /// which others do not expect; and a program that ignores SIGCHLD, by inheritance from a parent that was careless,
    /// cannot wait for children of its own.
    ///
    /// # Errors
    ///
    /// What the system says of the start, or of one of the steps to the program; no process is left then.
    pub(super) fn run(self) -> io::Result<ChildProcess> {
        let mut stack: Vec<MaybeUninit<u128>> = Vec::with_capacity(STACK / size_of::<u128>());
        let parent = std::process::id().cast_signed();
        let shared = Shared { start: self, parent, ignored: Ignored::now(), error: AtomicI32::new(0) };
        let mut descriptor: c_int = -1;
        let blocked = Blocked::all();
        // Kernels before 5.2 ignore the wish for a descriptor.
        let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::CLONE_PIDFD | libc::SIGCHLD;
        // SAFETY: the pointer is to the end of an allocation that nobody else uses; it is aligned as a `u128` is, as the
        // ABI wants a stack. The child runs on it while this thread is stopped by the system, until it has memory of its
        // own or has ended; so it outlives its use, as does `shared`, and the two never run at the same time. What
        // the child calls is listed there. The descriptor is written before the child runs.
        let pid = unsafe {
            let top = stack.as_mut_ptr().add(stack.capacity());
            libc::clone(child, top.cast(), flags, (&raw const shared).cast_mut().cast(), &raw mut descriptor)
        };
        let error = io::Error::last_os_error();
        drop(blocked);
        let pid = Pid::from_raw(pid).filter(|_| pid > 0).ok_or(error)?;
        // SAFETY: the system has just opened it, for this call.
        let descriptor = (descriptor >= 0).then(|| unsafe { OwnedFd::from_raw_fd(descriptor) });
        let process = ChildProcess::new(pid, descriptor);
        match shared.error.load(Ordering::Relaxed) {
            0 => Ok(process),
            error => {
                // It is about to end, which takes it a moment after it has left this memory.
                while process.reap() == End::NotYet {
                    std::thread::yield_now();
                }
                Err(io::Error::from_raw_os_error(error))
            }
        }
    }
}

/// The number of the last signal.
const SIGNALS: c_int = 64;

/// The signals that this process ignores, and its child shall ignore too.
struct Ignored([bool; SIGNALS as usize + 1]);

impl Ignored {
    fn now() -> Self {
        let mut ignored = [false; SIGNALS as usize + 1];
        for (signal, ignored) in (1..).zip(ignored.iter_mut().skip(1)) {
            let mut action = MaybeUninit::<libc::sigaction>::uninit();
            // SAFETY: the call writes the structure, which is read only if it says so.
            *ignored = unsafe {
                libc::sigaction(signal, null_mut(), action.as_mut_ptr()) == 0
                    && action.assume_init().sa_sigaction == libc::SIG_IGN
            };
        }
        for signal in [libc::SIGPIPE, libc::SIGCHLD] {
            ignored[signal as usize] = false;
        }
        Self(ignored)
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

/// The size of a set of signals, as the system has it.
const SIGNAL_SET: usize = if cfg!(any(target_arch = "mips", target_arch = "mips64")) { 16 } else { 8 };

/// Gives a signal its default action. The C library's `sigaction` takes a lock for SIGABRT (glibc since 2.41), which
/// another thread may have held when the child was made; and it refuses the signals that it uses itself.
///
/// # Safety
///
/// Nobody relies on the handler that was there.
unsafe fn reset(signal: c_int) {
    // The order of handler, flags, restorer and mask is each architecture's own, but the default action, no flags and an
    // empty mask are zeros everywhere.
    let default = [0_u64; 8];
    // SAFETY: the system reads a structure that is no longer than this one.
    unsafe {
        libc::syscall(libc::SYS_rt_sigaction, signal, default.as_ptr(), null_mut::<c_void>(), SIGNAL_SET);
    }
}

/// Comes back only when a step fails.
///
/// Everything here is a bare system call or reads memory: `reset`, `setpgid`, `dup2`, `chdir`, `prctl`, `getppid`,
/// `sigemptyset`, `sigprocmask` and `execve` neither allocate nor take a lock, in glibc and in musl, and nothing panics. An
/// error number goes to the variable of the thread that started this, which stands still.
fn become_program(Shared { start, parent, ignored, .. }: &Shared<'_>) -> io::Error {
    let check = |result: c_int| if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) };
    let steps = || -> io::Result<()> {
        // SAFETY: system calls on numbers, on C strings that live, and on structures of this stack frame. Changes of
        // handlers, descriptors, group, directory and mask concern the child alone, which shares only memory.
        unsafe {
            // The program would start with default actions in the place of handlers anyway; but a signal that comes just
            // before it must find none of this process's.
            for (signal, ignored) in (1..=SIGNALS).zip(ignored.0.iter().skip(1)) {
                if !ignored {
                    reset(signal);
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
            if start.bound_to_thread {
                check(libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL))?;
                // The parent may have died before the line above, and no signal will come any more.
                if libc::getppid() != *parent {
                    return Err(io::Error::from_raw_os_error(libc::ESRCH));
                }
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
