//! What tonic generates from the schema, and a note of every call that one of its clients or servers sees.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Mutex;

use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;
use tonic::body::Body;
use tonic::codegen::http::Request;
use tonic::transport::{Channel, Endpoint};
use tower::util::MapRequest;

#[allow(missing_docs, unreachable_pub, dead_code, clippy::all, rustdoc::all, reason = "generated")]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/all.rs"));
}

pub(crate) use generated::*;

/// `loop.Keystore/Sign`, and so on.
type Methods = Mutex<BTreeSet<String>>;

/// The methods that clients of tonic called.
pub(crate) static CALLED: Methods = Mutex::new(BTreeSet::new());
/// The methods that servers of tonic were asked for.
pub(crate) static ANSWERED: Methods = Mutex::new(BTreeSet::new());

/// A connection for tonic's clients.
pub(crate) type Peer = MapRequest<Channel, fn(Request<Body>) -> Request<Body>>;

fn note(methods: &Methods, request: &Request<Body>) {
    methods.lock().unwrap().insert(request.uri().path().trim_start_matches('/').to_owned());
}

pub(crate) fn note_call(request: Request<Body>) -> Request<Body> {
    note(&CALLED, &request);
    request
}

pub(crate) fn note_answer(request: Request<Body>) -> Request<Body> {
    note(&ANSWERED, &request);
    request
}

/// Connects to a socket.
pub(crate) async fn connect(socket: impl AsRef<Path>) -> Peer {
    let socket = socket.as_ref().to_owned();
    let connector = tower::service_fn(move |_| {
        let socket = socket.clone();
        async move { UnixStream::connect(socket).await.map(TokioIo::new) }
    });
    let channel = Endpoint::from_static("http://unused").connect_with_connector(connector).await;
    MapRequest::new(channel.expect("a connection"), note_call)
}

/// Every method of the LOOP services in `proto/`.
pub(crate) fn declared() -> BTreeSet<String> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto");
    let mut methods = BTreeSet::new();
    for file in ["loop.proto", "codec.proto"] {
        let text = std::fs::read_to_string(top.join(file)).expect("the schema");
        let mut package = "";
        let mut service = "";
        for line in text.lines() {
            let mut words = line.split([' ', ';', '(']).filter(|word| !word.is_empty());
            match (words.next(), words.next()) {
                (Some("package"), Some(name)) => package = name,
                (Some("service"), Some(name)) => service = name,
                (Some("rpc"), Some(name)) => drop(methods.insert(format!("{package}.{service}/{name}"))),
                _ => {}
            }
        }
    }
    methods
}
