//! What crosses a plugin's standard streams.

pub(crate) mod hclog;
pub(crate) mod lines;
