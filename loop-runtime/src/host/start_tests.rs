//! What a host waits for when it starts a plugin, and what it does not do again.

use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe;
use tokio::time::{Instant, advance, pause, resume, sleep};

use super::{Command, Host, LaunchError};
use crate::Handshake;
use crate::sys::host::exists;

const HANDSHAKE: Handshake = Handshake::new("TEST_COOKIE", "crumbs").version(1);

/// A plugin that is a shell script; `$DIR` is `dir`.
fn script(script: &str, dir: &tempfile::TempDir) -> Command {
    Command::new("/bin/sh").args(["-c", script]).env("DIR", dir.path())
}

/// Where go-plugin gives a minute.
#[tokio::test]
async fn a_plugin_has_ten_seconds_for_its_line() {
    let dir = tempfile::tempdir().unwrap();
    let report = dir.path().join("report");
    assert!(std::process::Command::new("mkfifo").arg(&report).status().unwrap().success());
    let report = std::fs::File::options().read(true).write(true).open(report).unwrap();
    let mut report = pipe::Receiver::from_file(report).unwrap();
    let began = Instant::now();
    let command = script("printf %8d $$ > $DIR/report; exec sleep 1000", &dir);
    let launching = tokio::spawn(async move { Host::new(HANDSHAKE).launch(command).await });
    let mut pid = [0; 8];
    report.read_exact(&mut pid).await.unwrap();
    let pid = std::str::from_utf8(&pid).unwrap().trim().parse().unwrap();

    let limit = Duration::from_secs(10);
    pause();
    advance(limit - began.elapsed() - Duration::from_millis(1)).await;
    assert!(!launching.is_finished());
    let error = launching.await.unwrap().unwrap_err();
    assert!(matches!(error, LaunchError::StartTimeout { after, .. } if after == limit), "{error}");
    assert!(began.elapsed() >= limit);
    resume();
    while exists(pid) {
        sleep(Duration::from_millis(1)).await;
    }
}

/// Runs one of the ignored tests below as a program of its own, with its own `TMPDIR`.
fn in_another_process(test: &str, tmpdir: &std::path::Path) {
    let name = format!("{}::{test}", module_path!().split_once("::").unwrap().1);
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", &name, "--ignored", "--nocapture"]).env("ROLE", test).env("TMPDIR", tmpdir);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_temporary_directory_that_is_gone_is_named_and_may_come_back() {
    let dir = tempfile::tempdir().unwrap();
    in_another_process("as_a_host_without_a_temporary_directory", &dir.path().join("gone"));
}

#[tokio::test]
#[ignore = "started by another test"]
async fn as_a_host_without_a_temporary_directory() {
    if std::env::var_os("ROLE").is_none() {
        return;
    }
    let gone = std::path::PathBuf::from(std::env::var_os("TMPDIR").unwrap());
    let launch =
        async || Host::new(HANDSHAKE).launch(Command::new("/bin/sh").args(["-c", "exit 3"])).await.unwrap_err();
    let error = launch().await;
    assert!(matches!(&error, LaunchError::SocketDir { dir, .. } if *dir == gone), "{error:?}");
    assert!(!error.is_permanent());
    std::fs::create_dir(&gone).unwrap();
    let error = launch().await;
    assert!(matches!(error, LaunchError::Exited { .. }), "{error:?}");
    assert_eq!(std::fs::read_dir(&gone).unwrap().count(), 0, "nothing is left in it");
}

#[tokio::test]
async fn a_start_that_failed_is_not_tried_again() {
    let dir = tempfile::tempdir().unwrap();
    let error = Host::new(HANDSHAKE).launch(script("echo started >> $DIR/marker; exit 3", &dir)).await.unwrap_err();
    assert!(matches!(error, LaunchError::Exited { .. }), "{error}");
    pause();
    sleep(Duration::from_secs(3600)).await;
    assert_eq!(std::fs::read_to_string(dir.path().join("marker")).unwrap(), "started\n");
}
