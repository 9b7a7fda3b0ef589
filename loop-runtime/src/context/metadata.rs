//! Names and values of metadata, as gRPC defines them.

use http::{HeaderMap, HeaderName, HeaderValue};
use tonic::metadata::{BinaryMetadataValue, MetadataMap, MetadataValue};

use crate::error::{Error, Result};
use crate::transport;

/// Whether a header is the application's. The others belong to one hop: HTTP's, gRPC's and our own.
pub(super) fn travels(name: &HeaderName) -> bool {
    let text = name.as_str();
    let hop = ["content-type", "content-length", "te", "user-agent", "host", "server", "date"];
    let reserved = hop.contains(&text) || text.starts_with("grpc-") || text.starts_with("loop-");
    !reserved && !transport::is_of_one_connection(name)
}

/// The name of an application's metadata, or what is wrong with it.
pub(super) fn name(name: &str) -> Result<HeaderName> {
    let refused = |why| Error::invalid_argument(format!("`{name}` cannot name metadata: {why}"));
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
    let header = HeaderName::from_lowercase(name.as_bytes()).ok();
    let header = header
        .filter(|_| name.bytes().all(allowed))
        .ok_or_else(|| refused("gRPC takes lower-case letters, digits, `-`, `_` and `.`"))?;
    if transport::is_of_one_connection(&header) {
        return Err(refused("HTTP/2 has no such header"));
    }
    if !travels(&header) {
        return Err(refused("it is reserved"));
    }
    Ok(header)
}

/// `value` as text metadata named `name`, or what is wrong with it.
pub(super) fn value(name: &HeaderName, value: &str) -> Result<HeaderValue> {
    let refused = |why: &str| Error::invalid_argument(format!("metadata `{name}`: {why}"));
    let header = HeaderValue::from_str(value)
        .ok()
        .filter(|_| value.bytes().all(|byte| (b' '..=b'~').contains(&byte)))
        .ok_or_else(|| refused("gRPC takes printable ASCII characters; bytes need a name that ends with `-bin`"))?;
    // Peers answer `Internal` to anything else, grpc-go among them.
    if name.as_str().ends_with("-bin") && !is_base64(name, &header) {
        return Err(refused("a name that ends with `-bin` carries bytes, and the value is not base64"));
    }
    Ok(header)
}

/// Standard base64, with all of its padding or none.
fn is_base64(name: &HeaderName, value: &HeaderValue) -> bool {
    let whole = value.len().is_multiple_of(4) || !value.as_bytes().contains(&b'=');
    let one = MetadataMap::from_headers(HeaderMap::from_iter([(name.clone(), value.clone())]));
    whole && one.get_bin(name.as_str()).is_some_and(|value| value.to_bytes().is_ok())
}

/// `bytes` as the value of metadata named `name`, or what is wrong with the name.
pub(super) fn bytes(name: &HeaderName, bytes: &[u8]) -> Result<HeaderValue> {
    if !name.as_str().ends_with("-bin") {
        return Err(Error::invalid_argument(format!(
            "metadata `{name}` cannot carry bytes: gRPC takes them under names that end with `-bin`"
        )));
    }
    let value: BinaryMetadataValue = MetadataValue::from_bytes(bytes);
    HeaderValue::from_bytes(value.as_encoded_bytes()).map_err(Error::other)
}

/// All values of `name` in `headers` as bytes, `-bin` decoded. Values that are not base64 are skipped.
pub(super) fn all_bytes(headers: &HeaderMap, name: &str) -> Vec<bytes::Bytes> {
    let values = headers.get_all(name).iter().cloned();
    if !name.ends_with("-bin") {
        return values.map(|value| bytes::Bytes::copy_from_slice(value.as_bytes())).collect();
    }
    let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else { return Vec::new() };
    // One header may hold several values, as gRPC allows for binary metadata.
    let pieces = values.flat_map(|value| {
        let pieces = value.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
        pieces.filter_map(|piece| HeaderValue::from_bytes(piece).ok()).collect::<Vec<_>>()
    });
    let all = MetadataMap::from_headers(pieces.map(|piece| (name.clone(), piece)).collect());
    all.get_all_bin(name.as_str()).iter().filter_map(|value| value.to_bytes().ok()).collect()
}
