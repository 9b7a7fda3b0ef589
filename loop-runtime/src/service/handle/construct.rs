//! The first call of a constructor: the user's own.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use super::attempts::Class;
use super::calls::{Attempting, lost, over_links};
use super::handle::Handle;
use super::recipe::{Made, Recipe};
use super::remote::Remote;
use crate::context::Context;
use crate::error::{Code, Error, Result};
use crate::service::base::settle;
use crate::service::session::{AttemptError, Link};

/// Runs a first constructor call in a task of its own: once the request is sent, it completes even if the caller is
/// dropped, and the object is then closed; a cancelled call would leave it behind.
///
/// # Errors
///
/// As [`Handle::call`]; error statuses are returned at once, and no handle exists then.
pub(super) async fn construct(parent: Arc<Handle>, recipe: Recipe) -> Result<(Bytes, Option<Remote>)> {
    let (context, path) = (Context::current(), recipe.method.path);
    let waiting = CancellationToken::new();
    let abandoned = waiting.clone();
    let _waiting = waiting.drop_guard();
    let deadline = context.deadline;
    let run = {
        let context = context.clone();
        async move { run(&parent, recipe, &context, &abandoned).await }
    };
    let task = tokio::spawn(context.scope(run));
    let expired = async {
        match deadline {
            Some(at) => tokio::time::sleep_until((at + settle::CONSTRUCTOR).into()).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        biased;
        joined = task => {
            joined.unwrap_or_else(|why| Err(Error::internal(format!("the constructor call ended early: {why}"))))
        }
        () = expired => Err(Error::deadline_after(path)),
    }
}

async fn run(
    parent: &Arc<Handle>,
    recipe: Recipe,
    context: &Context,
    abandoned: &CancellationToken,
) -> Result<(Bytes, Option<Remote>)> {
    // Closing waits for it: the new object is closed before its parent.
    let _child = parent.children.token();
    let made = {
        let constructing = Constructing { parent, recipe: &recipe, context, abandoned };
        over_links(parent, Class::Constructor, &constructing).await?
    };
    // Wrapped as for a user: if nobody takes it, the drop closes it.
    let remote = made.link.map(|link| Remote::new(Handle::made(recipe, link, made.under)));
    Ok((made.reply, remote))
}

struct Constructing<'a> {
    parent: &'a Handle,
    recipe: &'a Recipe,
    context: &'a Context,
    abandoned: &'a CancellationToken,
}

impl Attempting for Constructing<'_> {
    type Reply = Made;

    async fn attempt(&self, link: &Arc<Link>) -> Result<Made, AttemptError> {
        // Once abandoned, it is not sent any more.
        if self.abandoned.is_cancelled() {
            return Err(AttemptError::Impossible(went_away()));
        }
        self.recipe.attempt(link, self.context).await
    }

    fn until(&self) -> Instant {
        self.parent.patience(self.context)
    }

    async fn abandoned(&self) -> Error {
        self.abandoned.cancelled().await;
        went_away()
    }

    fn lost(&self, link: &Link, error: Error) -> impl Future<Output = Error> + Send {
        lost(link, self.recipe.method, error, self.context)
    }
}

fn went_away() -> Error {
    Error::new(Code::Cancelled, "the caller went away")
}
