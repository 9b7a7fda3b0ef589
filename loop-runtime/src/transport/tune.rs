//! HTTP/2's numbers, the same for both ends.

use super::limits::Limits;

/// A message of 1 MiB arrives without waiting for the window to be opened again.
const STREAM_WINDOW: u32 = 4 << 20;

/// Shared by all calls, and as large as it can be: 500 calls whose messages nobody reads do not fill it with what their own
/// windows let through, and so none of them holds up another, the check of health above all. What bounds memory are the
/// windows of the calls and how many there are.
const CONNECTION_WINDOW: u32 = i32::MAX as u32;

/// h2 ends a connection with more short DATA frames unread than this has room for, at 256 bytes each. Twenty thousand calls
/// in flight easily have two thousand.
const SHORT_FRAMES: usize = 16 << 20;

/// How many calls are taken beyond those that are handled at a time: the runtime's own, and as many as wait for their turn.
/// Peers begin up to a hundred calls before they have heard of any limit, and none of them is to be refused.
pub(super) const RESERVE: u32 = 128;

/// The largest piece that a peer may send at once. A message that fits is handed on without being put together:
/// against HTTP/2's 16 KiB, this halves the time of a call of 1 MiB and its processor time. Its price: h2 derives from it
/// in how many pieces a header list may come, about ten, and grpc-go's pieces are of 16 KiB. So replies pass through
/// [`HeaderBlocks`](super::header_blocks::HeaderBlocks) before; requests do not, whose headers have no error texts.
pub(super) const FRAME: u32 = 2 << 20;

/// h2 takes twenty calls that are cancelled before they were looked at for an attack; a local peer that drops
/// thousands of futures at once is none. For the same reason nobody counts, over the life of a connection, the frames
/// that come for streams which were forgotten after a reset; h2 gives up at 1024.
const RESET_STREAMS: usize = 65_536;

/// Calls before the peer has said how many it takes at the same time.
const FIRST_STREAMS: usize = 100;

/// Nobody pings: see [`Connection`](super::Connection).
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
