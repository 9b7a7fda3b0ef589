//! The values below sessions, as far as several threads read and write them at once.

#[path = "../../../src/service/base/life.rs"]
mod life;

#[path = "../../../src/service/base/place.rs"]
mod place;

pub(crate) use life::Life;
pub(crate) use place::Place;
