//! What must be gone when everything is closed: processes, sockets, file descriptors, tasks.

use std::path::Path;
use std::time::{Duration, Instant};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) processes: usize,
    pub(crate) sockets: usize,
    pub(crate) fds: usize,
    pub(crate) tasks: usize,
}

impl Held {
    /// What this process holds now.
    pub(crate) fn now() -> Self {
        Self {
            processes: children().len(),
            sockets: entries(&std::env::temp_dir()).filter(|name| name.starts_with("loop-")).count(),
            fds: fds("self"),
            tasks: tokio::runtime::Handle::current().metrics().num_alive_tasks(),
        }
    }

    /// Waits a few seconds until nothing is held beyond `before`, and returns what is.
    pub(crate) async fn back_to(before: &Self) -> Self {
        let until = Instant::now() + Duration::from_secs(5);
        loop {
            let now = Self::now();
            let over = Self {
                processes: now.processes.saturating_sub(before.processes),
                sockets: now.sockets.saturating_sub(before.sockets),
                fds: now.fds.saturating_sub(before.fds),
                tasks: now.tasks.saturating_sub(before.tasks),
            };
            if over == Self::default() || Instant::now() > until {
                return over;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

fn entries(dir: &Path) -> impl Iterator<Item = String> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned())
}

/// How many file descriptors a process has open.
pub(crate) fn fds(pid: &str) -> usize {
    entries(Path::new(&format!("/proc/{pid}/fd"))).count()
}

/// The child processes of this one, zombies included.
fn children() -> Vec<u32> {
    let parent = std::process::id().to_string();
    let pids = entries(Path::new("/proc")).filter_map(|name| name.parse::<u32>().ok());
    pids.filter(|pid| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // The name is in brackets and may hold anything; the state and the parent follow.
        stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(1)) == Some(&parent)
    })
    .collect()
}

/// KiB that a process has in memory.
pub(crate) fn memory(pid: &str) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().split(' ').next()?.parse().ok()).unwrap_or(0)
}
