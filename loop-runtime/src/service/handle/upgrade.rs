//! Moving all handles of a plugin to another process at once.

use std::sync::Arc;

use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::handle::{Adopted, Handle, Origin};
use super::keeper::{discard, leave, make};
use crate::error::Result;
use crate::service::base::BoxFuture;
use crate::service::session::{Link, Session};

/// Objects in a new process, each for a handle that is live in the old one. None is installed yet.
pub(crate) struct Prepared(Vec<One>);

struct One {
    handle: Arc<Handle>,
    link: Arc<Link>,
    made_under: u64,
    /// The number of ancestors up to the root.
    depth: usize,
}

impl Handle {
    /// Runs the recipes of everything that was made through this root, parents first, over `link` to another process.
    /// Objects that must not be recreated are skipped: they are lost with their session. So are those that are not live
    /// now and cannot be made there either.
    ///
    /// # Errors
    ///
    /// That of the first object that is live now and cannot be made there. What had been made until then was released.
    pub(crate) async fn prepare(self: &Arc<Self>, link: &Arc<Link>) -> Result<Prepared> {
        let mut prepared = Prepared(Vec::new());
        match prepared.below(self, link, 1).await {
            Ok(()) => Ok(prepared),
            Err(why) => {
                prepared.abort().await;
                Err(why)
            }
        }
    }
}

impl Prepared {
    fn below<'a>(
        &'a mut self,
        parent: &'a Arc<Handle>,
        link: &'a Arc<Link>,
        depth: usize,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            for child in parent.made_by_it() {
                let Origin::Made(recipe) = &child.origin else { continue };
                let live = child.usable().is_some();
                if child.closed.is_cancelled() || recipe.method.once || (child.peer_context.lazy && !live) {
                    continue;
                }
                match make(&child, recipe, link).await {
                    Ok(made) => {
                        let made_under = link.object().number();
                        self.0.push(One { handle: child.clone(), link: made.clone(), made_under, depth });
                        self.below(&child, &made, depth + 1).await?;
                    }
                    Err(why) if live => return Err(why.into_error().within(child.title())),
                    Err(_) => {}
                }
            }
            Ok(())
        })
    }

    /// Hands every keeper its new link, and releases the objects of `old` once the calls in flight are answered:
    /// children first, as always. `old` is retired by then, so that no call begins there any more, and callers do not
    /// see the root of the new session yet: a keeper that saw it first would make an object of its own.
    pub(crate) fn commit(self, old: &Arc<Session>) {
        let mut replaced: Vec<Vec<_>> = Vec::new();
        // Children first, for the same reason.
        for One { handle, link, made_under, depth } in self.0.into_iter().rev() {
            let (sender, receiver) = oneshot::channel();
            handle.adopt(Adopted { link: link.clone(), made_under, replaced: sender });
            // Its keeper has ended, and nobody else takes it.
            if handle.done.is_cancelled() && handle.take_adopted().is_some() {
                let session = link.session().clone();
                session.tasks().spawn(async move { discard(&handle, &link).await });
                continue;
            }
            if replaced.len() < depth {
                replaced.resize_with(depth, Vec::new);
            }
            replaced[depth - 1].push((handle, receiver));
        }
        // The process is not asked to end before that.
        let under_way = old.calls().token();
        old.tasks().spawn(async move {
            for row in replaced.into_iter().rev() {
                let mut leaving = JoinSet::new();
                for (handle, link) in row {
                    leaving.spawn(async move {
                        // Its keeper had none, or has ended with it.
                        if let Ok(link) = link.await {
                            leave(&handle, &link).await;
                        }
                    });
                }
                leaving.join_all().await;
            }
            drop(under_way);
        });
    }

    /// Releases everything, children first.
    pub(crate) async fn abort(self) {
        for One { handle, link, .. } in self.0.into_iter().rev() {
            discard(&handle, &link).await;
        }
    }
}
