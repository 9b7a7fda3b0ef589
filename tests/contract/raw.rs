//! gRPC as bytes, over HTTP/2 by hand: a peer that is independent of this project.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use h2::client::SendRequest;
use h2::server::SendResponse;
use h2::{RecvStream, SendStream};
use http::{HeaderMap, Request, Response};
use loop_runtime::Code;
use loop_runtime::LoopMessage;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::broadcast;

use crate::golden_rows::Answer;

/// Answers a call by its path and its request.
pub(crate) type Answers = Arc<dyn Fn(&str, Vec<u8>) -> Answer + Send + Sync>;

/// An announcement of the broker.
#[derive(Clone, LoopMessage)]
struct ConnInfo {
    #[wire(1)]
    service_id: u32,
    #[wire(2)]
    network: String,
    #[wire(3)]
    address: String,
}

fn announcement(id: u32, socket: &str) -> Vec<u8> {
    let info = ConnInfo { service_id: id, network: "unix".into(), address: socket.into() };
    loop_runtime::wire::encode(&info).unwrap().to_vec()
}

/// One connection to a plugin.
pub(crate) struct Client {
    requests: SendRequest<Bytes>,
    broker: Mutex<SendStream<Bytes>>,
}

impl Client {
    /// Connects, and opens the broker's stream.
    pub(crate) async fn connect(socket: &str) -> Self {
        let stream = UnixStream::connect(socket).await.unwrap();
        let (requests, connection) = h2::client::handshake(stream).await.unwrap();
        tokio::spawn(connection);
        let (answer, broker) = start(&requests, "/plugin.GRPCBroker/StartStream").await;
        tokio::spawn(async move {
            let mut announced = answer.await.unwrap().into_body();
            while let Some(Ok(data)) = announced.data().await {
                announced.flow_control().release_capacity(data.len()).unwrap();
            }
        });
        Self { requests, broker: Mutex::new(broker) }
    }

    /// Announces that the connection `id` is served on `socket`.
    pub(crate) fn announce(&self, id: u32, socket: &str) {
        self.broker.lock().unwrap().send_data(frame(&announcement(id, socket)), false).unwrap();
    }

    /// One unary call.
    pub(crate) async fn call(&self, path: &str, request: &[u8]) -> Answer {
        let (answer, mut out) = start(&self.requests, path).await;
        out.send_data(frame(request), true).unwrap();
        let (head, body) = answer.await.unwrap().into_parts();
        if let Some(refused) = refusal(&head.headers) {
            return Err(refused);
        }
        let (reply, trailers) = read(body).await;
        refusal(&trailers).map_or(Ok(reply), Err)
    }
}

async fn start(requests: &SendRequest<Bytes>, path: &str) -> (h2::client::ResponseFuture, SendStream<Bytes>) {
    let request = Request::post(format!("http://unused{path}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(())
        .unwrap();
    let mut requests = requests.clone().ready().await.unwrap();
    requests.send_request(request, false).unwrap()
}

/// A plugin without a process: serves the replies of `answers` to every client, and go-plugin's own services.
pub(crate) struct Server {
    announcements: broadcast::Sender<Vec<u8>>,
}

impl Server {
    pub(crate) fn start(listener: UnixListener, answers: Answers) -> Self {
        let (announcements, _) = broadcast::channel(64);
        let announced = announcements.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (answers, announced) = (answers.clone(), announced.clone());
                tokio::spawn(async move {
                    let Ok(mut connection) = h2::server::handshake(stream).await else { return };
                    while let Some(Ok((request, respond))) = connection.accept().await {
                        tokio::spawn(respond_to(request, respond, answers.clone(), announced.clone()));
                    }
                });
            }
        });
        Self { announcements }
    }

    /// Announces that the connection `id` is served on `socket`.
    pub(crate) fn announce(&self, id: u32, socket: &str) {
        // There is no receiver before the first host has connected.
        let _ = self.announcements.send(announcement(id, socket));
    }
}

async fn respond_to(
    request: Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
    answers: Answers,
    announced: broadcast::Sender<Vec<u8>>,
) {
    let path = request.uri().path().to_owned();
    let answer = match path.as_str() {
        "/plugin.GRPCBroker/StartStream" => {
            let mut announced = announced.subscribe();
            let mut out = respond.send_response(head(), false).unwrap();
            while let Ok(announcement) = announced.recv().await {
                if out.send_data(frame(&announcement), false).is_err() {
                    return;
                }
            }
            return;
        }
        "/grpc.health.v1.Health/Check" => Ok(vec![8, 1]),
        _ => answers(&path, read(request.into_body()).await.0),
    };
    match answer {
        Ok(reply) => {
            let mut out = respond.send_response(head(), false).unwrap();
            // The caller may have disconnected.
            let _ = out.send_data(frame(&reply), false);
            let _ = out.send_trailers(status(0, ""));
        }
        Err((code, message)) => {
            let mut refused = head();
            refused.headers_mut().extend(status(code as i32, &message));
            let _ = respond.send_response(refused, true);
        }
    }
}

fn head() -> Response<()> {
    Response::builder().header("content-type", "application/grpc").body(()).unwrap()
}

fn status(code: i32, message: &str) -> HeaderMap {
    let mut escaped = String::new();
    for byte in message.bytes() {
        match byte {
            b'%' | 0..=0x1f | 0x7f.. => escaped.push_str(&format!("%{byte:02X}")),
            _ => escaped.push(byte.into()),
        }
    }
    let mut headers = HeaderMap::new();
    headers.insert("grpc-status", code.into());
    headers.insert("grpc-message", escaped.parse().unwrap());
    headers
}

fn refusal(headers: &HeaderMap) -> Option<(Code, String)> {
    let code = headers.get("grpc-status")?.to_str().unwrap().parse().unwrap();
    let escaped = headers.get("grpc-message").map(|message| message.as_bytes()).unwrap_or_default();
    let mut message = Vec::new();
    let mut rest = escaped.iter();
    while let Some(byte) = rest.next() {
        message.push(match byte {
            b'%' => {
                let digits = [*rest.next().unwrap(), *rest.next().unwrap()];
                u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
            }
            byte => *byte,
        });
    }
    (code != 0).then(|| (Code::from_i32(code), String::from_utf8(message).unwrap()))
}

fn frame(message: &[u8]) -> Bytes {
    let length = u32::try_from(message.len()).unwrap();
    [&[0][..], &length.to_be_bytes(), message].concat().into()
}

/// The one message of a body, and its trailers.
async fn read(mut body: RecvStream) -> (Vec<u8>, HeaderMap) {
    let mut bytes = Vec::new();
    while let Some(Ok(data)) = body.data().await {
        body.flow_control().release_capacity(data.len()).unwrap();
        bytes.extend_from_slice(&data);
    }
    let trailers = body.trailers().await.ok().flatten().unwrap_or_default();
    (bytes.get(5..).unwrap_or_default().to_vec(), trailers)
}
