use std::fs::File;
use std::io::Read as _;
use std::os::fd::{AsFd as _, OwnedFd};
use std::thread;

use super::*;
use crate::sys::host::{reap, wait_for_end};

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

/// Starts it, and gives what it writes to both of its outputs.
fn start(image: &Image, directory: Option<&CStr>) -> io::Result<(Pid, File)> {
    let (reader, writer) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
    let null = OwnedFd::from(File::open("/dev/null")?);
    let start = Start { image, stdin: Some(null.as_fd()), stdout: writer.as_fd(), stderr: writer.as_fd(), directory };
    Ok((start.run()?, reader.into()))
}

#[test]
fn the_image_is_what_runs() {
    let script = "printf '%s|' \"$0\" \"$1\" \"$FRUIT\"; echo and >&2";
    let image = image("/bin/sh", &["-c", script, "zero", "o n e"], &["FRUIT=a pear"]).unwrap();
    let (pid, mut reader) = start(&image, None).unwrap();
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    assert_eq!(text, "zero|o n e|a pear|and\n");
    assert_eq!(reap(pid), (Some(0), None));
}

#[test]
fn it_has_a_group_and_a_directory_of_its_own_and_default_signals() {
    // Field 5 is the group. Rust programs, as this one, ignore SIGPIPE; the shell would too.
    let script = "pwd; set -- $(cat /proc/$$/stat); [ $5 = $$ ] && echo leads; grep SigBlk /proc/self/status; \
                  kill -PIPE $$; echo survives";
    let image = image("/bin/sh", &["-c", script], &["PATH=/usr/bin:/bin"]).unwrap();
    let (pid, mut reader) = start(&image, Some(c"/proc")).unwrap();
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    assert_eq!(text, "/proc\nleads\nSigBlk:\t0000000000000000\n");
    assert_eq!(reap(pid), (None, Some(libc::SIGPIPE)));
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
    let child = thread::spawn(|| start(&image("/bin/sleep", &["1000"], &[]).unwrap(), None).unwrap());
    let (pid, _output) = child.join().unwrap();
    wait_for_end(pid);
    assert_eq!(reap(pid), (None, Some(libc::SIGKILL)));
}
