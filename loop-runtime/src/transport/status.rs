//! gRPC statuses in headers.

use http::{HeaderMap, StatusCode};
use tonic::metadata::MetadataMap;
use tonic::{Code, Status};

const DETAILS: &str = "grpc-status-details-bin";

/// The status in a peer's headers or trailers, if there is one.
///
///Details that are not base64 are dropped: tonic panics on them.
pub(super) fn received(headers: &HeaderMap) -> Option<Status> {
    if !headers.contains_key("grpc-status") {
        return None;
    }
    if let Some(details) = headers.get(DETAILS) {
        let mut one = HeaderMap::new();
        one.insert(DETAILS, details.clone());
        let readable = MetadataMap::from_headers(one).get_bin(DETAILS).is_some_and(|it| it.to_bytes().is_ok());
        if !readable {
            let mut headers = headers.clone();
            headers.remove(DETAILS);
            return Status::from_header_map(&headers);
        }
    }
    Status::from_header_map(headers)
}

/// The status for an HTTP response that is not gRPC: with the code that gRPC's specification maps it to.
pub(super) fn of_http(status: StatusCode) -> Status {
    let code = match status {
        StatusCode::BAD_REQUEST => Code::Internal,
        StatusCode::UNAUTHORIZED => Code::Unauthenticated,
        StatusCode::FORBIDDEN => Code::PermissionDenied,
        StatusCode::NOT_FOUND => Code::Unimplemented,
        StatusCode::TOO_MANY_REQUESTS
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT => Code::Unavailable,
        _ => Code::Unknown,
    };
    Status::new(code, format!("the peer answered with HTTP status {status} and no gRPC status"))
}
