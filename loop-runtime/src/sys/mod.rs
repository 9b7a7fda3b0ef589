//! What only the operating system can do.

pub(crate) mod plugin;
