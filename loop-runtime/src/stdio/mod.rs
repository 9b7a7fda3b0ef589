//! What crosses a plugin's standard streams.

pub(crate) mod capture;
pub(crate) mod event;
pub(crate) mod fatal;
pub(crate) mod fields;
mod follow;
pub(crate) mod hclog;
pub(crate) mod lines;
mod pairs;
pub(crate) mod ring;
mod shapes;
pub(crate) mod stderr;
pub(crate) mod stream;
pub(crate) mod writer;

pub(crate) use follow::follow_stdio;
