//! Hosts in either language reattach to plugins of the other that they did not start, test mode included.

use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command as Process, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use libtest_mimic::Trial;
use loop_runtime::host::{EventKind, LaunchError, Reattach, RestartPolicy, Sha256, State};
use loop_runtime::prelude::*;
use loop_runtime::testing::Faults as _;
use sha2::Digest as _;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};

use crate::probe::{Counter as _, HANDSHAKE, Probe, RustCounter, RustProbe};
use crate::{go, runtime, trial};

pub(crate) fn trials() -> Vec<Trial> {
    macro_rules! trials {
        ($($case:ident),* $(,)?) => {
            vec![$(trial(concat!("reattach::", stringify!($case)), || {
                runtime().block_on(async {
                    tokio::time::timeout(Duration::from_secs(60), $case()).await.expect("it hangs");
                });
            })),*]
        };
    }
    trials![
        a_go_host_to_what_another_left,
        a_go_host_to_our_test_mode,
        our_host_to_a_go_plugin,
        our_host_to_gos_test_mode,
        a_go_plugin_runs_with_its_checksum_only,
    ]
}

/// An argument of this test: run the program that follows, and then wait for the orphans that it leaves.
pub(crate) const ADOPT: &str = "--adopt";

/// Runs [`ADOPT`]. The system's subreaper may leave a zombie unreaped for seconds, and a host in Go takes it
/// for alive.
#[cfg(target_os = "linux")]
pub(crate) fn adopt() -> ExitCode {
    use rustix::process::{WaitId, WaitIdOptions, getpid, set_child_subreaper, waitid};

    set_child_subreaper(Some(getpid())).unwrap();
    let mut program = std::env::args_os().skip(2);
    let output = Process::new(program.next().unwrap()).args(program).output().unwrap();
    if !output.status.success() {
        eprintln!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr));
        return ExitCode::FAILURE;
    }
    std::io::stdout().write_all(&output.stdout).unwrap();
    std::io::stdout().flush().unwrap();
    // No more output: its reader need not wait for the orphans.
    rustix::stdio::dup2_stdout(std::fs::File::open("/dev/null").unwrap()).unwrap();
    while waitid(WaitId::All, WaitIdOptions::EXITED).is_ok() {}
    ExitCode::SUCCESS
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn adopt() -> ExitCode {
    eprintln!("only Linux gives orphans to whom one likes");
    ExitCode::FAILURE
}

/// A case of `interop/host`, to be run.
fn go_case(
    mut command: tokio::process::Command,
    case: &str,
    temporary: &Path,
    config: &str,
) -> tokio::process::Command {
    command.arg(case).arg(std::env::current_exe().unwrap());
    command.env("TMPDIR", temporary).env("INTEROP_REATTACH", config).env_remove("RUST_LOG");
    command
}

/// Runs a case of `interop/host`; returns its output.
async fn go_host(case: &str, temporary: &Path, config: &str) -> String {
    let command = tokio::process::Command::new(go::program("host"));
    let output = go_case(command, case, temporary, config).output().await.unwrap();
    assert!(output.status.success(), "{case}: {}: {}", output.status, String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Those of our plugins. A host in Go that exits without a Kill leaves the sockets of what it lent.
fn directories(temporary: &Path) -> usize {
    temporary.read_dir().unwrap().filter(|entry| entry.as_ref().unwrap().path().is_dir()).count()
}

/// The first host starts it, uses its broker, and exits; the next one does the same and ends it. With a plugin in Go
/// the next one would have no broker.
async fn a_go_host_to_what_another_left() {
    let temporary = tempfile::tempdir().unwrap();
    let mut command = tokio::process::Command::new(std::env::current_exe().unwrap());
    command.arg(ADOPT).arg(go::program("host")).stdout(Stdio::piped());
    let mut adopter = go_case(command, "leave", temporary.path(), "").spawn().unwrap();
    let mut config = String::new();
    adopter.stdout.take().unwrap().read_to_string(&mut config).await.unwrap();
    let plugin = &Reattach::from_json(&config).unwrap()["probe"];
    assert_eq!((plugin.test, plugin.protocol.as_str()), (false, "grpc"));
    assert!(Path::new(&plugin.address).exists());
    go_host("attach", temporary.path(), &config).await;
    assert!(adopter.wait().await.unwrap().success());
    assert!(!Path::new(&plugin.address).exists());
    assert_eq!(directories(temporary.path()), 0);
}

async fn a_go_host_to_our_test_mode() {
    let served = Plugin::new(HANDSHAKE).test_mode::<dyn Probe>(Arc::new(RustProbe::default())).await.unwrap();
    let config = Reattach::to_json([("probe", served.reattach())]);
    let temporary = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        go_host("attach", temporary.path(), &config).await;
    }
    served.stop().await;
}

/// A plugin in Go, started without a host.
struct Alone {
    process: Child,
    config: Reattach,
    dir: TempDir,
}

impl Alone {
    async fn start(arguments: &[&str], read: impl FnOnce(&str, u32) -> Reattach) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut process = Process::new(go::program("plugin"))
            .args(arguments)
            .env("INTEROP_COOKIE", "biscuit")
            .env("PLUGIN_PROTOCOL_VERSIONS", "2")
            .env("PLUGIN_UNIX_SOCKET_DIR", dir.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let stdout = tokio::process::ChildStdout::from_std(process.stdout.take().unwrap()).unwrap();
        let line = BufReader::new(stdout).lines().next_line().await.unwrap().expect("a line");
        let config = read(&line, process.id());
        Self { process, config, dir }
    }

    async fn attach(&self) -> (Supervisor, Arc<dyn Probe>) {
        let host = Host::new(HANDSHAKE).reattach(self.config.clone()).await.unwrap();
        let probe = host.dispense().await.unwrap();
        (host, probe)
    }

    fn exit_status(mut self) -> Option<i32> {
        let status = self.process.wait().unwrap();
        assert_eq!(self.dir.path().read_dir().unwrap().count(), 0, "sockets are left");
        status.code()
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

async fn sum(probe: &Arc<dyn Probe>) -> Result<u64> {
    probe.sum(Arc::new(RustCounter::new(5, &Arc::new(AtomicU64::new(0)))), 2).await
}

async fn our_host_to_a_go_plugin() {
    let plugin = Alone::start(&[], |line, pid| {
        let address = line.split('|').nth(3).unwrap().to_owned();
        Reattach::new("unix", address, pid)
    })
    .await;
    let (host, probe) = plugin.attach().await;
    assert_eq!(probe.echo(b"hello").await.unwrap(), b"hello");
    assert_eq!(sum(&probe).await.unwrap(), 11);
    let mut states = host.states();
    drop((host, probe));
    states.until(|state| matches!(state, State::Closed)).await.unwrap();

    // Go's broker ended with the first host; calls, ping and Shutdown still work.
    let (host, probe) = plugin.attach().await;
    assert_eq!(probe.echo(b"again").await.unwrap(), b"again");
    let error = sum(&probe).await.unwrap_err();
    assert_eq!(error.loss(), None, "{error:?}");
    host.ping().await.unwrap();
    host.close().await;
    assert_eq!(plugin.exit_status(), Some(0), "it obeyed");
}

async fn our_host_to_gos_test_mode() {
    let plugin =
        Alone::start(&["--test-mode"], |line, _| Reattach::from_json(line).unwrap().remove("probe").unwrap()).await;
    assert!(plugin.config.test);
    for first in [true, false] {
        let (host, probe) = plugin.attach().await;
        assert_eq!((host.version(), host.pid()), (Some(2), Some(plugin.process.id())));
        assert_eq!(probe.echo(b"hello").await.unwrap(), b"hello");
        if first {
            assert_eq!(sum(&probe).await.unwrap(), 11);
            assert_eq!(probe.new_counter(40).await.unwrap().next().await.unwrap(), 40);
        }
        host.close().await;
    }
    let mut plugin = plugin;
    drop(plugin.process.stdin.take());
    assert_eq!(plugin.exit_status(), Some(0), "it lived until it was told");
}

/// The file has changed when the plugin has to be restarted.
async fn a_go_plugin_runs_with_its_checksum_only() {
    let dir = tempfile::tempdir().unwrap();
    let program = dir.path().join("plugin");
    // Copied by another process: a file that this one writes may be open in a child that is just being started.
    assert!(Process::new("cp").arg(go::program("plugin")).arg(&program).status().unwrap().success());
    let digest = Sha256::new(sha2::Sha256::digest(std::fs::read(&program).unwrap()).into());
    let (host, command) = (Host::new(HANDSHAKE), Command::new(&program));

    let other = Sha256::new([7; 32]);
    let error = host.launch(command.clone().sha256(other)).await.unwrap_err();
    let LaunchError::Checksum { expected, found, .. } = &error else { panic!("{error}") };
    assert_eq!((*expected, *found), (other, digest));

    let policy = RestartPolicy::default().initial_backoff(Duration::ZERO).max_restarts(None);
    let plugin = host.restart_policy(policy).launch(command.sha256(digest)).await.unwrap();
    let probe: Arc<dyn Probe> = plugin.dispense().await.unwrap();
    let before = plugin.pid();
    plugin.kill().unwrap();
    assert_eq!(probe.echo(b"the same program").await.unwrap(), b"the same program");
    assert_ne!(plugin.pid(), before);

    let swapped = dir.path().join("swapped");
    assert!(Process::new("cp").arg(go::program("misbehave")).arg(&swapped).status().unwrap().success());
    std::fs::rename(&swapped, &program).unwrap();
    let mut events = plugin.events();
    plugin.kill().unwrap();
    let error = loop {
        if let EventKind::LaunchFailed { permanent, error, .. } = events.next().await.unwrap().kind {
            assert!(!permanent, "it may be about to be replaced: {error}");
            break error;
        }
    };
    assert!(error.to_string().contains(&digest.to_string()), "{error}");
    // The right file is back.
    assert!(Process::new("cp").arg(go::program("plugin")).arg(&swapped).status().unwrap().success());
    std::fs::rename(&swapped, &program).unwrap();
    assert_eq!(probe.echo(b"back").await.unwrap(), b"back");
    plugin.close().await;
}
