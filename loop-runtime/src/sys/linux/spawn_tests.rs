use std::ffi::OsString;
use std::fs::File;
use std::io::Read as _;
use std::os::fd::{AsFd as _, OwnedFd};
use std::thread;

use super::*;
use crate::sys::child::wait_for_end;

fn image(program: &str, arguments: &[&str], environment: &[(&str, &str)]) -> io::Result<Image> {
    let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
    let environment: Vec<_> = environment.iter().map(|(name, value)| (name.into(), value.into())).collect();
    let pairs = environment.iter().map(|(name, value): &(OsString, OsString)| (name, value));
    Image::new(program.as_ref(), program.as_ref(), &arguments, pairs)
}

#[test]
fn an_image_has_no_zero_bytes() {
    assert!(image("/bin/sh", &["a"], &[("A", "b")]).is_ok());
    for image in [image("/bin\0", &[], &[]), image("/bin/sh", &["\0"], &[]), image("/bin/sh", &[], &[("A", "\0")])] {
        assert_eq!(image.err().map(|error| error.kind()), Some(io::ErrorKind::InvalidInput));
    }
}

/// Starts it, and gives what it writes to both of its outputs.
fn start(image: &Image, directory: Option<&CStr>) -> io::Result<(ChildProcess, File)> {
    let (reader, writer) = io::pipe()?;
    let null = OwnedFd::from(File::open("/dev/null")?);
    let (stdin, stdout) = (Some(null.as_fd()), writer.as_fd());
    let start = Start { image, stdin, stdout, stderr: stdout, directory, bound_to_thread: true };
    Ok((start.run()?, OwnedFd::from(reader).into()))
}

fn reap(child: &ChildProcess) -> (Option<i32>, Option<i32>) {
    wait_for_end(child);
    match child.reap() {
        End::Ended { status, signal } => (status, signal),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_image_is_what_runs() {
    let script = "printf '%s|' \"$0\" \"$1\" \"$FRUIT\"; echo and >&2";
    let image = image("/bin/sh", &["-c", script, "zero", "o n e"], &[("FRUIT", "a pear")]).unwrap();
    let (child, mut reader) = start(&image, None).unwrap();
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    assert_eq!(text, "zero|o n e|a pear|and\n");
    assert_eq!(reap(&child), (Some(0), None));
}

#[test]
fn it_has_a_group_and_a_directory_of_its_own_and_default_signals() {
    // Field 5 is the group. Rust programs, as this one, ignore SIGPIPE; the shell would too.
    let script = "pwd; set -- $(cat /proc/$$/stat); [ $5 = $$ ] && echo leads; grep SigBlk /proc/self/status; \
                  kill -PIPE $$; echo survives";
    let image = image("/bin/sh", &["-c", script], &[("PATH", "/usr/bin:/bin")]).unwrap();
    let (child, mut reader) = start(&image, Some(c"/proc")).unwrap();
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    assert_eq!(text, "/proc\nleads\nSigBlk:\t0000000000000000\n");
    assert_eq!(reap(&child), (None, Some(libc::SIGPIPE)));
}

/// Sets what this process does with a signal, and gives what it did before.
fn act(signal: c_int, action: libc::sighandler_t) -> libc::sighandler_t {
    // SAFETY: no handler is installed but those that the test got from here.
    unsafe { libc::signal(signal, action) }
}

/// SIGWINCH and SIGURG do nothing to anybody by default, and no other test cares for them.
#[test]
fn what_this_process_ignores_stays_ignored_but_sigchld() {
    let ignored = |child: &str| {
        let line = child.lines().find_map(|line| line.strip_prefix("SigIgn:\t")).unwrap();
        let bits = u64::from_str_radix(line, 16).unwrap();
        move |signal: c_int| bits >> (signal - 1) & 1 == 1
    };
    extern "C" fn handler(_: c_int) {}
    let handler: extern "C" fn(c_int) = handler;
    act(libc::SIGWINCH, libc::SIG_IGN);
    act(libc::SIGURG, handler as usize);
    let image = image("/bin/cat", &["/proc/self/status"], &[]).unwrap();
    let (child, mut reader) = start(&image, None).unwrap();
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    assert_eq!(reap(&child), (Some(0), None));
    let is_ignored = ignored(&text);
    assert!(is_ignored(libc::SIGWINCH) && !is_ignored(libc::SIGPIPE) && !is_ignored(libc::SIGURG), "{text}");
    let [handled] = ["SigCgt:\t"].map(|name| text.lines().find_map(|line| line.strip_prefix(name)).unwrap());
    assert_eq!(u64::from_str_radix(handled, 16).unwrap(), 0, "no handler of this process's");
    act(libc::SIGWINCH, libc::SIG_DFL);
    act(libc::SIGURG, libc::SIG_DFL);
}

/// Runs an ignored test of this file as a program of its own, which ignores SIGCHLD from the start.
fn ignoring_sigchld(test: &str) -> std::process::Output {
    std::process::Command::new("env")
        .arg("--ignore-signal=CHLD")
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", &format!("{}::{test}", module_path!().split_once("::").unwrap().1)])
        .args(["--ignored", "--nocapture"])
        .env("ROLE", test)
        .output()
        .unwrap()
}

/// Whether the process with this `status` ignores `signal`.
fn ignores(status: &str, signal: i32) -> bool {
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:\t")).unwrap();
    u64::from_str_radix(ignored, 16).unwrap() >> (signal - 1) & 1 == 1
}

#[test]
fn a_careless_parent_is_not_inherited() {
    let output = ignoring_sigchld("as_a_parent_that_ignores_sigchld");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
#[ignore = "started by another test"]
fn as_a_parent_that_ignores_sigchld() {
    if std::env::var_os("ROLE").is_none() {
        return;
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    assert!(ignores(&status, libc::SIGCHLD), "or this tests nothing");
    let image = image("/bin/cat", &["/proc/self/status"], &[]).unwrap();
    let (child, mut reader) = start(&image, None).unwrap();
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    // Others are its parent's business, as with `nohup`.
    assert!(!ignores(&text, libc::SIGCHLD) && !ignores(&text, libc::SIGPIPE), "{text}");
    // Its end is seen, and nobody knows the status.
    let mut ends = [rustix::event::PollFd::from_borrowed_fd(child.descriptor().unwrap(), rustix::event::PollFlags::IN)];
    assert_eq!(rustix::event::poll(&mut ends, None), Ok(1));
    assert!(child.has_ended());
    assert_eq!(child.reap(), End::Unknown);
    // Nothing hangs on what cannot be started either.
    assert!(start(&super::tests::image("/no/such/file", &[], &[]).unwrap(), None).is_err());
}

#[test]
fn what_cannot_be_started_leaves_nothing() {
    let errno = |image: &Image, directory| start(image, directory).unwrap_err().raw_os_error();
    assert_eq!(errno(&image("/no/such/file", &[], &[]).unwrap(), None), Some(libc::ENOENT));
    assert_eq!(errno(&image("/etc/passwd", &[], &[]).unwrap(), None), Some(libc::EACCES));
    assert_eq!(errno(&image("/bin/true", &[], &[]).unwrap(), Some(c"/no/such/directory")), Some(libc::ENOENT));
    // Nor does it change the thread.
    let mut mask = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: the call fills the set, and changes none.
    let blocks = unsafe {
        libc::pthread_sigmask(libc::SIG_SETMASK, null_mut(), mask.as_mut_ptr());
        libc::sigismember(mask.as_ptr(), libc::SIGTERM)
    };
    assert_eq!(blocks, 0);
}

#[test]
fn the_child_dies_with_the_thread() {
    let starting = thread::spawn(|| start(&image("/bin/sleep", &["1000"], &[]).unwrap(), None).unwrap());
    let (child, _output) = starting.join().unwrap();
    assert_eq!(reap(&child), (None, Some(libc::SIGKILL)));
}
