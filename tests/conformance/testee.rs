//! The side of the conformance protocol that is tested: requests on stdin, responses on stdout, each after its length in four
//! bytes, the lowest first.

use std::io::{self, Read, Write};

use loop_runtime::LoopMessage;
use loop_runtime::wire::{decode, encode};

use crate::all_types::TestAllTypesProto3;

/// The runner sends a few KiB; what claims more than this is none.
pub(crate) const MAX_REQUEST: u32 = 64 << 20;
const PROTO3: &str = "protobuf_test_messages.proto3.TestAllTypesProto3";
/// What the runner asks for first: the names of the tests that are known to fail, which are kept in no file here.
const FAILURES: &str = "conformance.FailureSet";

/// What to read, and what to make of it.
#[derive(Debug, Default, PartialEq, LoopMessage)]
#[message(package = "conformance", name = "ConformanceRequest")]
pub(crate) struct Request {
    #[wire(oneof)]
    pub(crate) payload: Option<Payload>,
    #[wire(3)]
    pub(crate) requested_output_format: Format,
    #[wire(4)]
    pub(crate) message_type: String,
}

/// The message in one of its forms.
#[derive(Debug, PartialEq, LoopMessage)]
pub(crate) enum Payload {
    #[wire(1, name = "protobuf_payload")]
    Protobuf(Vec<u8>),
    #[wire(2, name = "json_payload")]
    Json(String),
    #[wire(7, name = "jspb_payload")]
    Jspb(String),
    #[wire(8, name = "text_payload")]
    Text(String),
}

/// A form of messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, LoopMessage)]
#[message(package = "conformance", name = "WireFormat")]
pub(crate) enum Format {
    #[default]
    #[wire(0)]
    Unspecified,
    #[wire(1)]
    Protobuf,
    #[wire(unknown)]
    Other(i32),
}

/// What came of it.
#[derive(Debug, PartialEq, LoopMessage)]
#[message(package = "conformance", name = "ConformanceResponse", oneof = "result")]
pub(crate) enum Response {
    #[wire(1)]
    ParseError(String),
    #[wire(2)]
    RuntimeError(String),
    #[wire(3)]
    ProtobufPayload(Vec<u8>),
    #[wire(5)]
    Skipped(String),
    #[wire(6)]
    SerializeError(String),
}

/// Answers until stdin ends.
pub(crate) fn serve(mut input: impl Read, mut output: impl Write) -> io::Result<()> {
    let mut length = [0; 4];
    loop {
        match input.read_exact(&mut length) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            read => read?,
        }
        let length = u32::from_le_bytes(length);
        if length > MAX_REQUEST {
            return Err(io::Error::other(format!("a request of {length} bytes")));
        }
        // As it comes: a length alone reserves nothing.
        let mut request = Vec::new();
        input.by_ref().take(length.into()).read_to_end(&mut request)?;
        if request.len() as u64 != u64::from(length) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let response = encode(&respond(&request)).map_err(io::Error::other)?;
        let length = u32::try_from(response.len()).map_err(io::Error::other)?;
        output.write_all(&length.to_le_bytes())?;
        output.write_all(&response)?;
        output.flush()?;
    }
}

/// The response to one request.
fn respond(request: &[u8]) -> Response {
    let request: Request = match decode(&request.to_vec().into()) {
        Ok(request) => request,
        Err(error) => return Response::RuntimeError(error.to_string()),
    };
    if request.message_type == FAILURES {
        return Response::ProtobufPayload(Vec::new());
    }
    match (request.message_type.as_str(), request.requested_output_format, request.payload) {
        (PROTO3, Format::Protobuf, Some(Payload::Protobuf(bytes))) => {
            match decode::<TestAllTypesProto3>(&bytes.into()) {
                Ok(message) => match encode(&message) {
                    Ok(bytes) => Response::ProtobufPayload(bytes.to_vec()),
                    Err(error) => Response::SerializeError(error.to_string()),
                },
                Err(error) => Response::ParseError(error.to_string()),
            }
        }
        (PROTO3, ..) => Response::Skipped("only the binary form".into()),
        (other, ..) => Response::Skipped(format!("no message {other}")),
    }
}
