//! Which way brokered connections take.

use std::path::PathBuf;

use crate::transport::{ListenError, Listener, Security};

/// Chosen once for a main connection; both sides take the same one.
#[derive(Debug)]
pub(crate) enum Route {
    /// A socket of its own for each id, announced with its address.
    Sockets {
        /// Where this side binds its sockets.
        directory: PathBuf,
        /// The members of this group (a gid) may dial too.
        group: Option<u32>,
    },
}

impl Route {
    /// Sockets in `directory` that only this user can dial.
    pub(crate) fn sockets(directory: impl Into<PathBuf>) -> Self {
        Self::Sockets { directory: directory.into(), group: None }
    }

    pub(super) fn listen(&self, security: Security) -> Result<Listener, ListenError> {
        match self {
            Self::Sockets { directory, group } => {
                let listener = Listener::bind_in(directory)?.secured(security);
                if let Some(group) = group {
                    listener.share(*group)?;
                }
                Ok(listener)
            }
        }
    }
}
