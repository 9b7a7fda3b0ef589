//! What one connection accepts.

/// Limits of one connection: one type for both directions, with different defaults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// The longest message accepted, in bytes; a longer one is refused with `ResourceExhausted` before it is read.
    pub(crate) max_receive: usize,
    /// The longest header list accepted, in bytes as HTTP/2 counts them; no longer one is sent. Error messages travel
    /// in headers: a call that ends with a longer one is lost, and its message with it.
    pub(crate) max_header_list: u32,
    /// How many calls of the peer are handled concurrently on one connection, at least 1: 0 is taken as 1. Further ones
    /// queue in order. Calls between the two runtimes, such as the health check, are not counted. Only servers use it.
    pub(crate) max_in_flight: u32,
}

impl Limits {
    /// 16 MiB, as grpc-go; hyper's default of 16 KiB breaks calls that fail with a long text.
    const HEADER_LIST: u32 = 16 << 20;
    /// High enough that nested calls do not block each other, low enough to bound the cost of a runaway peer.
    const IN_FLIGHT: u32 = 65_536;

    /// [`max_in_flight`](Self::max_in_flight), at least 1.
    pub(super) fn at_a_time(&self) -> u32 {
        self.max_in_flight.max(1)
    }

    /// For the calling side: replies of up to `i32::MAX` bytes, as go-plugin's hosts.
    pub(crate) const fn client() -> Self {
        Self { max_receive: i32::MAX as usize, max_header_list: Self::HEADER_LIST, max_in_flight: Self::IN_FLIGHT }
    }

    /// For the serving side: requests of up to 128 MiB.
    pub(crate) const fn server() -> Self {
        Self { max_receive: 128 << 20, max_header_list: Self::HEADER_LIST, max_in_flight: Self::IN_FLIGHT }
    }
}
