//! Whatever a peer sends is read or refused.

use std::convert::Infallible;

use http::HeaderValue;
use http_body::Frame;
use http_body_util::StreamBody;
use proptest::collection::vec;
use proptest::prelude::*;
use tonic::Code;
use tonic::codegen::tokio_stream;

use super::frame::{Read, ReadError};
use super::*;

/// Reads a body that arrives in these pieces, without ever waiting.
fn read(pieces: Vec<Vec<u8>>, limit: usize) -> Result<Read, Box<Status>> {
    let frames = pieces.into_iter().map(|it| Ok::<_, Infallible>(Frame::data(Bytes::from(it))));
    let body = StreamBody::new(tokio_stream::iter(frames));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(frame::read(body, limit)).map_err(|error| match error {
        ReadError::Refused(status) => status,
        ReadError::Body(never) => match never {},
    })
}

fn cut(bytes: &[u8], mut at: Vec<usize>) -> Vec<Vec<u8>> {
    at.iter_mut().for_each(|it| *it %= bytes.len() + 1);
    at.sort_unstable();
    let ends = at.iter().copied().chain([bytes.len()]);
    let starts = [0].into_iter().chain(at.iter().copied());
    starts.zip(ends).map(|(start, end)| bytes[start..end].to_vec()).collect()
}

proptest! {
    #[test]
    fn a_message_is_the_same_however_it_is_cut(message in vec(any::<u8>(), 0..300), at in vec(any::<usize>(), 0..8)) {
        let mut framed = vec![0];
        framed.extend((message.len() as u32).to_be_bytes());
        framed.extend(&message);
        let read = read(cut(&framed, at.clone()), message.len()).unwrap();
        prop_assert_eq!(read.message.unwrap(), &message[..]);

        // one byte less or more is not a message, and one byte over the limit is too long
        prop_assert!(self::read(cut(&framed[..framed.len() - 1], at.clone()), 300).is_err());
        framed.push(0);
        prop_assert!(self::read(cut(&framed, at.clone()), 300).is_err());
        framed.pop();
        if !message.is_empty() {
            let error = self::read(cut(&framed, at), message.len() - 1).unwrap_err();
            prop_assert_eq!(error.code(), Code::ResourceExhausted);
        }
    }

    #[test]
    fn any_bytes_are_a_message_or_refused(bytes in vec(any::<u8>(), 0..40), zeros in 0..5_usize, at in vec(any::<usize>(), 0..4)) {
        let bytes: Vec<u8> = vec![0; zeros].into_iter().chain(bytes).collect();
        if let Ok(read) = read(cut(&bytes, at), usize::MAX) {
            match read.message {
                None => prop_assert!(bytes.is_empty()),
                Some(message) => prop_assert!(bytes[0] == 0 && message == bytes[5..]),
            }
        }
    }

    #[test]
    fn any_status_headers_are_read(code in vec(any::<u8>(), 0..4), message in vec(any::<u8>(), 0..20), details in "[A-Za-z0-9+/=!]{0,9}") {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("grpc-status", code.as_slice()),
            ("grpc-message", message.as_slice()),
            ("grpc-status-details-bin", details.as_bytes()),
        ] {
            if let Ok(value) = HeaderValue::from_bytes(value) {
                headers.insert(name, value);
            }
        }
        prop_assert_eq!(status::received(&headers).is_some(), headers.contains_key("grpc-status"));
    }
}
