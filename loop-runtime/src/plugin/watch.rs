//! What ends a plugin besides Shutdown: signals, and the end of its host.
//!
//! One thread with a runtime of its own waits for both, and empties the pipe of captured output. The application's
//! runtime will not do: one handler that blocks can keep all of it from seeing a signal, or print until the pipe is full.

use std::io;

use tokio::runtime::Builder;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::stop::{Reason, Stop};
use crate::stdio::capture::Drain;
use crate::sys::plugin::{Parent, hang_up_with_parent};

/// Takes over the signals that concern a plugin, and asks for the end when SIGTERM comes or the host is gone.
///
/// SIGINT is swallowed for the life of the process: Ctrl-C reaches the whole foreground group, and the host decides.
/// Unless the plugin outlives its host, the process that started it is watched, and told apart from its threads: the
/// parent-death signal comes at the end of the *thread* that forked, which in a Go host may be any time. That signal is
/// SIGHUP here and replaces a SIGKILL that the host may have arranged, so that sockets are removed and cleanup runs.
/// It is needed beside the watch for a process that is stopped: the system continues a stopped group that lost its
/// last parent, with a SIGHUP. With the parent alive a SIGHUP is ignored.
pub(crate) fn start(stop: &Stop, outlives_host: bool, printed: Drain) -> io::Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let (terminate, hangup) = {
        let _inside = runtime.enter();
        // The handler stays when its stream is dropped, and without a stream nothing happens.
        drop(signal(SignalKind::interrupt())?);
        (signal(SignalKind::terminate())?, signal(SignalKind::hangup())?)
    };
    let parent = if outlives_host { None } else { Parent::current() };
    // Without a host to watch, this undoes what the host may have arranged.
    if let Err(error) = hang_up_with_parent(parent.is_some()) {
        tracing::debug!(%error, "the host's end is noticed without a signal");
    }
    let stop = stop.clone();
    let wait = move || {
        let watched = async {
            let ended = stop.token().run_until_cancelled(reason_to_end(parent, terminate, hangup));
            if let Some(reason) = ended.await {
                stop.request(reason);
            }
        };
        runtime.block_on(async { tokio::join!(watched, printed.run()) });
    };
    std::thread::Builder::new().name("loop-watch".to_owned()).spawn(wait)?;
    Ok(())
}

async fn reason_to_end(parent: Option<Parent>, mut terminate: Signal, mut hangup: Signal) -> Reason {
    let host_gone = async {
        match parent {
            Some(parent) => parent.ended().await,
            None => std::future::pending().await,
        }
    };
    let hung_up = async {
        while hangup.recv().await.is_some() {
            if parent.is_some_and(Parent::is_gone) {
                return;
            }
        }
        std::future::pending().await
    };
    tokio::select! {
        Some(()) = terminate.recv() => Reason::Terminated,
        () = host_gone => Reason::HostGone,
        () = hung_up => Reason::HostGone,
    }
}
