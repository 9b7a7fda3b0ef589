//! Requests made by hand, and what must come of them.

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use loop_runtime::wire::{decode, encode};

use crate::TESTEE;
use crate::testee::{Format, MAX_REQUEST, Payload, Request, Response};

const PROTO3: &str = "protobuf_test_messages.proto3.TestAllTypesProto3";

pub(crate) fn all() -> Vec<(&'static str, fn())> {
    vec![
        ("what_is_canonical_comes_back", canonical),
        ("other_spellings_become_canonical", other_spellings),
        ("malformed_messages_are_parse_errors", malformed),
        ("depth_is_bounded", depth),
        ("what_it_cannot_do_is_skipped", skipped),
        ("a_request_that_is_none_is_a_runtime_error", no_request),
        ("a_length_beyond_the_bound_ends_it", too_long),
        ("a_cut_request_ends_it", cut),
    ]
}

struct Testee {
    child: Child,
    input: ChildStdin,
    output: ChildStdout,
}

impl Testee {
    fn new() -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let command = command.env(TESTEE, "1").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self { child, input, output }
    }

    fn send(&mut self, request: &[u8]) -> Response {
        self.input.write_all(&u32::try_from(request.len()).unwrap().to_le_bytes()).unwrap();
        self.input.write_all(request).unwrap();
        let mut length = [0; 4];
        self.output.read_exact(&mut length).unwrap();
        let mut response = vec![0; u32::from_le_bytes(length) as usize];
        self.output.read_exact(&mut response).unwrap();
        decode(&response.into()).unwrap()
    }

    fn message(&mut self, bytes: &[u8]) -> Response {
        self.send(
            &encode(&Request {
                payload: Some(Payload::Protobuf(bytes.to_vec())),
                requested_output_format: Format::Protobuf,
                message_type: PROTO3.into(),
            })
            .unwrap(),
        )
    }

    /// Closes its stdin, and says whether it ended well.
    fn end(self) -> bool {
        let Self { mut child, input, output } = self;
        drop((input, output));
        child.wait().unwrap().success()
    }
}

fn canonical() {
    let mut testee = Testee::new();
    let messages: &[&[u8]] = &[
        &[],
        // int32 -1, in ten bytes.
        &[0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
        // sint32 -1, fixed32 1.
        &[0x28, 0x01, 0x3d, 0x01, 0x00, 0x00, 0x00],
        // An enum value that has no name.
        &[0xa8, 0x01, 0x07],
        // A packed list, and one that is not (89).
        &[0xda, 0x04, 0x02, 0x01, 0x02],
        &[0xc8, 0x05, 0x01, 0xc8, 0x05, 0x02],
        // An entry of a map.
        &[0xc2, 0x03, 0x04, 0x08, 0x01, 0x10, 0x02],
        // A case of the oneof that holds its zero.
        &[0xf8, 0x06, 0x00],
        // A field that is none of the message's (1000).
        &[0xc0, 0x3e, 0x05],
        // A wrapper that holds its zero.
        &[0xca, 0x0c, 0x00],
    ];
    for bytes in messages {
        assert_eq!(testee.message(bytes), Response::ProtobufPayload(bytes.to_vec()), "{bytes:x?}");
    }
    assert!(testee.end());
}

fn other_spellings() {
    let mut testee = Testee::new();
    let messages: &[(&[u8], &[u8])] = &[
        // A zero that was written.
        (&[0x08, 0x00], &[]),
        // The last of two.
        (&[0x08, 0x01, 0x08, 0x02], &[0x08, 0x02]),
        // A varint that is longer than needed.
        (&[0x08, 0x81, 0x00], &[0x08, 0x01]),
        // A packed list that came unpacked, and the reverse.
        (&[0xd8, 0x04, 0x01, 0xd8, 0x04, 0x02], &[0xda, 0x04, 0x02, 0x01, 0x02]),
        (&[0xca, 0x05, 0x02, 0x01, 0x02], &[0xc8, 0x05, 0x01, 0xc8, 0x05, 0x02]),
        // Two parts of one message.
        (&[0x92, 0x01, 0x02, 0x08, 0x01, 0x92, 0x01, 0x02, 0x12, 0x00], &[0x92, 0x01, 0x04, 0x08, 0x01, 0x12, 0x00]),
    ];
    for (bytes, canonical) in messages {
        assert_eq!(testee.message(bytes), Response::ProtobufPayload(canonical.to_vec()), "{bytes:x?}");
    }
    assert!(testee.end());
}

fn malformed() {
    let mut testee = Testee::new();
    let messages: &[&[u8]] = &[
        // Number 0; a value that is cut; a length beyond the end; a varint of eleven bytes.
        &[0x00, 0x01],
        &[0x08],
        &[0x72, 0x05, 0x61],
        &[0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
        // Bytes that are no UTF-8; the end of a group without its start; wire type 7.
        &[0x72, 0x01, 0xff],
        &[0x0c],
        &[0x0f],
        // A length that no memory has.
        &[0x7a, 0xff, 0xff, 0xff, 0xff, 0x0f],
    ];
    for bytes in messages {
        assert!(matches!(testee.message(bytes), Response::ParseError(_)), "{bytes:x?}");
    }
    assert!(testee.end());
}

/// A message in a message, and so on.
fn nested(depth: usize) -> Vec<u8> {
    (0..depth).fold(Vec::new(), |inner, _| {
        let mut outer = vec![0xda, 0x01];
        let mut length = inner.len();
        while length >= 0x80 {
            outer.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
            length >>= 7;
        }
        outer.push(u8::try_from(length).unwrap());
        outer.extend(inner);
        outer
    })
}

fn depth() {
    let mut testee = Testee::new();
    let shallow = nested(50);
    assert_eq!(testee.message(&shallow), Response::ProtobufPayload(shallow.clone()));
    assert!(matches!(testee.message(&nested(10_000)), Response::ParseError(_)));
    assert!(testee.end());
}

fn skipped() {
    let mut testee = Testee::new();
    let request = |payload, format, message: &str| {
        encode(&Request { payload: Some(payload), requested_output_format: format, message_type: message.into() })
            .unwrap()
    };
    let bytes = || Payload::Protobuf(Vec::new());
    let proto2 = "protobuf_test_messages.proto2.TestAllTypesProto2";
    for request in [
        request(Payload::Json("{}".into()), Format::Protobuf, PROTO3),
        request(Payload::Text(String::new()), Format::Protobuf, PROTO3),
        request(Payload::Jspb("[]".into()), Format::Protobuf, PROTO3),
        request(bytes(), Format::Other(2), PROTO3),
        request(bytes(), Format::Protobuf, proto2),
    ] {
        assert!(matches!(testee.send(&request), Response::Skipped(_)), "{request:x?}");
    }
    let failures = request(bytes(), Format::Protobuf, "conformance.FailureSet");
    assert_eq!(testee.send(&failures), Response::ProtobufPayload(Vec::new()));
    assert!(testee.end());
}

fn no_request() {
    let mut testee = Testee::new();
    assert!(matches!(testee.send(&[0xff]), Response::RuntimeError(_)));
    assert_eq!(testee.message(&[]), Response::ProtobufPayload(Vec::new()), "it goes on");
    assert!(testee.end());
}

fn too_long() {
    let mut testee = Testee::new();
    testee.input.write_all(&(MAX_REQUEST + 1).to_le_bytes()).unwrap();
    assert!(!testee.end());
}

fn cut() {
    let mut testee = Testee::new();
    testee.input.write_all(&[0x05, 0x00, 0x00, 0x00, 0x01]).unwrap();
    assert!(!testee.end());
}
