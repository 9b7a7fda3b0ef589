//! Files of the library.

pub(crate) mod base;
pub(crate) mod session;
