//! Objects prepared in another process: mirrors `service/handle/upgrade.rs`.

use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use tokio::sync::oneshot;
use tokio_util::task::TaskTracker;

use super::handle::{Adopted, Handle};
use super::keeper::make;
use super::link::Link;
use super::release::{discard, leave};
use super::session::Session;
use super::sim::hop;
use crate::error::Result;

/// Objects in a new process, each for a handle that is live in the old one.
pub(super) struct Prepared(Vec<One>);

struct One {
    handle: Rc<Handle>,
    link: Arc<Link>,
    made_under: u64,
    depth: usize,
}

/// Runs the recipes of everything that was made through `root`, parents first, over `link` to another process.
pub(super) async fn prepare(root: &Rc<Handle>, link: &Arc<Link>) -> Result<Prepared> {
    let mut prepared = Prepared(Vec::new());
    match prepared.below(root, link, 1).await {
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
        depth: usize,
    ) -> Pin<Box<dyn Future<Output = Result<()>> + 'a>> {
        Box::pin(async move {
            for child in parent.made_by_it() {
                hop().await;
                let Some(recipe) = child.recipe() else { continue };
                let live = child.usable().is_some();
                if child.closed.is_cancelled() || recipe.once || (child.peer_context.lazy && !live) {
                    continue;
                }
                match make(recipe, link).await {
                    Ok(made) => {
                        let made_under = link.object.number();
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

    pub(super) fn commit(self, old: &Rc<Session>) {
        let mut replaced: Vec<Vec<_>> = Vec::new();
        for One { handle, link, made_under, depth } in self.0.into_iter().rev() {
            let (sender, receiver) = oneshot::channel();
            handle.adopt(Adopted { link: link.clone(), made_under, replaced: sender });
            if handle.done.is_cancelled() && handle.adopted.borrow_mut().take().is_some() {
                let session = link.session.clone();
                session.spawn(async move { discard(&handle, &link).await });
                continue;
            }
            if replaced.len() < depth {
                replaced.resize_with(depth, Vec::new);
            }
            replaced[depth - 1].push((handle, receiver));
        }
        let (under_way, session) = (old.calls.token(), old.clone());
        old.spawn(async move {
            for row in replaced.into_iter().rev() {
                let leaving = TaskTracker::new();
                for (handle, link) in row {
                    session.spawn(leaving.track_future(async move {
                        if let Ok(link) = link.await {
                            leave(&handle, &link).await;
                        }
                    }));
                }
                leaving.close();
                leaving.wait().await;
            }
            drop(under_way);
        });
    }

    async fn abort(self) {
        for One { handle, link, .. } in self.0.into_iter().rev() {
            discard(&handle, &link).await;
        }
    }
}
