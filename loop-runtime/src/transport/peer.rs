//! How this runtime identifies itself, so that each side can tell whether its peer is this runtime.
//!
//! A client of this runtime sends a `user-agent`, a server a `server` header; Go sends neither of these values. Only
//! conveniences may depend on it (whether a disconnect is final or the peer is merely idle), never safety.

use http::{HeaderMap, HeaderValue};

const CLIENT: &str = "grpc-rust-loop/";
const SERVER: &str = "loop-runtime/";

/// `user-agent` of every request.
pub(super) static USER_AGENT: HeaderValue =
    HeaderValue::from_static(concat!("grpc-rust-loop/", env!("CARGO_PKG_VERSION")));

/// `server` of every response.
pub(super) static SERVER_NAME: HeaderValue =
    HeaderValue::from_static(concat!("loop-runtime/", env!("CARGO_PKG_VERSION")));

/// Whether a request with these headers was sent by a [`Connection`](super::Connection), of any version.
pub(crate) fn is_our_client(headers: &HeaderMap) -> bool {
    headers.get(http::header::USER_AGENT).is_some_and(|it| it.as_bytes().starts_with(CLIENT.as_bytes()))
}

/// Whether a response with these headers was sent by [`serve_connection`](super::serve_connection), of any version.
pub(crate) fn is_our_server(headers: &HeaderMap) -> bool {
    headers.get(http::header::SERVER).is_some_and(|it| it.as_bytes().starts_with(SERVER.as_bytes()))
}
