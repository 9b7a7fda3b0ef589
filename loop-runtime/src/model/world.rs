//! The two plugins of a schedule and what a host made through them: a relayer with a provider, and a median whose factory is
//! lent the provider and makes a reporting plugin.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Instant;

use super::calls::construct;
use super::far::Process;
use super::handle::{Recipe, User};
use super::lease::Export;
use super::ledger;
use super::plugin::{Owner, Shared};
use super::service::Nature;
use super::sim;
use crate::error::Result;

pub(super) const RELAYER: usize = 0;
pub(super) const MEDIAN: usize = 1;

/// What is made, by place.
pub(super) const KINDS: [Kind; 4] = [
    Kind { name: "relayer", plugin: RELAYER, under: None, lends: 1, forwards: None },
    Kind { name: "provider", plugin: RELAYER, under: Some(0), lends: 0, forwards: None },
    Kind { name: "factory", plugin: MEDIAN, under: None, lends: 1, forwards: Some(1) },
    Kind { name: "reporting", plugin: MEDIAN, under: Some(2), lends: 0, forwards: None },
];

pub(super) struct Kind {
    pub(super) name: &'static str,
    pub(super) plugin: usize,
    /// The place of the parent; `None` for one that the plugin's root makes.
    pub(super) under: Option<usize>,
    pub(super) lends: usize,
    /// The place of what is lent on to it.
    pub(super) forwards: Option<usize>,
}

pub(super) struct World {
    pub(super) plugins: Vec<Rc<Shared>>,
    /// Kept until they are closed by a drop.
    pub(super) owners: RefCell<Vec<Option<Rc<Owner>>>>,
    pub(super) users: RefCell<Vec<Option<Rc<User>>>>,
    pub(super) natures: Vec<Rc<Cell<Nature>>>,
    /// Places whose object is not recreated.
    pub(super) once: Vec<bool>,
    /// No new faults, no new handles.
    pub(super) is_calm: Cell<bool>,
    /// Ends when all callers have.
    pub(super) callers: Cell<usize>,
}

impl World {
    pub(super) fn root(&self, plugin: usize) -> Option<Rc<User>> {
        let owner = self.owners.borrow()[plugin].clone()?;
        Some(User::root(self.plugins[plugin].root.clone(), owner))
    }

    pub(super) fn user(&self, place: usize) -> Option<Rc<User>> {
        self.users.borrow()[place].clone()
    }

    /// Any handle, the roots too.
    pub(super) fn any(&self) -> Option<Rc<User>> {
        match sim::random(|random| random.below(8)) {
            0 => self.root(RELAYER),
            1 => self.root(MEDIAN),
            place => self.user(place % KINDS.len()),
        }
    }

    /// Makes the handle at `place`: the first call of its constructor.
    pub(super) async fn make(&self, place: usize, deadline: Option<Instant>) -> Option<Result<Rc<User>>> {
        let kind = &KINDS[place];
        let parent = match kind.under {
            Some(under) => self.user(under)?,
            None => self.root(kind.plugin)?,
        };
        let mut exports = vec![Export::Plain; kind.lends];
        if let Some(forwarded) = kind.forwards {
            exports.push(Export::Forward(self.user(forwarded)?));
        }
        let recipe = Recipe {
            parent: parent.clone(),
            number: ledger::next_number(),
            once: self.once[place],
            exports: exports.into(),
            nature: self.natures[place].clone(),
            asks_first: kind.forwards.is_some(),
        };
        ledger::log!("the {} is made as handle {}", kind.name, recipe.number);
        Some(construct(parent.handle().clone(), recipe, deadline).await)
    }

    pub(super) fn process(&self, plugin: usize) -> Option<Rc<Process>> {
        self.plugins[plugin].running.borrow().clone()
    }
}
