//! Private directories for sockets: one for each launch, named after the process that owns it.
//!
//! A killed process cannot clean up, so every process, when it first makes such a directory, removes those whose owner
//! is dead. An owner is dead when no process has its id and start time *and* nobody holds its lock: the ids of another
//! container that shares the same `/tmp` say nothing here, but its locks do. A plugin that outlives its host is still
//! served there, and its directory is kept.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{DirBuilderExt as _, FileTypeExt as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::Errno;

use crate::sys::host::exists;
use crate::sys::os::{self, SOCKET_PATH_MAX, start_time};

/// Short, because the whole path of a socket has about 100 bytes.
const PREFIX: &str = "loop-";
/// What must be left of a socket's path for its name: Go's are `plugin` and up to ten digits.
const ROOM: usize = 24;

/// Why no directory could be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot create socket directory: in `{}`: {source}", .dir.display())]
pub(crate) struct SocketDirError {
    /// Where it was to be made.
    pub(crate) dir: PathBuf,
    pub(crate) source: io::Error,
}

/// A directory that only this user may enter, removed with all that is in it when dropped.
#[derive(Debug)]
pub(crate) struct PrivateDir {
    path: PathBuf,
    /// The directory itself, locked as long as it is open.
    lock: OwnedFd,
}

impl PrivateDir {
    /// Makes one under `TMPDIR`, or `/tmp` if that is unset or too long for the path of a socket.
    pub(crate) fn create() -> Result<Self, SocketDirError> {
        let base = base(std::env::var_os("TMPDIR").map(PathBuf::from), Owner::current());
        static SWEPT: Once = Once::new();
        SWEPT.call_once(|| {
            let base = base.clone();
            // A big temporary directory takes time to read; nobody has to wait for that.
            let sweeper = thread::Builder::new().name("socket-dir-sweep".into());
            if let Err(error) = sweeper.spawn(move || sweep(&base)) {
                tracing::debug!(%error, "cannot look for old socket directories");
            }
        });
        Self::create_in(&base).map_err(|source| SocketDirError { dir: base, source })
    }

    fn create_in(base: &Path) -> io::Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let owner = Owner::current();
        loop {
            let name = owner.dir_name(COUNT.fetch_add(1, Ordering::Relaxed));
            let path = base.join(name);
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Self::lock(path),
                // Left by an earlier process with our id, or put there by somebody else: not ours to use.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn lock(path: PathBuf) -> io::Result<Self> {
        let locked = open_dir(&path).and_then(|dir| {
            rustix::fs::flock(&dir, FlockOperation::NonBlockingLockExclusive)?;
            Ok(dir)
        });
        match locked {
            Ok(lock) => Ok(Self { path, lock }),
            Err(error) => {
                let _ = fs::remove_dir(&path);
                Err(error.into())
            }
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    fn remove(&self) -> io::Result<()> {
        os::empty(&self.lock);
        match fs::remove_dir(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => fs::remove_dir_all(&self.path),
            removed => removed,
        }
    }
}

impl Drop for PrivateDir {
    fn drop(&mut self) {
        if let Err(error) = self.remove()
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(dir = %self.path.display(), %error, "cannot remove a socket directory");
        }
    }
}

/// Who made a directory, as its name tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Owner {
    pid: u32,
    /// 0 where the system does not tell.
    start: u64,
}

impl Owner {
    fn current() -> Self {
        let pid = std::process::id();
        Self { pid, start: start_time(pid).unwrap_or(0) }
    }

    fn dir_name(self, count: u32) -> String {
        format!("{PREFIX}{:x}-{:x}-{count:x}", self.pid, self.start)
    }

    /// `None` for anything but a name that [`dir_name`](Self::dir_name) gives.
    fn of(name: &str) -> Option<Self> {
        let mut parts = name.strip_prefix(PREFIX)?.split('-');
        let (pid, start, count) = (parts.next()?, parts.next()?, parts.next()?);
        let owner = Self { pid: u32::from_str_radix(pid, 16).ok()?, start: u64::from_str_radix(start, 16).ok()? };
        let count = u32::from_str_radix(count, 16).ok()?;
        (owner.dir_name(count) == name).then_some(owner)
    }

    fn is_alive(self) -> bool {
        exists(self.pid) && start_time(self.pid).is_none_or(|start| self.start == 0 || start == self.start)
    }
}

/// Where `owner` makes its directories. A link is not followed: macOS's `/var/folders/..` is long enough without the
/// `/private` that it leads to, and just fits.
fn base(tmpdir: Option<PathBuf>, owner: Owner) -> PathBuf {
    let longest = owner.dir_name(u32::MAX);
    tmpdir
        .filter(|dir| !dir.as_os_str().is_empty())
        .and_then(|dir| std::path::absolute(dir).ok())
        .filter(|dir| dir.join(&longest).as_os_str().as_bytes().len() + 1 + ROOM <= SOCKET_PATH_MAX)
        .unwrap_or_else(|| "/tmp".into())
}

/// Removes the socket directories in `base` that belong to this user and whose owner is dead.
fn sweep(base: &Path) {
    let Ok(entries) = fs::read_dir(base) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(owner) = name.to_str().and_then(Owner::of) else { continue };
        if owner.is_alive() || !abandoned(&entry.path()) {
            continue;
        }
        // Follows no link, neither here nor below.
        match fs::remove_dir_all(entry.path()) {
            Ok(()) => tracing::debug!(dir = %entry.path().display(), "removed the socket directory of a dead host"),
            Err(error) => tracing::debug!(dir = %entry.path().display(), %error, "cannot remove a socket directory"),
        }
    }
}

/// Whether this is a directory of ours that nobody holds and nobody serves.
fn abandoned(path: &Path) -> bool {
    let Ok(dir) = open_dir(path) else { return false };
    rustix::fs::fstat(&dir).is_ok_and(|stat| stat.st_uid == rustix::process::geteuid().as_raw())
        && rustix::fs::flock(&dir, FlockOperation::NonBlockingLockExclusive).is_ok()
        && !is_served(path)
}

/// Whether somebody listens at a socket in `dir`. A connection without a byte harms no plugin.
fn is_served(dir: &Path) -> bool {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_type().is_ok_and(|it| it.is_socket()))
        .any(|socket| UnixStream::connect(socket.path()).is_ok())
}

/// Opens a directory, and nothing else: no file, no symbolic link.
fn open_dir(path: &Path) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty())
}

#[cfg(test)]
#[path = "socket_dir_tests.rs"]
mod tests;
