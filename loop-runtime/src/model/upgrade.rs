//! Objects made ready in another process: as `service/handle/upgrade.rs` has it.

use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use super::handle::{Adopted, Handle};
use super::keeper::make;
use super::link::Link;
use super::release::discard;
use super::sim::hop;
use crate::error::Result;

/// Objects in a new process, each for a handle that is live in the old one.
pub(super) struct Prepared(Vec<(Rc<Handle>, Adopted)>);

/// Runs the recipes of everything that was made through `root`, parents first, over `link` to another process.
pub(super) async fn prepare(root: &Rc<Handle>, link: &Arc<Link>) -> Result<Prepared> {
    let mut prepared = Prepared(Vec::new());
    match prepared.below(root, link).await {
        Ok(()) => Ok(prepared),
        Err(why) => {
            prepared.abort().await;
            Err(why)
        }
    }
}

impl Prepared {
    fn below<'a>(
        &'a mut self,
        parent: &'a Rc<Handle>,
        link: &'a Arc<Link>,
    ) -> Pin<Box<dyn Future<Output = Result<()>> + 'a>> {
        Box::pin(async move {
            for child in parent.made_by_it() {
                hop().await;
                let Some(recipe) = child.recipe() else { continue };
                let live = child.usable().is_some();
                if child.closed.is_cancelled() || recipe.once || (child.family.lazy && !live) {
                    continue;
                }
                match make(recipe, link).await {
                    Ok(made) => {
                        let adopted = Adopted { link: made.clone(), made_under: link.object.number() };
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

    pub(super) fn commit(self) {
        for (handle, adopted) in self.0 {
            let link = adopted.link.clone();
            handle.adopt(adopted);
            if handle.done.is_cancelled() && handle.adopted.borrow_mut().take().is_some() {
                let session = link.session.clone();
                session.spawn(async move { discard(&handle, &link).await });
            }
        }
    }

    async fn abort(self) {
        for (handle, adopted) in self.0.into_iter().rev() {
            discard(&handle, &adopted.link).await;
        }
    }
}
