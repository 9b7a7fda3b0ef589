//! Which handle an object belongs to and under which object it was made, up to the root: recorded apart from the end
//! trees, to check those against it.

use std::cell::Cell;
use std::rc::Rc;

use super::ledger::{Ledger, Promise};

/// Where an object comes from.
pub(super) struct Descent {
    pub(super) plugin: usize,
    /// The handle that it was made for.
    handle: u64,
    /// Its generation and its number, in this order, because an upgrade makes its objects before they are installed.
    at: (u64, u64),
    /// That of the object that made it; `None` for the root of a session.
    parent: Option<Rc<Self>>,
    /// It was ended by itself, not with an ancestor.
    was_ended: Cell<bool>,
}

impl Descent {
    pub(super) fn root(plugin: usize, handle: u64, at: (u64, u64)) -> Rc<Self> {
        Rc::new(Self { plugin, handle, at, parent: None, was_ended: Cell::new(false) })
    }

    /// That of the object with `number`, which this one makes for `handle`.
    pub(super) fn child(self: &Rc<Self>, handle: u64, number: u64) -> Rc<Self> {
        let at = (self.at.0, number);
        Rc::new(Self { plugin: self.plugin, handle, at, parent: Some(self.clone()), was_ended: Cell::new(false) })
    }

    pub(super) fn generation(&self) -> u64 {
        self.at.0
    }

    pub(super) fn end(&self) {
        self.was_ended.set(true);
    }

    /// It and its ancestors, up to the root.
    fn line(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |it| it.parent.as_deref())
    }
}

impl Ledger {
    /// An object is installed in its handle, if it is usable.
    pub(super) fn installed(&mut self, of: &Descent, is_usable: bool) {
        let newest = &mut self.handle(of.handle).newest;
        *newest = of.at.max(*newest);
        let newest = *newest;
        if newest > of.at {
            self.broken(Promise::Newest, || format!("handle {} goes back from {newest:?} to {:?}", of.handle, of.at));
        }
        if is_usable {
            self.is_newest(of, "callers are given");
        }
    }

    /// A handle redials its object, and knows that its parent has one.
    pub(super) fn dials_again(&mut self, of: &Descent) {
        let (generation, published) = (of.generation(), self.plugins[of.plugin].published);
        if generation < published {
            self.broken(Promise::Newest, || {
                format!("handle {} dials into generation {generation}, and {published} is there", of.handle)
            });
        }
        self.is_newest(of, "it dials");
    }

    /// Neither `of` nor any of its ancestors has ended or was replaced.
    pub(super) fn is_newest(&mut self, of: &Descent, what: &str) {
        let fault = of.line().find_map(|it| {
            let newest = self.handles.get(&it.handle).map_or((0, 0), |known| known.newest);
            match it.was_ended.get() {
                true => Some(format!("object {:?} of handle {} has ended", it.at, it.handle)),
                false if newest > it.at => Some(format!("handle {} has {newest:?}, not {:?}", it.handle, it.at)),
                false => None,
            }
        });
        if let Some(fault) = fault {
            self.broken(Promise::Newest, || format!("handle {}: {what} object {:?}, and {fault}", of.handle, of.at));
        }
    }
}
