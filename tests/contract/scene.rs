//! A client, the mirror, and a server behind it.

use std::sync::{Arc, Mutex};

use loop_runtime::Code;
use protox::prost_reflect::{DescriptorPool, MessageDescriptor};
use tokio::net::UnixListener;

use crate::golden_rows::{self, Answer, ids};
use crate::mirror::Mirror;
use crate::raw::{Client, Server};
use crate::schema::compiled;

/// A call, and the reply of the server behind the mirror.
#[derive(Clone)]
pub(crate) struct Call {
    /// `loop.Keystore/Sign`.
    pub(crate) method: String,
    pub(crate) request: Vec<u8>,
    pub(crate) answer: Answer,
}

/// The outcome of a call.
pub(crate) struct Played {
    /// At the client.
    pub(crate) answer: Answer,
    /// The request that arrived at the server, if one did.
    pub(crate) seen: Option<Vec<u8>>,
}

/// The scripted reply of the server, and the request that it received.
#[derive(Default)]
struct Script {
    call: Option<Call>,
    seen: Option<Vec<u8>>,
}

pub(crate) struct Scene {
    pub(crate) pool: DescriptorPool,
    script: Arc<Mutex<Script>>,
    client: Client,
    server: Server,
    /// The server's socket, also for everything that is lent or made.
    socket: String,
    _mirror: Mirror,
    _sockets: tempfile::TempDir,
}

impl Scene {
    pub(crate) async fn new() -> Self {
        let sockets = tempfile::tempdir().unwrap();
        let socket = sockets.path().join("behind").display().to_string();
        let listener = UnixListener::bind(&socket).unwrap();
        let script = Arc::new(Mutex::new(Script::default()));
        let asked = script.clone();
        let answers = move |path: &str, request: Vec<u8>| {
            let mut script = asked.lock().unwrap();
            match script.call.clone() {
                Some(call) if path.strip_prefix('/') == Some(&call.method) => {
                    script.seen = Some(request);
                    call.answer
                }
                // The release of an object.
                _ if path.ends_with("/Close") => Ok(Vec::new()),
                _ => Err((Code::Unimplemented, format!("unknown service of {path}"))),
            }
        };
        let server = Server::start(listener, Arc::new(answers));
        let mirror = Mirror::start(&socket, sockets.path()).await;
        let client = Client::connect(&mirror.socket).await;
        Self { pool: compiled(), script, client, server, socket, _mirror: mirror, _sockets: sockets }
    }

    /// The descriptors of a method's request and reply.
    pub(crate) fn messages(&self, method: &str) -> (MessageDescriptor, MessageDescriptor) {
        golden_rows::messages(&self.pool, method)
    }

    /// Sends the request through the mirror. Calls are made one after another.
    pub(crate) async fn play(&self, call: &Call) -> Played {
        *self.script.lock().unwrap() = Script { call: Some(call.clone()), seen: None };
        let (request, reply) = self.messages(&call.method);
        for id in ids(&request, &call.request) {
            self.client.announce(id, &self.socket);
        }
        for id in call.answer.iter().flat_map(|body| ids(&reply, body)) {
            self.server.announce(id, &self.socket);
        }
        let answer = self.client.call(&format!("/{}", call.method), &call.request).await;
        Played { answer, seen: self.script.lock().unwrap().seen.take() }
    }

    /// Sends a request that never arrives, because it lends what is not announced: `missing`. Unlike [`play`](Self::play),
    /// it may run concurrently.
    pub(crate) async fn play_without(&self, missing: u32, method: &str, body: &[u8]) -> Answer {
        let (request, _) = self.messages(method);
        for id in ids(&request, body).into_iter().filter(|id| *id != missing) {
            self.client.announce(id, &self.socket);
        }
        self.client.call(&format!("/{method}"), body).await
    }
}
