//! A plugin of another implementation: it keeps go-plugin's two streams open for as long as their connection, limits
//! its calls, and retires connections, as servers in Go may. It is served from this process; what is launched only
//! prints the handshake line.

use std::future::poll_fn;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{RecvStream, server};
use http::{HeaderMap, HeaderValue, Request, Response};
use loop_runtime::host::Command;
use tempfile::TempDir;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

pub(crate) struct Stranger {
    shared: Arc<Shared>,
    dir: TempDir,
    refuses: CancellationToken,
}

struct Shared {
    max_streams: u32,
    /// For each connection.
    connections: Mutex<Vec<(Arc<Notify>, CancellationToken)>>,
    seen: watch::Sender<Vec<(u64, String)>>,
    /// How many of go-plugin's own streams are open.
    streams: watch::Sender<usize>,
    numbers: AtomicU64,
    answers: Notify,
}

impl Stranger {
    pub(crate) fn new(max_streams: u32) -> Self {
        let shared = Arc::new(Shared {
            max_streams,
            connections: Mutex::default(),
            seen: watch::Sender::default(),
            streams: watch::Sender::new(0),
            numbers: AtomicU64::new(0),
            answers: Notify::new(),
        });
        let stranger = Self { shared, dir: tempfile::tempdir().unwrap(), refuses: CancellationToken::new() };
        stranger.listen();
        stranger
    }

    fn listen(&self) {
        let listener = UnixListener::bind(self.dir.path().join("main")).unwrap();
        let (shared, refuses) = (self.shared.clone(), self.refuses.clone());
        tokio::spawn(refuses.run_until_cancelled_owned(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(shared.clone().serve(stream));
            }
        }));
    }

    /// What a host launches.
    pub(crate) fn command(&self) -> Command {
        let socket = self.dir.path().join("main");
        let script = format!("echo '1|1|unix|{}|grpc|'; exec sleep 3600", socket.display());
        Command::new("/bin/sh").args(["-c", &script])
    }

    /// From here on it takes no new connections, until it [listens again](Self::listens_again).
    pub(crate) fn refuse(&self) {
        self.refuses.cancel();
        std::fs::remove_file(self.dir.path().join("main")).unwrap();
    }

    pub(crate) fn listens_again(&mut self) {
        self.refuses = CancellationToken::new();
        self.listen();
    }

    /// Sends GOAWAY on connection `number`, from 1.
    pub(crate) fn retire(&self, number: usize) {
        self.shared.connections.lock().unwrap()[number - 1].0.notify_one();
    }

    pub(crate) fn cut(&self, number: usize) {
        self.shared.connections.lock().unwrap()[number - 1].1.cancel();
    }

    /// Answers the pending calls of `Wait`.
    pub(crate) fn answer(&self) {
        self.shared.answers.notify_waiters();
    }

    /// Waits for a call whose path ends with `what`, and returns its connection.
    pub(crate) async fn saw(&self, what: &str) -> u64 {
        let mut seen = self.shared.seen.subscribe();
        let seen = seen.wait_for(|seen| seen.iter().any(|(_, path)| path.ends_with(what))).await.unwrap();
        seen.iter().rfind(|(_, path)| path.ends_with(what)).unwrap().0
    }

    /// The connections of all such calls.
    pub(crate) fn all(&self, what: &str) -> Vec<u64> {
        let seen = self.shared.seen.borrow();
        seen.iter().filter(|(_, path)| path.ends_with(what)).map(|(number, _)| *number).collect()
    }

    /// Waits until `number` of go-plugin's own streams are open.
    pub(crate) async fn streams(&self, number: usize) {
        self.shared.streams.subscribe().wait_for(|open| *open == number).await.unwrap();
    }
}

impl Shared {
    async fn serve(self: Arc<Self>, stream: UnixStream) {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed) + 1;
        let (retire, cut) = (Arc::new(Notify::new()), CancellationToken::new());
        self.connections.lock().unwrap().push((retire.clone(), cut.clone()));
        let mut builder = server::Builder::new();
        let Ok(mut connection) = builder.max_concurrent_streams(self.max_streams).handshake::<_, Bytes>(stream).await
        else {
            return;
        };
        loop {
            tokio::select! {
                () = cut.cancelled() => return,
                () = retire.notified() => connection.graceful_shutdown(),
                call = connection.accept() => match call {
                    Some(Ok((request, respond))) => drop(tokio::spawn(self.clone().call(number, request, respond))),
                    _ => return,
                },
            }
        }
    }

    async fn call(self: Arc<Self>, number: u64, request: Request<RecvStream>, respond: SendResponse<Bytes>) {
        let path = request.uri().path().to_owned();
        self.seen.send_modify(|seen| seen.push((number, path.clone())));
        let mut body = request.into_body();
        match path.rsplit('/').next().unwrap() {
            "StartStream" | "StreamStdio" => self.hold(respond).await,
            // Reads nothing of it.
            "Swallow" => {
                self.answers.notified().await;
                reply(respond, number);
            }
            method => {
                let waits = method == "Wait";
                let answers = self.answers.notified();
                while let Some(Ok(data)) = body.data().await {
                    let _ = body.flow_control().release_capacity(data.len());
                }
                if waits {
                    answers.await;
                }
                // The health check's SERVING is 1, too.
                reply(respond, if method == "Check" { 1 } else { number });
            }
        }
    }

    /// Holds a stream until the host resets it, or the connection ends.
    async fn hold(&self, mut respond: SendResponse<Bytes>) {
        self.streams.send_modify(|open| *open += 1);
        let _ = poll_fn(|cx| respond.poll_reset(cx)).await;
        self.streams.send_modify(|open| *open -= 1);
    }
}

fn reply(mut respond: SendResponse<Bytes>, number: u64) {
    let head = Response::builder().header("content-type", "application/grpc").body(()).unwrap();
    // The host may have disconnected.
    let Ok(mut stream) = respond.send_response(head, false) else { return };
    let message = [0, 0, 0, 0, 2, 8, u8::try_from(number).unwrap()];
    let _ = stream.send_data(Bytes::copy_from_slice(&message), false);
    let trailers = HeaderMap::from_iter([("grpc-status".parse().unwrap(), HeaderValue::from_static("0"))]);
    let _ = stream.send_trailers(trailers);
}
