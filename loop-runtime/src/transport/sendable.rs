//! Which headers a request can carry.

use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, header};

/// The overhead that HTTP/2 counts for each header field, in bytes.
const EACH: usize = 32;

/// `:method`, `:scheme`, `:authority` and `:path`, as HTTP/2 counts them, without the path.
const PSEUDO: usize = 174;

/// Whether `name` is a connection-specific header of HTTP/1. HTTP/2 forbids those, and peers treat a request that has
/// one as malformed.
pub(crate) fn is_of_one_connection(name: &HeaderName) -> bool {
    matches!(name.as_str(), "connection" | "keep-alive" | "proxy-connection" | "transfer-encoding" | "upgrade")
}

/// Checks a request before anything of it is sent.
///
/// # Errors
///
/// Why it cannot be sent: a header that HTTP/2 forbids, or a list of more than `most` bytes.
pub(super) fn check(path: &PathAndQuery, headers: &HeaderMap, most: usize) -> Result<(), String> {
    let mut size = PSEUDO + path.as_str().len();
    for (name, value) in headers {
        if is_of_one_connection(name) || (name == header::TE && value != "trailers") {
            return Err(format!(
                "HTTP/2 cannot carry the header `{name}: {}`",
                String::from_utf8_lossy(value.as_bytes())
            ));
        }
        size += name.as_str().len() + value.len() + EACH;
    }
    if size > most {
        return Err(format!("headers of {size} bytes are more than the {most} that are allowed"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn check_one(name: &'static str, value: &str, most: usize) -> Result<(), String> {
        let value = HeaderValue::from_str(value).unwrap();
        let headers = HeaderMap::from_iter([(HeaderName::from_static(name), value)]);
        check(&PathAndQuery::from_static("/a.B/C"), &headers, most)
    }

    #[test]
    fn each_header_of_one_connection_is_named() {
        for name in ["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade", "te"] {
            let why = check_one(name, "x", usize::MAX).unwrap_err();
            assert_eq!(why, format!("HTTP/2 cannot carry the header `{name}: x`"));
        }
        check_one("te", "trailers", usize::MAX).unwrap();
        check_one("x-te", "x", usize::MAX).unwrap();
    }

    #[test]
    fn the_size_is_http_2s() {
        // RFC 9113, 6.5.2: of the four pseudo headers with `POST`, `http`, `localhost` and the path, and of this one.
        let size = (7 + 4) + (7 + 4) + (10 + 9) + (5 + 6) + (6 + 100) + 5 * 32;
        check_one("x-long", &"v".repeat(100), size).unwrap();
        let why = check_one("x-long", &"v".repeat(101), size).unwrap_err();
        assert_eq!(why, format!("headers of {} bytes are more than the {size} that are allowed", size + 1));
    }
}
