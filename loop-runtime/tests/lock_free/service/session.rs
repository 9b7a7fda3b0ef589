//! An object, and what is lent to it.

pub(crate) mod lease;

#[path = "../../../src/service/session/object.rs"]
pub(crate) mod object;
