//! Temporary shortages: of inodes, and of file descriptors.

use std::ffi::OsString;
use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit, setrlimit};

use crate::leaks::fds;

/// Files on the small disk: far more than two plugins need sockets.
const FILES: usize = 600;

/// The command that runs `this` with a small file system of its own on `disk`. Without the permission to mount one,
/// which user namespaces give, sockets are on the big disk, which never fills up.
pub(crate) fn with_a_small_disk(this: &Path, disk: &Path) -> Command {
    let script = format!("mount -t tmpfs -o size=4m,nr_inodes={FILES} chaos \"$0\" && exec \"$@\"");
    let unshare = |rest: &[OsString]| {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount", "sh", "-c", &script]).arg(disk).args(rest);
        command
    };
    if unshare(&["true".into()]).output().is_ok_and(|tried| tried.status.success()) {
        return unshare(&[this.into()]);
    }
    eprintln!("chaos: no full disk, as this system allows no user namespaces");
    Command::new(this)
}

/// Fills the disk with the sockets, if it is a small one.
pub(crate) async fn of_inodes(time: Duration) {
    let disk = std::env::temp_dir();
    let name = |n: usize| disk.join(format!("fill-{n}"));
    let filled = (0..FILES).take_while(|n| File::create(name(*n)).is_ok()).count();
    tokio::time::sleep(time).await;
    for n in 0..filled {
        std::fs::remove_file(name(n)).expect("a file of ours");
    }
}

/// Ends a shortage that was inherited: a plugin may be started while its host is short of descriptors, and would be short
/// of them for life.
pub(crate) fn end_inherited() {
    let all = getrlimit(Resource::Nofile);
    // What was allowed before the shortage still is.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: all.maximum, ..all });
}

/// Leaves a process, or this one, hardly any new descriptors.
pub(crate) async fn of_descriptors(process: Option<u32>, time: Duration) {
    let (pid, used) = match process {
        Some(pid) => (i32::try_from(pid).ok().and_then(Pid::from_raw), fds(&pid.to_string())),
        None => (None, fds("self")),
    };
    if process.is_some() && used == 0 {
        return;
    }
    let all = getrlimit(Resource::Nofile);
    let few = Rlimit { current: Some(used as u64 + 2), maximum: all.maximum };
    // The process may have ended.
    let _ = prlimit(pid, Resource::Nofile, few);
    tokio::time::sleep(time).await;
    let _ = prlimit(pid, Resource::Nofile, all);
}
