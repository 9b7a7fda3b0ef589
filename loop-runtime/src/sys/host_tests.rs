use std::os::unix::net::UnixListener;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Stdio;
use std::thread;

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

fn image(program: &str, arguments: &[&str], environment: &[&str]) -> io::Result<Image> {
    let strings = |strings: &[&str]| strings.iter().map(std::ffi::OsString::from).collect::<Vec<_>>();
    let (arguments, environment) = (strings(arguments), strings(environment));
    Image::new(
        program.as_ref(),
        program.as_ref(),
        arguments.iter().map(|argument| argument.as_os_str()),
        environment.iter().map(|entry| entry.as_os_str()),
    )
}

#[test]
fn an_image_has_no_zero_bytes() {
    assert!(image("/bin/sh", &["a"], &["A=b"]).is_ok());
    for image in [image("/bin\0", &[], &[]), image("/bin/sh", &["\0"], &[]), image("/bin/sh", &[], &["A=\0"])] {
        assert_eq!(image.err().map(|error| error.kind()), Some(io::ErrorKind::InvalidInput));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_image_is_what_runs() {
    let mut command = Command::new("/bin/false");
    let script = "printf '%s|' \"$0\" \"$1\" \"$FRUIT\"";
    die_with_this_thread(&mut command, image("/bin/sh", &["-c", script, "zero", "o n e"], &["FRUIT=a pear"]).unwrap());
    let output = command.output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "zero|o n e|a pear|");
}

#[cfg(target_os = "linux")]
#[test]
fn the_child_dies_with_the_thread() {
    let child = thread::spawn(|| {
        let mut command = Command::new("/bin/sleep");
        die_with_this_thread(&mut command, image("/bin/sleep", &["1000"], &[]).unwrap());
        command.spawn().unwrap()
    });
    let status = child.join().unwrap().wait().unwrap();
    assert_eq!(status.signal(), Some(libc::SIGKILL));
}
