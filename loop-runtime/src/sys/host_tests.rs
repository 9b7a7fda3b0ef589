use std::os::unix::net::UnixListener;

use super::*;
use crate::sys::os::{SOCKET_PATH_MAX, start_time};

#[test]
fn a_socket_path_may_be_just_so_long() {
    let dir = tempfile::tempdir().unwrap();
    let room = |max: usize| "s".repeat(max - dir.path().as_os_str().len() - 1);
    UnixListener::bind(dir.path().join(room(SOCKET_PATH_MAX))).unwrap();
    // The portable path takes the shortest of all systems.
    let max = if cfg!(target_os = "linux") { 107 } else { SOCKET_PATH_MAX };
    UnixListener::bind(dir.path().join(room(max + 1))).unwrap_err();
}

#[test]
fn start_times_tell_processes_apart() {
    let own = start_time(std::process::id());
    assert_eq!(own, start_time(std::process::id()));
    assert_eq!(own.is_some(), cfg!(all(target_os = "linux", not(loop_portable))));
    assert_eq!(start_time(u32::MAX), None);
    assert!(exists(std::process::id()) && exists(1));
    assert!(!exists(u32::MAX) && !exists(0));
}
