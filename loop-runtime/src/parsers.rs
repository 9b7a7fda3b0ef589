//! Every parser of foreign bytes behind one door, for the fuzz targets of `fuzz/` and for the replay of their corpora.
//!
//! Each takes any bytes, and must neither panic nor take memory or time out of proportion to them. What a parser says
//! about its input is for the tests beside it.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};

use crate::broker::{Broker, BrokerTransport};
use crate::error::rich_status;
use crate::host::parse_handshake_line;
use crate::proto::plugin::ConnInfo;
use crate::stdio::event::Arranged;
use crate::stdio::hclog::Parser;
use crate::stdio::lines::Lines;
use crate::transport::{Address, Offer, Security, header_blocks_of, received_timeout};
use crate::wire::{Struct, decode, encode};

/// The names of the targets, as in `fuzz/fuzz_targets` and `fuzz/corpus`.
pub const TARGETS: &[&str] = &[
    "handshake_line",
    "announcement",
    "hclog",
    "message",
    "timeout",
    "details",
    "header_blocks",
    #[cfg(feature = "auto-mtls")]
    "certificate",
    #[cfg(feature = "mux")]
    "knocks",
    #[cfg(feature = "mux")]
    "streams",
];

/// Gives `bytes` to the parser `target`.
pub fn parse(target: &str, bytes: &[u8]) {
    match target {
        "handshake_line" => handshake_line(bytes),
        "announcement" => announcement(bytes),
        "hclog" => hclog(bytes),
        "message" => message(bytes),
        "timeout" => timeout(bytes),
        "details" => details(bytes),
        "header_blocks" => header_blocks_of(bytes),
        #[cfg(feature = "auto-mtls")]
        "certificate" => certificate(bytes),
        #[cfg(feature = "mux")]
        "knocks" => knocks(bytes),
        #[cfg(feature = "mux")]
        "streams" => crate::transport::streams_of(bytes),
        _ => unreachable!("{target} is none of {TARGETS:?}"),
    }
}

fn handshake_line(bytes: &[u8]) {
    drop(parse_handshake_line(bytes, &[0, 1], &Offer::default()));
    #[cfg(feature = "auto-mtls")]
    {
        static OFFER: std::sync::LazyLock<Offer> =
            std::sync::LazyLock::new(|| crate::transport::TlsMode::Tls.offer().unwrap_or_default());
        drop(parse_handshake_line(bytes, &[0, 1], &OFFER));
    }
}

/// Of a plugin, of a host.
#[cfg(feature = "auto-mtls")]
fn certificate(bytes: &[u8]) {
    use crate::transport::Certificate;
    if let Ok(text) = std::str::from_utf8(bytes) {
        drop(Certificate::from_field(text.trim()));
    }
    drop(Certificate::from_pem(bytes));
    drop(Certificate::from_der(bytes.to_vec()));
}

fn announcement(bytes: &[u8]) {
    let Ok(info) = <ConnInfo as prost::Message>::decode(bytes) else { return };
    if let Ok(address) = Address::parse(&info.network, &info.address) {
        // What is accepted can be announced again, unchanged.
        assert_eq!(Address::parse(address.network(), &address.to_string()).ok(), Some(address));
    }
    let (outgoing, _) = tokio::sync::mpsc::channel(1);
    Broker::new(BrokerTransport::sockets(std::env::temp_dir()), Security::None, crate::broker::DIAL_TIMEOUT, outgoing)
        .received(info);
}

/// What a peer says, message after message, to a side that listens on one id.
#[cfg(feature = "mux")]
fn knocks(mut bytes: &[u8]) {
    use crate::broker::Knocks;
    let (outgoing, mut said) = tokio::sync::mpsc::channel(4);
    let route = BrokerTransport::Multiplexed(Knocks::new());
    let broker = Broker::new(route, Security::None, crate::broker::DIAL_TIMEOUT, outgoing);
    let listening = std::pin::pin!(broker.listen()).poll(&mut std::task::Context::from_waker(std::task::Waker::noop()));
    assert!(listening.is_ready(), "there is room for what it says");
    while let Ok(message) = <ConnInfo as prost::Message>::decode_length_delimited(&mut bytes) {
        let knock = message.knock.as_ref().is_some_and(|knock| knock.knock && !knock.ack);
        let id = message.service_id;
        broker.received(message);
        while let Ok(answer) = said.try_recv() {
            assert!(knock && answer.service_id == id, "an answer to no question");
        }
    }
}

fn hclog(bytes: &[u8]) {
    let (mut lines, mut parser) = (Lines::new(64), Parser::default());
    let mut records = 0;
    let mut count = |record| {
        records += 1;
        assert!(Arranged::new(&record, "p").is_bounded());
    };
    lines.feed(bytes, |piece| parser.feed(piece, &mut count));
    parser.feed(crate::stdio::lines::Piece::Line(bytes), &mut count);
    parser.settle(&mut count);
    assert!(records > 0 && !parser.is_open());
}

/// A message that nests in itself, in maps and in lists.
fn message(bytes: &[u8]) {
    if let Ok(message) = decode::<Struct>(&Bytes::copy_from_slice(bytes)) {
        // On the last level an entry of a map may come without its value, which is a level more when it is written.
        let Ok(again) = encode(&message) else { return };
        let read = decode::<Struct>(&again);
        // NaN is unlike itself: what is written again must be the same bytes.
        assert_eq!(read.and_then(|read| encode(&read)), Ok(again));
    }
}

fn timeout(bytes: &[u8]) {
    if let Ok(value) = HeaderValue::from_bytes(bytes) {
        let mut headers = HeaderMap::new();
        headers.insert("grpc-timeout", value);
        let _ = received_timeout(&headers);
    }
}

/// Of an error.
fn details(bytes: &[u8]) {
    let code = crate::Code::NotFound;
    let error = crate::Error::not_found("gone").with_details_of(bytes);
    drop(error.detail::<Struct>());
    // What was understood goes on as it came.
    let on = rich_status(&error, code);
    assert_eq!(rich_status(&crate::Error::not_found("gone").with_details_of(&on), code), on);
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_corpora_pass() {
        let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
        for target in TARGETS {
            let mut inputs = 0;
            for entry in std::fs::read_dir(corpora.join(target)).expect("a corpus") {
                parse(target, &std::fs::read(entry.expect("an entry").path()).expect("an input"));
                inputs += 1;
            }
            assert!(inputs > 0, "{target} has no corpus");
        }
    }

    fn varint(mut value: usize, out: &mut Vec<u8>) {
        while value >= 0x80 {
            out.push(value as u8 | 0x80);
            value >>= 7;
        }
        out.push(value as u8);
    }

    fn field(number: u8, body: &[u8]) -> Vec<u8> {
        let mut out = vec![number << 3 | 2];
        varint(body.len(), &mut out);
        out.extend_from_slice(body);
        out
    }

    /// What takes the most memory for its length, or claims to.
    fn hostile() -> Vec<(&'static str, Vec<u8>)> {
        // `google.protobuf.Struct`: entries of a map; a value's field 5 is a message again, and 6 a list.
        let entry = |value: &[u8]| field(1, &field(2, value));
        let mut huge = vec![0x0a];
        varint(u32::MAX as usize, &mut huge);
        let empty_values = field(6, &field(1, &[]).repeat(50_000));
        let deep = (0..5_000).fold(Vec::new(), |inner, _| field(6, &field(1, &inner)));
        let many_keys: Vec<u8> =
            (0..20_000_u32).flat_map(|n| field(1, &field(1, &n.to_be_bytes().map(|byte| byte & 0x7f)))).collect();
        vec![
            ("message", huge.clone()),
            ("message", entry(&empty_values)),
            ("message", entry(&deep)),
            ("message", many_keys),
            ("message", [0x0b].repeat(100_000)),
            ("announcement", huge.clone()),
            ("announcement", [0x0b].repeat(100_000)),
            ("announcement", field(2, &[b'a'; 100_000])),
            ("handshake_line", b"1|1|".repeat(25_000)),
            ("hclog", [b"{\"a\":[", &b"0,".repeat(50_000)[..], b"0]}"].concat()),
            ("hclog", b"[".repeat(100_000)),
            ("hclog", [b"{", &b"\"\":{},".repeat(20_000)[..]].concat()),
            ("timeout", b"9".repeat(100_000)),
            ("details", huge.clone()),
            ("details", field(3, &[]).repeat(50_000)),
            ("details", field(3, &field(2, &vec![0; 100_000]))),
            ("details", field(3, &[field(1, b"google.protobuf.Struct"), field(2, &entry(&deep))].concat())),
        ]
    }

    #[test]
    fn memory_is_bounded_by_the_input() {
        let monotonous = [0x00, 0x0b, b'[', 0xff].map(|byte| vec![byte; 100_000]);
        let everywhere = TARGETS.iter().flat_map(|target| monotonous.iter().map(|bytes| (*target, bytes.clone())));
        for (target, bytes) in hostile().into_iter().chain(everywhere) {
            let used = allocation_counter::measure(|| parse(target, &bytes)).bytes_max as usize;
            // A value takes 32 bytes where two came, a list twice its values while it grows; here it is read twice.
            // Windows of streams and the like are there whatever comes.
            let most = 512 * 1024 + 128 * bytes.len();
            assert!(used <= most, "{target}: {used} bytes for {}: {:?}..", bytes.len(), &bytes[..8.min(bytes.len())]);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_pass(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            for target in TARGETS {
                parse(target, &bytes);
            }
        }
    }
}
