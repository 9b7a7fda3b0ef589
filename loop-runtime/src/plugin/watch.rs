//! What ends a plugin besides Shutdown: signals, and the end of its host.

use std::io;

use tokio::signal::unix::{SignalKind, signal};

use super::stop::{Reason, Stop};
use crate::sys::plugin::{Parent, hang_up_with_parent};

/// Takes over the signals that concern a plugin.
///
/// SIGINT is swallowed for the life of the process: Ctrl-C reaches the whole foreground group, and the host decides.
/// SIGTERM asks for the end. Must be called inside a tokio runtime.
pub(crate) fn signals(stop: &Stop) -> io::Result<()> {
    // The handler stays when its stream is dropped, and without a stream nothing happens.
    drop(signal(SignalKind::interrupt())?);
    let mut terminate = signal(SignalKind::terminate())?;
    let stop = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => stop.request(Reason::Terminated),
            () = stop.token().cancelled() => {}
        }
    });
    Ok(())
}

/// Asks for the end when the process that started this one ends.
///
/// Twice, because each way has a gap. A thread waits for the parent: it works when the runtime is blocked. And the
/// parent-death signal reaches a process that is stopped, as soon as it is continued (the system continues a stopped
/// group that lost its last parent). That signal replaces a SIGKILL that the host may have arranged, so that sockets
/// are removed and cleanup runs. SIGHUP is taken because it is not asked for by anybody who wants something else:
/// with the parent alive it is ignored.
pub(crate) fn host(stop: &Stop) -> io::Result<()> {
    let Some(parent) = Parent::current() else { return Ok(()) };
    let mut hangup = signal(SignalKind::hangup())?;
    if let Err(error) = hang_up_with_parent(true) {
        tracing::debug!(%error, "no signal will tell of the host's end; the thread does");
    }
    let signalled = stop.clone();
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = hangup.recv() => if parent.is_gone() { signalled.request(Reason::HostGone) },
                () = signalled.token().cancelled() => return,
            }
        }
    });
    let waited = stop.clone();
    std::thread::Builder::new().name("loop-host".to_owned()).spawn(move || {
        parent.wait();
        waited.request(Reason::HostGone);
    })?;
    Ok(())
}

/// For a plugin that outlives its host on purpose: undoes what the host may have arranged.
pub(crate) fn nobody() -> io::Result<()> {
    hang_up_with_parent(false)
}
