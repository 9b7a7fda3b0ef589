//! What the tests across processes share: a test binary that is also its plugins, and a check for leftovers.
//!
//! A test binary declares what it can be as a plugin with [`roles!`], once, in its root. A test runs inside [`test`],
//! whose [`Lab`] launches those roles as processes and checks at the end that no process, no zombie, no socket and no
//! directory is left.
//!
//! A role is the test called `plugin`, run by libtest in a child process. Libtest prints a line before it runs
//! anything, where a host expects the handshake: a shell hands the pipe over as standard input instead, and the role
//! takes it from there.

#![allow(dead_code, reason = "each test binary uses its part")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use loop_runtime::Handshake;
use loop_runtime::host::{Command, Host, RestartPolicy, State, States, Supervisor};
use loop_runtime::plugin::Plugin;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use tempfile::TempDir;

/// Of all test plugins.
pub(crate) const HANDSHAKE: Handshake = Handshake::new("LOOP_TEST_COOKIE", "yes, a test").version(1);

/// Which role a process has.
const ROLE: &str = "LOOP_TEST_ROLE";
/// The directory of the test that a process belongs to; by this variable it is found afterwards.
const DIR: &str = "LOOP_TEST_DIR";
/// In that directory: one line for each process, its id and the directory of its sockets.
const STARTED: &str = "started";

/// Longer than any test takes on a slow machine.
const TEST: Duration = Duration::from_secs(120);
/// For what ends by itself after a test.
const AFTERMATH: Duration = Duration::from_secs(10);

/// What a role does with its process.
pub(crate) type Role = fn(Plugin) -> std::pin::Pin<Box<dyn Future<Output = ExitCode>>>;

/// Declares the plugins that this test binary can be: names and functions `async fn(Plugin) -> ExitCode`.
macro_rules! roles {
    ($($name:literal => $role:path),* $(,)?) => {
        /// No test: the entry point of the plugins' processes.
        #[test]
        fn plugin() {
            $crate::support::become_plugin(&[$(($name, |plugin| Box::pin($role(plugin)))),*]);
        }
    };
}

pub(crate) use roles;

/// Turns the process into the plugin that its environment names, if it does, and does not return then.
pub(crate) fn become_plugin(roles: &[(&str, Role)]) {
    let Ok(wanted) = std::env::var(ROLE) else { return };
    rustix::stdio::dup2_stdout(std::io::stdin()).unwrap();
    rustix::stdio::dup2_stdin(File::open("/dev/null").unwrap()).unwrap();
    let sockets = std::env::var("PLUGIN_UNIX_SOCKET_DIR").unwrap_or_default();
    let started = PathBuf::from(std::env::var_os(DIR).unwrap()).join(STARTED);
    let mut started = OpenOptions::new().create(true).append(true).open(started).unwrap();
    started.write_all(format!("{} {sockets}\n", std::process::id()).as_bytes()).unwrap();

    let role = roles.iter().find(|(name, _)| *name == wanted).unwrap_or_else(|| panic!("no role {wanted}")).1;
    let code = runtime().block_on(role(Plugin::new(HANDSHAKE)));
    std::process::exit(i32::from(code != ExitCode::SUCCESS));
}

/// Runs the body of a test, then checks that it left nothing behind.
pub(crate) fn test(body: impl AsyncFnOnce(&Lab)) {
    let runtime = runtime();
    let lab = Lab::new();
    runtime.block_on(async {
        tokio::time::timeout(TEST, body(&lab)).await.expect("the test hangs");
        lab.finish().await;
    });
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// Launches roles, and remembers what has to be gone at the end.
pub(crate) struct Lab {
    path: PathBuf,
    launched: Mutex<Vec<(String, States)>>,
    /// `None` in a plugin that is itself a host: the test owns the directory.
    owned: Option<TempDir>,
}

impl Lab {
    fn new() -> Self {
        // Short: sockets of plugins that are hosts lie below.
        let dir = tempfile::Builder::new().prefix("t").tempdir_in("/tmp").unwrap();
        Self { path: dir.path().to_owned(), launched: Mutex::default(), owned: Some(dir) }
    }

    /// In a role: launches other roles for the same test.
    pub(crate) fn of_plugin() -> Self {
        Self { path: std::env::var_os(DIR).unwrap().into(), launched: Mutex::default(), owned: None }
    }

    /// A directory of this test, for its files. Files must be gone at the end.
    pub(crate) fn dir(&self) -> &Path {
        &self.path
    }

    /// The command that makes this test binary the plugin `role`.
    pub(crate) fn command(&self, role: &str) -> Command {
        Command::new("/bin/sh")
            .args(["-c", r#"exec "$0" "$@" <&1 >/dev/null"#])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "plugin", "--nocapture", "--test-threads=1"])
            .env(ROLE, role)
            .env(DIR, &self.path)
            .env("TMPDIR", &self.path)
    }

    /// A host without backoff and budget, so that tests may kill as often as they like.
    pub(crate) fn host(&self) -> Host {
        let policy = RestartPolicy::default().initial_backoff(Duration::ZERO).max_restarts(None);
        Host::new(HANDSHAKE).restart_policy(policy)
    }

    /// Launches `role` with [`Lab::host`].
    pub(crate) async fn launch(&self, role: &str) -> Supervisor {
        self.launch_by(&self.host(), role).await
    }

    /// Launches `role` with `host`, which gives the plugin the role's name.
    pub(crate) async fn launch_by(&self, host: &Host, role: &str) -> Supervisor {
        let launched = host.clone().name(role).launch(self.command(role)).await;
        self.watch(launched.unwrap_or_else(|why| panic!("{role} does not start: {why}")))
    }

    /// Expects at the end that this plugin is closed.
    pub(crate) fn watch(&self, plugin: Supervisor) -> Supervisor {
        self.launched.lock().unwrap().push((plugin.name().to_owned(), plugin.states()));
        plugin
    }

    /// Waits for what ends in the background, then looks for leftovers.
    async fn finish(self) {
        let launched = std::mem::take(&mut *self.launched.lock().unwrap());
        for (name, mut states) in launched {
            let closed = states.until(|state| matches!(state, State::Closed));
            let closed = tokio::time::timeout(AFTERMATH, closed).await;
            assert!(closed.is_ok(), "{name} was neither closed nor dropped: {:?}", states.now());
        }
        let path = self.path.clone();
        let looked = tokio::task::spawn_blocking(move || {
            no_process_is_left(&path);
            no_socket_is_left(&path);
        });
        if let Err(failed) = looked.await {
            std::panic::resume_unwind(failed.into_panic());
        }
        self.owned.expect("only tests end").close().unwrap();
    }
}

/// Processes of the test end soon; none of them may need to be killed.
fn no_process_is_left(dir: &Path) {
    let until = Instant::now() + AFTERMATH;
    for pid in processes_of(dir) {
        let Ok(process) = pidfd_open(pid, PidfdFlags::empty()) else { continue };
        let left = Timespec::try_from(until.saturating_duration_since(Instant::now())).unwrap();
        let ended = poll(&mut [PollFd::new(&process, PollFlags::IN)], Some(&left)).unwrap();
        assert!(ended == 1, "process {pid:?} is left: {}", command_line(pid));
    }
    for (pid, _) in started(dir) {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let mut fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
        let (state, parent) = (fields.next(), fields.next());
        let zombie = state == Some("Z") && parent == Some(&std::process::id().to_string());
        assert!(!zombie, "process {pid} was not reaped");
    }
}

fn processes_of(dir: &Path) -> Vec<Pid> {
    let mark = [OsString::from(DIR), dir.into()].join("=".as_ref());
    let all = fs::read_dir("/proc").unwrap().flatten();
    let pids = all.filter_map(|entry| entry.file_name().to_str()?.parse().ok().and_then(Pid::from_raw));
    pids.filter(|pid| {
        let environment = fs::read(format!("/proc/{}/environ", pid.as_raw_nonzero())).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|variable| variable == mark.as_encoded_bytes())
    })
    .collect()
}

fn command_line(pid: Pid) -> String {
    let line = fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero())).unwrap_or_default();
    String::from_utf8_lossy(&line).replace('\0', " ")
}

fn no_socket_is_left(dir: &Path) {
    for (pid, sockets) in started(dir) {
        assert!(!Path::new(&sockets).exists(), "{sockets}, the sockets of process {pid}, is left");
    }
    let left: Vec<_> = fs::read_dir(dir).unwrap().flatten().map(|entry| entry.file_name()).collect();
    assert!(left.iter().all(|name| name == STARTED), "left behind: {left:?}");
}

/// Process ids with the directories of their sockets.
fn started(dir: &Path) -> Vec<(u32, String)> {
    let started = fs::read_to_string(dir.join(STARTED)).unwrap_or_default();
    let line = |line: &str| {
        let (pid, sockets) = line.split_once(' ').expect("two words");
        (pid.parse().expect("a number"), sockets.to_owned())
    };
    started.lines().map(line).collect()
}
