//! The contract as it became: a field, a value, a case and a method more, a field and a method less, a wider number.

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
    /// A number, and one more; wider than it was.
    async fn next(&self, n: u64) -> Result<u64>;
    /// A method that was not there.
    async fn count(&self) -> Result<u32>;
}

/// An item.
#[derive(Clone, Debug, PartialEq, LoopMessage)]
#[message(reserved(2))]
pub(crate) struct Item {
    #[wire(1)]
    pub(crate) id: u32,
    /// Added.
    #[wire(3)]
    pub(crate) weight: u32,
}

/// A state; other numbers are kept.
#[derive(Clone, Copy, Debug, PartialEq, LoopMessage)]
pub(crate) enum State {
    #[wire(0)]
    Unspecified,
    #[wire(1)]
    Stored,
    /// Added.
    #[wire(2)]
    Moving,
    #[wire(unknown)]
    Other(i32),
}

/// A place.
#[derive(Clone, Debug, PartialEq, LoopMessage)]
pub(crate) enum Place {
    #[wire(1)]
    Row(u32),
    /// Added.
    #[wire(2)]
    Truck(String),
    #[wire(unknown)]
    Elsewhere,
}

/// The implementation.
pub(crate) struct Shelf;

impl Depot for Shelf {
    async fn put(&self, item: &Item) -> Result<Item> {
        Ok(Item { weight: item.weight.max(1), ..item.clone() })
    }

    async fn state(&self, _id: u32) -> Result<State> {
        Ok(State::Moving)
    }

    async fn set_state(&self, state: State) -> Result<State> {
        Ok(state)
    }

    async fn place(&self, _id: u32) -> Result<Place> {
        Ok(Place::Truck("north".into()))
    }

    async fn set_place(&self, place: &Place) -> Result<Place> {
        Ok(place.clone())
    }

    async fn next(&self, n: u64) -> Result<u64> {
        Ok(n + 1)
    }

    async fn count(&self) -> Result<u32> {
        Ok(1)
    }
}
