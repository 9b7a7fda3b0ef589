//! Hosts that die, and plugins that are hosts themselves, with Go on the other side.

use std::path::Path;
use std::process::{ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use libtest_mimic::Trial;
use loop_runtime::prelude::*;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command as Process};

use crate::mode::Mode;
use crate::probe::{Counter as _, HANDSHAKE, Probe, RustCounter};
use crate::{go, runtime, trial};

/// Names the plugin to which a plugin of this binary forwards everything.
pub(crate) const NESTED: &str = "INTEROP_NESTED";
/// Makes this binary the host of the plugin that it names.
pub(crate) const HOST: &str = "INTEROP_HOST";

/// The cases of `interop/host` that a forwarding plugin must pass as well.
const CASES: &[&str] =
    &["calls", "big", "errors-handed-on", "details", "metadata", "deadline", "cancellation", "lent", "made", "ping"];

pub(crate) fn trials() -> Vec<Trial> {
    macro_rules! trials {
        ($($case:ident),* $(,)?) => {
            vec![$(trial(concat!("life::", stringify!($case)), || {
                runtime().block_on(async {
                    tokio::time::timeout(Duration::from_secs(60), $case()).await.expect("it hangs");
                });
            })),*]
        };
    }
    let mut all = trials![
        our_plugin_ends_with_its_go_host,
        a_go_plugin_ends_with_our_host,
        our_host_reaches_a_go_plugin_through_ours,
    ];
    for mode in Mode::ALL {
        all.extend(CASES.iter().map(|case| {
            let name = mode.trial("go_host_rust_plugin_go_plugin", case);
            trial(&name, move || runtime().block_on(nested(mode, case)))
        }));
    }
    all
}

/// A plugin that is a host: it forwards every call to the next one.
pub(crate) async fn serve_nested(plugin: Plugin, next: std::ffi::OsString) -> ExitCode {
    let next = |_| async move {
        let plugin = Host::new(HANDSHAKE).launch(Command::new(next)).await.map_err(|why| why.to_string())?;
        plugin.dispense::<dyn Probe>().await.map_err(|why| why.to_string())
    };
    plugin.serve_with::<dyn Probe, _, _, _>(next).await
}

/// A host of its own process, until it is killed.
pub(crate) async fn be_a_host(plugin: std::ffi::OsString) -> ExitCode {
    let plugin = Host::new(HANDSHAKE).launch(Command::new(plugin)).await.unwrap();
    println!("{}", plugin.pid().unwrap());
    std::future::pending().await
}

/// The host asks the plugin in the middle for TLS or multiplexing; the plugin behind it is not asked.
async fn nested(mode: Mode, case: &str) {
    let temporary = tempfile::Builder::new().prefix("go").tempdir().unwrap();
    let output = Process::new(go::program("host"))
        .args(mode.flags())
        .arg(case)
        .arg(std::env::current_exe().unwrap())
        .env("TMPDIR", temporary.path())
        .env(NESTED, go::program("plugin"))
        .env_remove("RUST_LOG")
        .output()
        .await
        .unwrap();
    assert!(output.status.success(), "{}: {}", output.status, String::from_utf8_lossy(&output.stderr));
    nothing_is_left(temporary.path());
}

fn nothing_is_left(temporary: &Path) {
    let left: Vec<_> = temporary.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(left.is_empty(), "left behind: {left:?}");
}

async fn our_host_reaches_a_go_plugin_through_ours() {
    let command = Command::new(std::env::current_exe().unwrap()).env(NESTED, go::program("plugin"));
    let plugin = Host::new(HANDSHAKE).launch(command).await.unwrap();
    let probe: Arc<dyn Probe> = plugin.dispense().await.unwrap();
    assert_eq!(probe.echo(b"through").await.unwrap(), b"through");
    let counter = Arc::new(RustCounter::new(5, &Arc::new(AtomicU64::new(0))));
    assert_eq!(probe.sum(counter, 2).await.unwrap(), 11);
    assert_eq!(probe.new_counter(40).await.unwrap().next().await.unwrap(), 40);
    for code in 1..=16 {
        let error = probe.fail(code, "no").await.unwrap_err();
        let expected = match Code::from_i32(code) {
            // From Go these can mean that a process has ended; to the next host they would mean ours.
            Code::Cancelled | Code::Unavailable => Code::Aborted,
            code => code,
        };
        assert_eq!((error.code(), error.message()), (expected, "no"));
    }
    plugin.close().await;
}

/// Reads the process id that a host prints, kills the host, and waits for that process to end.
async fn kill_the_host(mut host: Child) {
    let mut lines = BufReader::new(host.stdout.take().unwrap()).lines();
    let plugin = lines.next_line().await.unwrap().expect("the process id of its plugin");
    let plugin = pidfd_open(Pid::from_raw(plugin.parse().unwrap()).unwrap(), PidfdFlags::empty()).unwrap();
    host.kill().await.unwrap();
    let bound = Timespec { tv_sec: 5, tv_nsec: 0 };
    let wait = move || poll(&mut [PollFd::new(&plugin, PollFlags::IN)], Some(&bound));
    assert_eq!(tokio::task::spawn_blocking(wait).await.unwrap(), Ok(1), "the plugin outlives its host");
}

async fn our_plugin_ends_with_its_go_host() {
    for mode in Mode::ALL {
        let temporary = tempfile::Builder::new().prefix("go").tempdir().unwrap();
        let host = Process::new(go::program("host"))
            .args(mode.flags())
            .arg("die")
            .arg(std::env::current_exe().unwrap())
            .env("TMPDIR", temporary.path())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        kill_the_host(host).await;
        nothing_is_left(temporary.path());
    }
}

/// The system does it: Go's plugins do not notice.
async fn a_go_plugin_ends_with_our_host() {
    let temporary = tempfile::tempdir().unwrap();
    let host = Process::new(std::env::current_exe().unwrap())
        .env(HOST, go::program("plugin"))
        .env("TMPDIR", temporary.path())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    kill_the_host(host).await;
}
