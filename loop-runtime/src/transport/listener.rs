//! A Unix socket that peers dial.

use std::collections::hash_map::RandomState;
use std::fs::{self, Permissions};
use std::hash::{BuildHasher, Hasher};
use std::io;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::net::UnixListener;

use super::address::{self, Address, AddressError};
use super::security::{Accepted, Security};
use super::stream::Stream;

/// How long to wait for a free descriptor when there is none.
const PAUSE: Duration = Duration::from_millis(50);

/// A bound socket. Dropping it stops accepting and removes the file; accepted connections live on.
#[derive(Debug)]
pub(crate) struct Listener {
    socket: UnixListener,
    file: SocketFile,
    security: Security,
}

/// Why there is no socket.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ListenError {
    #[error("{0}; set PLUGIN_UNIX_SOCKET_DIR to a shorter path (a host sets it for its plugins, below its TMPDIR)")]
    Path(#[from] AddressError),
    #[error("cannot listen at {}: {source}", path.display())]
    Bind { path: PathBuf, source: io::Error },
    #[error("cannot give {} to group {group}: {source}", path.display())]
    Share { path: PathBuf, group: u32, source: io::Error },
}

impl Listener {
    /// Binds a socket with a fresh name in `directory`, for the same user only (mode 0600).
    ///
    /// Must be called inside a tokio runtime.
    pub(crate) fn bind_in(directory: &Path) -> Result<Self, ListenError> {
        // The names have 64 random bits. If one is taken nevertheless, try another.
        loop {
            let random = RandomState::new().build_hasher().finish();
            let path = directory.join(format!("plugin{random:016x}"));
            match Self::bind(path) {
                Err(ListenError::Bind { source, .. }) if source.kind() == io::ErrorKind::AddrInUse => {}
                bound => return bound,
            }
        }
    }

    /// Lets the members of `group` (a gid) dial too: mode 0660.
    pub(crate) fn share(&self, group: u32) -> Result<(), ListenError> {
        let path = &self.file.0;
        chown(path, None, Some(group))
            .and_then(|()| fs::set_permissions(path, Permissions::from_mode(0o660)))
            .map_err(|source| ListenError::Share { path: path.clone(), group, source })
    }

    fn bind(path: PathBuf) -> Result<Self, ListenError> {
        address::check_length(&path)?;
        let failed = |source| ListenError::Bind { path: path.clone(), source };
        let socket = UnixListener::bind(&path).map_err(failed)?;
        let file = SocketFile(path.clone());
        fs::set_permissions(&path, Permissions::from_mode(0o600)).map_err(failed)?;
        Ok(Self { socket, file, security: Security::None })
    }

    /// The same, with its connections secured by `security`.
    pub(crate) fn secured(self, security: Security) -> Self {
        Self { security, ..self }
    }

    /// Its address, for peers.
    pub(crate) fn address(&self) -> Address {
        Address::Unix(self.file.0.clone())
    }

    /// Waits for the next connection. Cancel safe.
    ///
    /// A process out of file descriptors keeps waiting: the caller redials or gives up, this side must go on.
    ///
    /// # Errors
    ///
    /// Any other error of the system; the listener is unusable then.
    pub(crate) async fn accept(&self) -> io::Result<Accepted> {
        loop {
            match self.socket.accept().await {
                Ok((socket, _)) => match Stream::unix(socket) {
                    Ok(stream) => return Ok(Accepted::new(stream, self.security.clone())),
                    // The peer sees its connection end, and may redial.
                    Err(error) => tracing::warn!(%error, path = %self.file.0.display(), "cannot watch a connection"),
                },
                Err(error) if is_about_the_peer(&error) => {}
                Err(error) if is_shortage(&error) => {
                    tracing::warn!(%error, path = %self.file.0.display(), "cannot accept a connection now");
                    tokio::time::sleep(PAUSE).await;
                }
                Err(error) => return Err(error),
            }
        }
    }
}

fn is_about_the_peer(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    )
}

fn is_shortage(error: &io::Error) -> bool {
    use rustix::io::Errno;
    [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM]
        .iter()
        .any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}

/// Removes the file when dropped.
#[derive(Debug)]
struct SocketFile(PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.0)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%error, path = %self.0.display(), "cannot remove a socket");
        }
    }
}
