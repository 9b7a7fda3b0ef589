//! From a launch to a generation that can be called.

use std::time::Instant;

use tokio_util::sync::CancellationToken;

use super::Shared;
use crate::context::Context;
use crate::host::LaunchError;
use crate::host::builder::Source;
use crate::host::event::{EndCause, Ended};
use crate::host::generation::Generation;
use crate::service::AttemptError;

/// Starts a process, connects to it and sets it up. `cancel` cancels that.
///
/// # Errors
///
/// Why it failed. The process is gone then, unless its id is given, too.
pub(super) async fn launch(
    shared: &Shared,
    source: &Source,
    number: u64,
    cancel: CancellationToken,
) -> Result<Generation, (LaunchError, Option<u32>)> {
    let generation = Generation::start(&shared.settings, source, number, &shared.peer_context, cancel.clone());
    let generation = generation.await.map_err(|error| (error, None))?;
    let Err(error) = set_up(shared, &generation, &cancel).await else { return Ok(generation) };
    // It was never published: to everybody else this is a start that failed.
    let bound = shared.settings.policy.reap_timeout;
    let exited = generation.exits_soon().await;
    let leave = generation.process().is_left_alone() && !exited;
    let remains = generation.end(leave, bound).await;
    let unreaped = remains.unreaped.then_some(remains.pid);
    let ended = Ended {
        generation: number,
        cause: if exited { EndCause::Exited } else { EndCause::ConnectionLost },
        exit: remains.exit,
        stderr: remains.stderr,
        uptime: remains.uptime,
        in_a_row: 0,
    };
    generation.discard(&ended, bound).await;
    let error = match error {
        // How it ended says more than that a connection did.
        LaunchError::SetUp { source } if exited => LaunchError::SetUp { source: source.followed_by(ended) },
        error => error,
    };
    Err((error, unreaped))
}

/// Probes for optional components and repeats the set-up calls of the root.
async fn set_up(shared: &Shared, generation: &Generation, cancel: &CancellationToken) -> Result<(), LaunchError> {
    let root = &shared.root;
    let deadline = Some(Instant::now() + shared.settings.policy.timeouts.construct_timeout);
    let context = Context { deadline, ..Context::default() };
    let names = root.names();
    let main = generation.mains.current();
    let set_up = async {
        main.probe(&names, deadline).await.map_err(AttemptError::MayHaveRun)?;
        root.set_up(&main, &context).await
    };
    tokio::select! {
        biased;
        () = cancel.cancelled() => Err(LaunchError::CalledOff { stderr: generation.process().stderr() }),
        done = set_up => done.map_err(|why| LaunchError::SetUp { source: why.into_error() }),
    }
}
