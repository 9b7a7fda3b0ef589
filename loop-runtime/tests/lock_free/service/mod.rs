//! Files of the library.

pub(crate) mod lease;

#[path = "../../../src/service/life.rs"]
pub(crate) mod life;

#[path = "../../../src/service/object.rs"]
pub(crate) mod object;

#[path = "../../../src/service/place.rs"]
pub(crate) mod place;
