//! What this process uses of the system.

/// As `/metrics` tells it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    /// Bytes in memory.
    pub(crate) resident: f64,
    /// Open file descriptors.
    pub(crate) descriptors: f64,
    /// Seconds of processor time, user and system.
    pub(crate) cpu: f64,
}
