use std::io::Read as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use super::*;
use crate::sys::host::exists;

/// The same child, held by a descriptor where there are any, and by its number alone.
fn held(child: &std::process::Child) -> [ChildProcess; 2] {
    let pid = Pid::from_child(child);
    [ChildProcess::new(pid, os::hold(pid).unwrap()), ChildProcess::new(pid, None)]
}

#[test]
fn the_end_is_seen_before_the_reap_takes_the_status() {
    let mut child = Command::new("/bin/sh").args(["-c", "read wait; exit 3"]).stdin(Stdio::piped()).spawn().unwrap();
    let [process, _] = held(&child);
    assert!(!process.has_ended());
    assert_eq!(process.reap(), End::NotYet);
    drop(child.stdin.take());
    wait_for_end(&process);
    assert!(process.has_ended() && exists(child.id()), "a process that is not reaped keeps its id");
    assert_eq!(process.reap(), End::Ended { status: Some(3), signal: None });
    assert!(!exists(child.id()));
    assert_eq!(process.reap(), End::Unknown, "somebody else took the status");
    assert!(process.has_ended() && !process.reap_group());
    assert!(child.try_wait().is_err());
}

#[test]
fn a_signal_reaches_the_group_and_its_end_is_told() {
    for which in [0, 1] {
        let mut child = Command::new("/bin/sh")
            .args(["-c", "sleep 1000 & echo; wait"])
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap();
        let process = &held(&child)[which];
        let mut stdout = child.stdout.take().unwrap();
        stdout.read_exact(&mut [0]).unwrap();
        process.signal(Signal::KILL);
        wait_for_end(process);
        assert_eq!(process.reap(), End::Ended { status: None, signal: Some(libc::SIGKILL) });
        // `sleep` has the same pipe, which therefore ends only when it has ended too.
        assert_eq!(std::io::copy(&mut stdout, &mut std::io::sink()).unwrap(), 0);
        process.signal(Signal::KILL);
        assert!(child.wait().is_err(), "its status was taken");
    }
}

/// Were the number trusted after somebody else has reaped the process, the signal would go to whoever has it now.
#[test]
fn a_number_that_is_nobodys_child_gets_no_signal() {
    let mut child = Command::new("/bin/sleep").arg("1000").process_group(0).spawn().unwrap();
    // This process is no child of itself; its number stands for one that was used again.
    let own = ChildProcess::new(rustix::process::getpid(), None);
    own.signal(Signal::KILL);
    own.signal_group(Signal::KILL);
    child.kill().unwrap();
    child.wait().unwrap();
}
