//! HTTP/2 settings, the same for both sides.

use super::limits::Limits;

/// A message of 1 MiB arrives without waiting for a window update.
const STREAM_WINDOW: u32 = 4 << 20;

/// Shared by all calls, and as large as it can be: 500 calls whose messages nobody reads do not fill it with what their own
/// windows let through, so none of them blocks another, the health check above all. Memory is bounded by the
/// windows of the calls and their number.
const CONNECTION_WINDOW: u32 = i32::MAX as u32;

/// h2 ends a connection with more short DATA frames unread than fit here, at 256 bytes each. Twenty thousand calls
/// in flight easily have two thousand.
const SHORT_FRAMES: usize = 16 << 20;

/// How many calls are accepted beyond those that are handled concurrently: the runtime's own, and queued ones.
/// Peers begin up to a hundred calls before they have received any SETTINGS, and none of them is to be refused.
pub(super) const RESERVE: u32 = 128;

/// The largest frame that a peer may send. A message that fits is passed on without being reassembled: compared to
/// HTTP/2's 16 KiB, this halves the time of a call of 1 MiB and its CPU time. Its price: h2 derives from it how many
/// frames a header list may have, about ten, and grpc-go's frames have 16 KiB. So input passes through
/// [`HeaderBlocks`](super::header_blocks::HeaderBlocks) first.
pub(super) const FRAME: u32 = 2 << 20;

/// h2 treats twenty calls that are cancelled before they were accepted as an attack; a local peer that drops thousands
/// of futures at once is none. For the same reason there is no limit, over the life of a connection, on frames for
/// streams that were forgotten after a reset; h2 gives up at 1024.
const RESET_STREAMS: usize = 65_536;

/// Concurrent calls before the peer's SETTINGS are known.
const FIRST_STREAMS: usize = 100;

/// No pings: see [`Connection`](super::Connection).
pub(super) fn client(limits: &Limits) -> h2::client::Builder {
    let mut builder = h2::client::Builder::new();
    builder
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .data_frame_budget(SHORT_FRAMES)
        .max_frame_size(FRAME)
        .max_header_list_size(limits.max_header_list)
        .initial_max_send_streams(FIRST_STREAMS)
        .max_pending_accept_reset_streams(RESET_STREAMS)
        .max_concurrent_reset_streams(RESET_STREAMS)
        .max_local_error_reset_streams(None)
        .enable_push(false);
    builder
}

pub(super) fn server(limits: &Limits) -> h2::server::Builder {
    let mut builder = h2::server::Builder::new();
    builder
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .data_frame_budget(SHORT_FRAMES)
        .max_frame_size(FRAME)
        .max_header_list_size(limits.max_header_list)
        .max_concurrent_streams(limits.at_a_time().saturating_add(RESERVE))
        .max_pending_accept_reset_streams(RESET_STREAMS)
        .max_local_error_reset_streams(None);
    builder
}
