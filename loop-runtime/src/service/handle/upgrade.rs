//! Moving all handles of a plugin to another process at once.

use std::sync::Arc;

use super::handle::{Adopted, Handle, Origin};
use super::keeper::{discard, make};
use crate::error::Result;
use crate::service::base::BoxFuture;
use crate::service::session::Link;

/// Objects in a new process, each for a handle that is live in the old one. Nothing was installed yet.
pub(crate) struct Prepared(Vec<(Arc<Handle>, Adopted)>);

impl Handle {
    /// Runs the recipes of everything that was made through this root, parents first, over `link` to another process.
    /// Objects that must not be made again are left out: they are lost with their session. So are those that are not live
    /// now and cannot be made there either.
    ///
    /// # Errors
    ///
    /// The first object that is live now and cannot be made there. What had been made until then was given back.
    pub(crate) async fn prepare(self: &Arc<Self>, link: &Arc<Link>) -> Result<Prepared> {
        let mut prepared = Prepared(Vec::new());
        match prepared.below(self, link).await {
            Ok(()) => Ok(prepared),
            Err(why) => {
                prepared.abort().await;
                Err(why)
            }
        }
    }
}

impl Prepared {
    fn below<'a>(&'a mut self, parent: &'a Arc<Handle>, link: &'a Arc<Link>) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            for child in parent.made_by_it() {
                let Origin::Made(recipe) = &child.origin else { continue };
                let live = child.usable().is_some();
                if child.closed.is_cancelled() || recipe.method.once || (child.family.lazy && !live) {
                    continue;
                }
                match make(&child, recipe, link).await {
                    Ok(made) => {
                        let adopted = Adopted { link: made.clone(), made_under: link.object().number() };
                        self.0.push((child.clone(), adopted));
                        self.below(&child, &made).await?;
                    }
                    Err(why) if live => return Err(why.into_error().within(child.title())),
                    Err(_) => {}
                }
            }
            Ok(())
        })
    }

    /// Hands every keeper its new link. The old session must be retired by then, so that no call begins there any more.
    pub(crate) fn commit(self) {
        for (handle, adopted) in self.0 {
            let link = adopted.link.clone();
            handle.adopt(adopted);
            // Its keeper has ended, and nobody else comes by.
            if handle.done.is_cancelled() && handle.take_adopted().is_some() {
                link.session().tasks().spawn({
                    let link = link.clone();
                    async move { discard(&handle, &link).await }
                });
            }
        }
    }

    /// Gives everything back, children first.
    pub(crate) async fn abort(self) {
        for (handle, adopted) in self.0.into_iter().rev() {
            discard(&handle, &adopted.link).await;
        }
    }
}
