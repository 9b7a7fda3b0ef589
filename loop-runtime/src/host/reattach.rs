//! Reattaching to a running plugin, whose process another host started.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::process::Signal;
use tokio_util::sync::CancellationToken;

use super::{Exit, LaunchError};
use crate::Handshake;
use crate::reattach::Reattach;
use crate::sys::stranger::Stranger;
use crate::transport::{Address, Stream};

/// The process of a plugin that this host has reattached to. It is left alone unless it is [claimed](Self::claim).
#[derive(Debug)]
pub(super) struct Attached {
    config: Reattach,
    /// `None` in test mode: the process is neither watched nor ended.
    process: Option<Stranger>,
    claimed: AtomicBool,
}

/// What is known of a plugin without a handshake line.
pub(super) struct Found {
    pub(super) attached: Attached,
    pub(super) version: u32,
    pub(super) address: Address,
}

/// Looks for the plugin: the process must exist, and the address must accept a connection.
///
/// # Errors
///
/// [`LaunchError::Reattach`] if the configuration does not fit this host, [`LaunchError::ProcessNotFound`] if the
/// plugin is not there. No process is touched then.
pub(super) async fn find(
    config: &Reattach,
    handshake: &Handshake,
    within: Duration,
    cancel: &CancellationToken,
) -> Result<Found, LaunchError> {
    let refused = |why| Err(LaunchError::Reattach { why });
    match config.protocol.as_str() {
        "grpc" => {}
        "" => {
            return refused("it names no protocol, which means `netrpc`, and this host speaks only `grpc`".to_owned());
        }
        other => return refused(format!("it names the protocol `{other}`, and this host speaks only `grpc`")),
    }
    let (version, versions) = (config.protocol_version, handshake.all_versions());
    if version != 0 && !versions.contains(&version) {
        return refused(format!("the plugin serves application protocol {version}, and this host speaks {versions:?}"));
    }
    let address = match config.parsed_address() {
        Ok(address) => address,
        Err(why) => return refused(why.to_string()),
    };
    let missing = |source| LaunchError::ProcessNotFound {
        pid: config.pid,
        address: config.address.clone(),
        source: Arc::new(source),
    };
    // Before the address is dialled: a process that gets this id later is another one.
    let process = if config.test { None } else { Some(Stranger::new(config.pid).map_err(missing)?) };
    let probe = tokio::time::timeout(within, Stream::connect(&address));
    match cancel.run_until_cancelled(probe).await {
        Some(Ok(Ok(_))) => {}
        Some(Ok(Err(why))) => return Err(missing(why)),
        Some(Err(_)) => return Err(missing(std::io::ErrorKind::TimedOut.into())),
        None => return Err(LaunchError::called_off()),
    }
    let version = if version == 0 { handshake.version } else { version };
    let attached = Attached { config: config.clone(), process, claimed: AtomicBool::new(false) };
    Ok(Found { attached, version, address })
}

impl Attached {
    pub(super) fn config(&self) -> &Reattach {
        &self.config
    }

    pub(super) fn pid(&self) -> u32 {
        self.config.pid
    }

    /// Waits for the end of the process, whose status only its parent knows.
    pub(super) async fn exited(&self) -> Exit {
        match &self.process {
            Some(process) => process.ended().await,
            None => std::future::pending().await,
        }
        Exit::new(None, None)
    }

    /// The owner of the handle wants the process to end.
    pub(super) fn claim(&self) {
        self.claimed.store(self.process.is_some(), Ordering::Relaxed);
    }

    pub(super) fn is_claimed(&self) -> bool {
        self.claimed.load(Ordering::Relaxed)
    }

    pub(super) fn kill(&self) {
        if self.is_claimed() {
            self.signal(Signal::KILL);
        }
    }

    /// To that process alone: it need not lead a group.
    pub(super) fn signal(&self, signal: Signal) {
        if let Some(process) = &self.process {
            process.signal(signal);
        }
    }
}
