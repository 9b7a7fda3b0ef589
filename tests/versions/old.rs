//! The contract as it was first.

use loop_runtime::{LoopMessage, Result, loop_service};

/// Keeps items.
#[loop_service(package = "versions.depot")]
pub(crate) trait Depot {
    /// Puts an item, and says what was put.
    async fn put(&self, item: &Item) -> Result<Item>;
    /// The state of an item.
    async fn state(&self, id: u32) -> Result<State>;
    /// The same state, from a caller who knows it.
    async fn set_state(&self, state: State) -> Result<State>;
    /// Where an item is.
    async fn place(&self, id: u32) -> Result<Place>;
    /// The same place, from a caller who knows it.
    async fn set_place(&self, place: &Place) -> Result<Place>;
    /// A number, and one more.
    async fn next(&self, n: u32) -> Result<u32>;
    /// A method that was removed later.
    async fn audit(&self) -> Result<u32>;
}

/// An item.
#[derive(Clone, Debug, PartialEq, LoopMessage)]
pub(crate) struct Item {
    #[wire(1)]
    pub(crate) id: u32,
    /// Removed later.
    #[wire(2)]
    pub(crate) color: String,
}

/// A state; other numbers are kept.
#[derive(Clone, Copy, Debug, PartialEq, LoopMessage)]
pub(crate) enum State {
    #[wire(0)]
    Unspecified,
    #[wire(1)]
    Stored,
    #[wire(unknown)]
    Other(i32),
}

/// A place.
#[derive(Clone, Debug, PartialEq, LoopMessage)]
pub(crate) enum Place {
    #[wire(1)]
    Row(u32),
    #[wire(unknown)]
    Elsewhere,
}

/// The implementation.
pub(crate) struct Shelf;

impl Depot for Shelf {
    async fn put(&self, item: &Item) -> Result<Item> {
        Ok(item.clone())
    }

    async fn state(&self, _id: u32) -> Result<State> {
        Ok(State::Stored)
    }

    async fn set_state(&self, state: State) -> Result<State> {
        Ok(state)
    }

    async fn place(&self, _id: u32) -> Result<Place> {
        Ok(Place::Row(7))
    }

    async fn set_place(&self, place: &Place) -> Result<Place> {
        Ok(place.clone())
    }

    async fn next(&self, n: u32) -> Result<u32> {
        Ok(n.wrapping_add(1))
    }

    async fn audit(&self) -> Result<u32> {
        Ok(1)
    }
}
