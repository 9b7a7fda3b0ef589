use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use super::*;

fn pid(child: &std::process::Child) -> Pid {
    Pid::from_child(child)
}

#[test]
fn a_socket_path_may_be_just_so_long() {
    let dir = tempfile::tempdir().unwrap();
    let room = SOCKET_PATH_MAX - dir.path().as_os_str().len() - 1;
    UnixListener::bind(dir.path().join("s".repeat(room))).unwrap();
    UnixListener::bind(dir.path().join("s".repeat(room + 1))).unwrap_err();
}

#[test]
fn the_end_is_seen_before_the_reap_takes_the_status() {
    let mut child = Command::new("/bin/sh").args(["-c", "exit 3"]).spawn().unwrap();
    wait_for_end(pid(&child));
    assert!(exists(child.id()), "a process that is not reaped keeps its id");
    assert_eq!(reap(pid(&child)), (Some(3), None));
    assert!(!exists(child.id()));
    assert_eq!(reap(pid(&child)), (None, None), "somebody else took the status");
    assert!(child.try_wait().is_err());
}

#[test]
fn a_signal_reaches_the_group_and_its_end_is_told() {
    let mut child = Command::new("/bin/sh")
        .args(["-c", "sleep 1000 & echo; wait"])
        .stdout(Stdio::piped())
        .process_group(0)
        .spawn()
        .unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let mut first = [0];
    std::io::Read::read_exact(&mut stdout, &mut first).unwrap();
    signal_group(pid(&child), Signal::KILL);
    wait_for_end(pid(&child));
    assert_eq!(reap(pid(&child)), (None, Some(libc::SIGKILL)));
    // `sleep` has the same pipe, which therefore ends only when it has ended too.
    assert_eq!(std::io::copy(&mut stdout, &mut std::io::sink()).unwrap(), 0);
    signal_group(pid(&child), Signal::KILL);
    assert!(child.wait().is_err(), "its status was taken");
}

#[test]
fn start_times_tell_processes_apart() {
    let own = start_time(std::process::id());
    assert_eq!(own, start_time(std::process::id()));
    assert_eq!(own.is_some(), cfg!(target_os = "linux"));
    assert_eq!(start_time(u32::MAX), None);
    assert!(exists(std::process::id()) && exists(1));
    assert!(!exists(u32::MAX) && !exists(0));
}
