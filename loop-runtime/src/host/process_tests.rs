use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::super::reaper::begin;
use super::*;
use crate::sys::child::wait_for_end;
use crate::sys::host::exists;
use crate::sys::os;

/// What a test waits for happens within milliseconds; this is for a machine that is very busy.
const PATIENCE: Duration = Duration::from_secs(60);

#[expect(clippy::zombie_processes, reason = "the code under test reaps it")]
/// A child that runs `script`, held by a descriptor or by its number alone.
fn child(script: &str, by_descriptor: bool) -> (ChildProcess, Option<std::process::ChildStdin>) {
    let mut command = Command::new("/bin/sh");
    let mut child = command.args(["-c", script]).stdin(Stdio::piped()).process_group(0).spawn().unwrap();
    let pid = rustix::process::Pid::from_child(&child);
    let descriptor = if by_descriptor { os::hold(pid).unwrap() } else { None };
    (ChildProcess::new(pid, descriptor), child.stdin.take())
}

/// Needs no runtime.
fn exit(child: &Child) -> Exit {
    child.0.wait_until(Instant::now() + PATIENCE);
    child.watch().borrow().expect("reaped")
}

#[test]
fn two_hundred_at_once_are_reaped_by_one_thread() {
    static THREADS: AtomicUsize = AtomicUsize::new(0);
    let reaper = Reaper::new(|inbox, woken| {
        THREADS.fetch_add(1, Ordering::Relaxed);
        begin(inbox, woken)
    });
    let all: Vec<(Child, i32, std::process::ChildStdin)> = (0..200)
        .map(|n| {
            // Some have no descriptor, as on a system without such.
            let (process, stdin) = child(&format!("read wait; exit {n}"), n % 10 != 0);
            (Child::adopt_by(&reaper, process).unwrap(), n, stdin.unwrap())
        })
        .collect();
    let pids: Vec<u32> = all.iter().map(|(child, ..)| child.pid()).collect();
    // They read the end of their input.
    let all: Vec<_> = all.into_iter().map(|(child, n, _)| (child, n)).collect();
    for (child, n) in all {
        assert_eq!(exit(&child), Exit::new(Some(n), None));
    }
    assert!(pids.into_iter().all(|pid| !exists(pid)));
    assert_eq!(THREADS.load(Ordering::Relaxed), 1);
}

#[test]
fn a_child_that_ended_before_it_was_adopted_is_reaped() {
    for by_descriptor in [true, false] {
        let (process, _) = child("exit 3", by_descriptor);
        wait_for_end(&process);
        assert_eq!(exit(&Child::adopt(process).unwrap()), Exit::new(Some(3), None));
    }
}

/// By a reaper that nothing else wakes.
#[test]
fn a_child_without_a_descriptor_is_looked_at() {
    let (process, stdin) = child("read wait; exit 4", false);
    let child = Child::adopt_by(&Reaper::new(begin), process).unwrap();
    drop(stdin);
    assert_eq!(exit(&child), Exit::new(Some(4), None));
}

#[test]
fn a_stop_is_no_end_and_a_stopped_child_can_be_killed() {
    for by_descriptor in [true, false] {
        let (process, stdin) = child("read wait", by_descriptor);
        let stopped = Child::adopt(process).unwrap();
        stopped.signal(Signal::STOP);
        drop(stdin);
        // Another one that ends keeps the reaper from sleeping.
        let (process, _) = child("exit 0", true);
        assert_eq!(exit(&Child::adopt(process).unwrap()), Exit::new(Some(0), None));
        assert_eq!(*stopped.watch().borrow(), None);
        stopped.kill();
        assert_eq!(exit(&stopped), Exit::new(None, Some(libc::SIGKILL)));
        stopped.kill();
    }
}

#[test]
fn without_a_reaper_the_child_is_gone() {
    let none = Reaper::new(|_, _| Err(io::Error::other("no thread")));
    for _ in 0..2 {
        let (process, _stdin) = child("exec sleep 1000", true);
        let pid = process.pid();
        assert_eq!(Child::adopt_by(&none, process).unwrap_err().to_string(), "no thread");
        assert!(!exists(pid));
    }
}

#[test]
fn a_status_that_somebody_else_took_is_unknown() {
    let (process, stdin) = child("read wait; exit 3", true);
    let pid = rustix::process::Pid::from_raw(process.pid().cast_signed()).unwrap();
    drop(stdin);
    rustix::process::waitpid(Some(pid), rustix::process::WaitOptions::empty()).unwrap();
    assert_eq!(exit(&Child::adopt(process).unwrap()), Exit::new(None, None));
}

/// Runs one of the ignored tests below as a program of its own, so that it can change what it is.
#[cfg(target_os = "linux")]
fn in_another_process(test: &str) {
    let name = format!("{}::{test}", module_path!().split_once("::").unwrap().1);
    let mut command = Command::new(std::env::current_exe().unwrap());
    let status = command.args(["--exact", &name, "--ignored", "--nocapture"]).env("ROLE", test).status().unwrap();
    assert!(status.success());
}

/// In a container whose first process is the host, orphans of a plugin become children of the host.
#[cfg(target_os = "linux")]
#[test]
fn orphans_of_a_plugin_are_reaped_and_other_children_are_not() {
    in_another_process("as_the_first_process_of_a_container");
}

#[cfg(target_os = "linux")]
#[test]
#[ignore = "started by another test"]
fn as_the_first_process_of_a_container() {
    if std::env::var_os("ROLE").is_none() {
        return;
    }
    rustix::process::set_child_subreaper(Some(rustix::process::getpid())).unwrap();
    let mut stranger = Command::new("/bin/sh").args(["-c", "exit 7"]).process_group(0).spawn().unwrap();
    // One orphan ends by itself, the other with its group.
    let (process, stdin) = child("(true &); (sleep 1000 &); read wait; exit 1", true);
    let plugin = Child::adopt(process).unwrap();
    drop(stdin);
    assert_eq!(exit(&plugin), Exit::new(Some(1), None));
    let until = Instant::now() + PATIENCE;
    let all = || {
        let tasks = std::fs::read_dir("/proc/self/task").unwrap().flatten();
        tasks.map(|task| std::fs::read_to_string(task.path().join("children")).unwrap_or_default()).collect::<String>()
    };
    while all().trim() != stranger.id().to_string() {
        assert!(Instant::now() < until, "{}", all());
        std::thread::yield_now();
    }
    assert_eq!(stranger.wait().unwrap().code(), Some(7), "it was left for the one who waits for it");
}
