//! `interop/replay`: go-plugin, controlled by the test.

use std::collections::HashMap;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use loop_runtime::Code;
use serde::{Deserialize, Serialize};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, oneshot};

use crate::go;
use crate::recorded::{Answer, bytes};

/// Answers a call by its method, `loop.Keystore/Sign`, and its request.
pub(crate) type Answers = Arc<dyn Fn(&str, &[u8]) -> Answer + Send + Sync>;

/// The cookies of LOOP's plugins: the variable and its value.
pub(crate) const MEDIAN: [&str; 2] =
    ["CL_PLUGIN_MEDIAN_MAGIC_COOKIE", "b12a697e19748cd695dd1690c09745ee7cc03717179958e8eadd5a7ca4646728"];
/// The same for a relayer.
pub(crate) const RELAYER: [&str; 2] =
    ["CL_PLUGIN_RELAYER_MAGIC_COOKIE", "dae753d4542311b33cf041b930db0150647e806175c2818a0c88a9ab745e45aa"];

/// One line in either direction, as `interop/replay/control.go` has it.
#[derive(Default, Deserialize, Serialize)]
#[serde(default)]
struct Line {
    id: u32,
    r#do: String,
    program: String,
    args: Vec<String>,
    cookie: Vec<String>,
    broker: u32,
    idle: u32,
    on: u32,
    method: String,
    body: String,
    question: u32,
    code: i32,
    message: String,
    error: String,
    status: i32,
    log: String,
}

/// What waits for lines.
#[derive(Default)]
struct Waiting {
    /// For the answers to orders, by id.
    orders: HashMap<u32, oneshot::Sender<Line>>,
    /// For calls, by connection.
    calls: HashMap<u32, Answers>,
    last: u32,
}

/// One process of `interop/replay`: as a host, ended when this is dropped; as a plugin, by its host.
pub(crate) struct Puppet {
    out: mpsc::UnboundedSender<Line>,
    waiting: Arc<Mutex<Waiting>>,
    /// Its sockets.
    _place: TempDir,
    _process: Option<Child>,
}

/// The test's end of the line, before the puppet has connected.
pub(crate) struct Strings {
    listener: UnixListener,
    place: TempDir,
}

impl Strings {
    pub(crate) fn new() -> Self {
        let place = tempfile::Builder::new().prefix("replay").tempdir().unwrap();
        Self { listener: UnixListener::bind(place.path().join("control")).unwrap(), place }
    }

    /// Where sockets belong.
    pub(crate) fn place(&self) -> &Path {
        self.place.path()
    }

    pub(crate) fn control(&self) -> String {
        self.place.path().join("control").display().to_string()
    }

    /// Waits for the puppet.
    pub(crate) async fn attach(self, process: Option<Child>) -> Puppet {
        let (stream, _) = self.listener.accept().await.unwrap();
        let waiting = Arc::new(Mutex::new(Waiting::default()));
        let (out, lines) = mpsc::unbounded_channel();
        tokio::spawn(pull(stream, lines, out.downgrade(), waiting.clone()));
        Puppet { out, waiting, _place: self.place, _process: process }
    }
}

async fn pull(
    stream: UnixStream,
    mut out: mpsc::UnboundedReceiver<Line>,
    answers: mpsc::WeakUnboundedSender<Line>,
    waiting: Arc<Mutex<Waiting>>,
) {
    let (read, mut write) = stream.into_split();
    tokio::spawn(async move {
        while let Some(line) = out.recv().await {
            let mut text = serde_json::to_vec(&line).unwrap();
            text.push(b'\n');
            // A puppet that has ended answers nothing, and a caller waits for that.
            let _ = write.write_all(&text).await;
        }
    });
    let mut lines = BufReader::new(read).lines();
    while let Ok(Some(text)) = lines.next_line().await {
        let line: Line = serde_json::from_str(&text).unwrap();
        if line.question == 0 {
            let asked = waiting.lock().unwrap().orders.remove(&line.id);
            // The caller may have been dropped.
            if let Some(asked) = asked {
                let _ = asked.send(line);
            }
            continue;
        }
        let Some(answers) = answers.upgrade() else { return };
        let answer = waiting.lock().unwrap().calls.get(&line.on).cloned();
        let method = line.method.trim_start_matches('/');
        let answer = match answer {
            Some(answer) => answer(method, &bytes(&line.body)),
            None => Err((Code::Unimplemented, format!("nobody answers {method} on {}", line.on))),
        };
        let _ = answers.send(match answer {
            Ok(body) => Line { question: line.question, body: hex(&body), ..Line::default() },
            Err((code, message)) => Line { question: line.question, code: code as i32, message, ..Line::default() },
        });
    }
    // Those who still wait see the end of their channels.
    waiting.lock().unwrap().orders.clear();
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Puppet {
    /// A host, which has not launched anything yet.
    pub(crate) async fn host() -> Self {
        let strings = Strings::new();
        let process = Command::new(go::program("replay"))
            .args(["host", &strings.control()])
            .env("TMPDIR", strings.place())
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        strings.attach(Some(process)).await
    }

    async fn order(&self, order: Line) -> Line {
        let (answer, answered) = oneshot::channel();
        let id = {
            let mut waiting = self.waiting.lock().unwrap();
            waiting.last += 1;
            let id = waiting.last;
            waiting.orders.insert(id, answer);
            id
        };
        self.out.send(Line { id, ..order }).unwrap();
        answered.await.expect("the puppet is gone")
    }

    async fn obey(&self, order: Line) -> Result<(), String> {
        let done = self.order(order).await;
        if done.error.is_empty() { Ok(()) } else { Err(done.error) }
    }

    /// Launches a plugin, and connects to it.
    pub(crate) async fn launch(&self, program: &Path, args: &[&str], cookie: [&str; 2]) -> Result<(), String> {
        let args = args.iter().map(|arg| (*arg).to_owned()).collect();
        let cookie = cookie.map(str::to_owned).to_vec();
        let program = program.display().to_string();
        self.obey(Line { r#do: "launch".to_owned(), program, args, cookie, ..Line::default() }).await
    }

    /// A health check.
    pub(crate) async fn ping(&self) -> Result<(), String> {
        self.obey(Line { r#do: "ping".to_owned(), ..Line::default() }).await
    }

    /// Ends the plugin as go-plugin does: Shutdown, and after 2 s SIGKILL. Returns the exit status.
    pub(crate) async fn kill(&self) -> i32 {
        self.order(Line { r#do: "kill".to_owned(), ..Line::default() }).await.status
    }

    /// SIGKILL at once.
    pub(crate) async fn crash(&self) {
        self.obey(Line { r#do: "crash".to_owned(), ..Line::default() }).await.unwrap();
    }

    /// Waits until the plugin's process has ended, and returns its exit status; -1 for a signal.
    pub(crate) async fn exited(&self) -> i32 {
        self.order(Line { r#do: "exited".to_owned(), ..Line::default() }).await.status
    }

    /// What the host has logged, once `text` is in it.
    pub(crate) async fn log(&self, text: &str) -> String {
        self.order(Line { r#do: "log".to_owned(), message: text.to_owned(), ..Line::default() }).await.log
    }

    /// Dials a broker id of the peer. Calls go to it by that id from then on.
    pub(crate) async fn dial(&self, broker: u32) {
        self.dial_idle(broker, Duration::ZERO).await;
    }

    /// The same; after `idle` without calls, the connection is dropped, and the next call redials. Zero is
    /// gRPC's half an hour.
    pub(crate) async fn dial_idle(&self, broker: u32, idle: Duration) {
        let idle = idle.as_millis() as u32;
        self.obey(Line { r#do: "dial".to_owned(), broker, idle, ..Line::default() }).await.unwrap();
    }

    /// Serves under a broker id.
    pub(crate) async fn serve(&self, broker: u32, answers: Answers) {
        self.answer(broker, answers);
        self.obey(Line { r#do: "serve".to_owned(), broker, ..Line::default() }).await.unwrap();
    }

    /// Answers the calls on a connection; 0 is a plugin's main one.
    pub(crate) fn answer(&self, on: u32, answers: Answers) {
        self.waiting.lock().unwrap().calls.insert(on, answers);
    }

    /// A call on a connection; 0 is the main one to a plugin.
    pub(crate) async fn call(&self, on: u32, method: &str, request: &[u8]) -> Answer {
        let method = format!("/{method}");
        let call = Line { r#do: "call".to_owned(), on, method, body: hex(request), ..Line::default() };
        let done = self.order(call).await;
        assert_eq!(done.error, "");
        if done.code == 0 { Ok(bytes(&done.body)) } else { Err((Code::from_i32(done.code), done.message)) }
    }
}
