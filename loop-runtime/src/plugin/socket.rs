//! Where a plugin listens: a Unix socket that its own user (and a group, if the host asks for one) can reach.

use std::ffi::OsString;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};

use crate::socket_dir::{PrivateDir, SocketDirError};
use crate::transport::{ListenError, Listener};

/// Why no socket could be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SocketError {
    #[error(transparent)]
    Directory(#[from] SocketDirError),
    #[error(transparent)]
    Listen(#[from] ListenError),
    #[error("the socket directory {} cannot be written into a handshake line", .0.display())]
    Address(PathBuf),
    #[error("PLUGIN_UNIX_SOCKET_GROUP names no group of this system: {0:?}")]
    NoSuchGroup(String),
    #[error("cannot give {} to group {group}: {source}", .path.display())]
    Group { path: PathBuf, group: u32, source: io::Error },
}

/// The host's settings for sockets. Empty values count as absent.
#[derive(Debug, Default)]
pub(crate) struct SocketOptions {
    /// `PLUGIN_UNIX_SOCKET_DIR`: the host's directory, which the host removes.
    pub(crate) dir: Option<OsString>,
    /// `PLUGIN_UNIX_SOCKET_GROUP`: a number or a name.
    pub(crate) group: Option<String>,
}

impl SocketOptions {
    pub(crate) fn from_env(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let some = |name| variable(name).filter(|value| !value.is_empty());
        Self {
            dir: some("PLUGIN_UNIX_SOCKET_DIR"),
            group: some("PLUGIN_UNIX_SOCKET_GROUP").map(|group| group.to_string_lossy().into_owned()),
        }
    }
}

/// The directory that all sockets of this process are in.
#[derive(Debug)]
pub(crate) struct SocketDir {
    path: PathBuf,
    group: Option<u32>,
    /// Removed with everything in it when dropped, if it is ours; by the next process that makes one, if this one is
    /// killed.
    own: Option<PrivateDir>,
}

impl SocketDir {
    /// The host's directory, or a new one of mode 0700 in the system's temporary directory (0750 for a group).
    pub(crate) fn open(options: &SocketOptions) -> Result<Self, SocketError> {
        let group = options.group.as_deref().map(group_id).transpose()?;
        if let Some(dir) = &options.dir {
            return Ok(Self { path: PathBuf::from(dir), group, own: None });
        }
        let own = PrivateDir::create()?;
        if let Some(group) = group {
            give(own.path(), group, 0o750)?;
        }
        Ok(Self { path: own.path().to_owned(), group, own: Some(own) })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The group that may connect besides the user.
    pub(crate) fn group(&self) -> Option<u32> {
        self.group
    }

    /// Binds a new socket in the directory, of mode 0600, or 0660 for a group. It is unlinked when dropped.
    ///
    /// Must be called inside a tokio runtime.
    pub(crate) fn listen(&self) -> Result<Listener, SocketError> {
        let text = self.path.to_str().filter(|text| !text.contains(['|', '\n', '\r']));
        if text.is_none() {
            return Err(SocketError::Address(self.path.clone()));
        }
        let listener = Listener::bind_in(&self.path)?;
        if let Some(group) = self.group {
            listener.share(group)?;
        }
        Ok(listener)
    }

    /// The directory, if it is ours.
    pub(crate) fn own(&self) -> Option<&Path> {
        self.own.as_ref().map(PrivateDir::path)
    }

    /// Removes the directory if it is ours; what is still in it goes too.
    pub(crate) fn remove(self) {
        drop(self.own);
    }
}

fn give(path: &Path, group: u32, mode: u32) -> Result<(), SocketError> {
    chown(path, None, Some(group))
        .and_then(|()| fs::set_permissions(path, Permissions::from_mode(mode)))
        .map_err(|source| SocketError::Group { path: path.to_owned(), group, source })
}

/// The number of a group: the value itself if it is a number, else looked up in `/etc/group`. Groups that only a
/// directory service knows have to be given by number.
fn group_id(group: &str) -> Result<u32, SocketError> {
    if let Ok(id) = group.parse() {
        return Ok(id);
    }
    let table = fs::read_to_string("/etc/group").unwrap_or_default();
    find_group(&table, group).ok_or_else(|| SocketError::NoSuchGroup(group.to_owned()))
}

fn find_group(table: &str, group: &str) -> Option<u32> {
    table.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next()? == group).then(|| fields.nth(1)?.parse().ok())?
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use tokio::net::UnixStream;

    use super::*;

    fn path_of(listener: &Listener) -> PathBuf {
        PathBuf::from(listener.address().to_string())
    }

    #[tokio::test]
    async fn the_private_directory_goes_with_its_sockets() {
        let dir = SocketDir::open(&SocketOptions::default()).unwrap();
        let path = dir.path().to_owned();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o700);
        let socket = dir.listen().unwrap();
        let address = path_of(&socket);
        assert_eq!(fs::metadata(&address).unwrap().mode() & 0o777, 0o600);
        UnixStream::connect(&address).await.unwrap();
        drop(socket);
        assert!(!address.exists());
        dir.remove();
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn the_hosts_directory_is_used_and_left() {
        let host = tempfile::tempdir().unwrap();
        let options = SocketOptions { dir: Some(host.path().into()), group: None };
        let dir = SocketDir::open(&options).unwrap();
        let socket = dir.listen().unwrap();
        assert_eq!(path_of(&socket).parent(), Some(host.path()));
        drop(socket);
        dir.remove();
        assert_eq!(fs::read_dir(host.path()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn a_group_may_connect() {
        let own = fs::metadata(tempfile::tempdir().unwrap().path()).unwrap().gid();
        let options = SocketOptions { dir: None, group: Some(own.to_string()) };
        let dir = SocketDir::open(&options).unwrap();
        assert_eq!(fs::metadata(dir.path()).unwrap().mode() & 0o777, 0o750);
        let socket = dir.listen().unwrap();
        let seen = fs::metadata(path_of(&socket)).unwrap();
        assert_eq!((seen.mode() & 0o777, seen.gid()), (0o660, own));
    }

    #[test]
    fn groups_have_names() {
        let table = "root:x:0:\nbroken\nplugins:x:1234:ann,bob\n";
        assert_eq!(find_group(table, "plugins"), Some(1234));
        assert_eq!(find_group(table, "broken"), None);
        assert_eq!(group_id("42").unwrap(), 42);
        let options = SocketOptions { dir: None, group: Some("no such group".to_owned()) };
        assert!(matches!(SocketDir::open(&options), Err(SocketError::NoSuchGroup(_))));
    }

    #[tokio::test]
    async fn addresses_that_no_line_can_hold_are_refused() {
        let base = tempfile::tempdir().unwrap();
        for name in ["a|b", "a\nb"] {
            let path = base.path().join(name);
            fs::create_dir(&path).unwrap();
            let options = SocketOptions { dir: Some(path.clone().into()), group: None };
            let error = SocketDir::open(&options).unwrap().listen().unwrap_err();
            assert!(matches!(error, SocketError::Address(_)), "{error}");
            assert_eq!(fs::read_dir(path).unwrap().count(), 0);
        }
        let long = base.path().join("x".repeat(120));
        fs::create_dir(&long).unwrap();
        let options = SocketOptions { dir: Some(long.into()), group: None };
        let error = SocketDir::open(&options).unwrap().listen().unwrap_err().to_string();
        assert!(error.contains("TMPDIR"), "{error}");
    }
}
