//! A plugin's process, with the pipes that a host would hold.

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::watch;

use crate::client::Client;
use crate::proto::plugin::Empty;

/// Everything that a test waits for happens within this time, or the test fails.
pub(crate) const LONG: Duration = Duration::from_secs(20);

pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(LONG, future).await.unwrap_or_else(|_| panic!("{what} did not happen"))
}

/// How to start a plugin.
pub(crate) struct Start {
    environment: HashMap<&'static str, String>,
    script: &'static str,
}

impl Start {
    /// `how` selects the plugin's role.
    pub(crate) fn new(how: &str) -> Self {
        let environment = [
            ("PROBE", format!("yes,{how}")),
            ("PROBE_COOKIE", "sweet".to_owned()),
            ("PLUGIN_MIN_PORT", "10000".to_owned()),
            ("PLUGIN_MAX_PORT", "25000".to_owned()),
            ("PLUGIN_PROTOCOL_VERSIONS", "1".to_owned()),
        ];
        // The plugin's stdout is descriptor 3: the harness around it prints too.
        let script = "exec 3>&1 >/dev/null; exec \"$0\" \"$@\"";
        Self { environment: environment.into(), script }
    }

    /// With a shell between the test and the plugin that is the plugin's host, and can be killed.
    pub(crate) fn below_a_host(mut self) -> Self {
        self.script = "exec 3>&1 >/dev/null; \"$0\" \"$@\" & wait";
        self
    }

    pub(crate) fn env(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.environment.insert(name, value.into());
        self
    }

    pub(crate) fn without(mut self, name: &'static str) -> Self {
        self.environment.remove(name);
        self
    }

    /// Starts it; the handshake line is not read yet.
    pub(crate) fn spawn(self) -> Plugin {
        let temporary = tempfile::tempdir().unwrap();
        std::fs::create_dir(temporary.path().join("tmp")).unwrap();
        let notes = temporary.path().join("notes");
        let mut child = Command::new("/bin/sh")
            .args(["-c", self.script])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "the_plugin_itself", "--nocapture"])
            .env_clear()
            .env("TMPDIR", temporary.path().join("tmp"))
            .env("PROBE_NOTES", &notes)
            .envs(self.environment)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (seen, stderr) = watch::channel(String::new());
        let mut pipe = child.stderr.take().unwrap();
        tokio::spawn(async move {
            let mut buffer = [0; 4096];
            while let Ok(size @ 1..) = pipe.read(&mut buffer).await {
                seen.send_modify(|text| text.push_str(&String::from_utf8_lossy(&buffer[..size])));
                if seen.receiver_count() == 0 {
                    break;
                }
            }
        });
        Plugin { child, stdout, stderr: Some(stderr), notes, temporary, socket: String::new(), line: String::new() }
    }

    /// Starts it and reads the handshake line.
    pub(crate) async fn up(self) -> Plugin {
        let mut plugin = self.spawn();
        soon("a handshake line", plugin.stdout.read_line(&mut plugin.line)).await.unwrap();
        let Some(socket) = plugin.line.split('|').nth(3).map(str::to_owned) else {
            let stderr = plugin.whole_stderr().await;
            panic!("no line but {:?}: {stderr}", plugin.line);
        };
        plugin.socket = socket;
        plugin
    }
}

/// A plugin's process.
pub(crate) struct Plugin {
    pub(crate) child: Child,
    pub(crate) stdout: BufReader<ChildStdout>,
    stderr: Option<watch::Receiver<String>>,
    notes: PathBuf,
    pub(crate) temporary: TempDir,
    pub(crate) socket: String,
    pub(crate) line: String,
}

impl Plugin {
    pub(crate) async fn client(&self) -> Client {
        Client::connect(&self.socket).await
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id().unwrap() as i32).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Sends Shutdown, as a host does. The reply may be lost with the connection.
    pub(crate) async fn shut_down(&self) {
        let client = self.client().await;
        let _ = client.call::<_, Empty>("/plugin.GRPCController/Shutdown", Empty {}).await;
    }

    /// Waits for the exit: returns the code, and what was left on stdout.
    pub(crate) async fn ended(&mut self) -> (Option<i32>, String) {
        let mut rest = String::new();
        soon("the end of stdout", self.stdout.read_to_string(&mut rest)).await.unwrap();
        let status = soon("the end of the process", self.child.wait()).await.unwrap();
        (status.code(), rest)
    }

    /// The stderr so far, once `enough` holds for it.
    pub(crate) async fn stderr(&mut self, enough: impl FnMut(&String) -> bool) -> String {
        let stderr = self.stderr.as_mut().unwrap();
        soon("the text on stderr", stderr.wait_for(enough)).await.map(|text| text.clone()).unwrap_or_default()
    }

    /// The whole stderr of a process that has ended.
    pub(crate) async fn whole_stderr(&mut self) -> String {
        let stderr = self.stderr.as_mut().unwrap();
        while soon("the end of stderr", stderr.changed()).await.is_ok() {}
        stderr.borrow().clone()
    }

    /// Closes the read end of stderr: the next write gets EPIPE.
    pub(crate) fn close_stderr(&mut self) {
        self.stderr = None;
    }

    /// The notes of the role, line by line.
    pub(crate) fn notes(&self) -> Vec<String> {
        let text = std::fs::read_to_string(&self.notes).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// The number of sockets left.
    pub(crate) fn sockets_left(&self) -> usize {
        std::fs::read_dir(self.temporary.path().join("tmp")).unwrap().count()
    }
}
