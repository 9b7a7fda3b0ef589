//! The notes of a plugin, in Rust or in Go, in a file for the test around it, which outlive the process.

use std::collections::HashMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Names the file to a plugin.
pub(crate) const FILE: &str = "INTEROP_NOTES";

/// Notes that a job was begun.
pub(crate) fn job(job: u64) {
    note(&format!("job {job}"));
}

/// Notes a line, in a plugin that was given a file.
pub(crate) fn note(line: &str) {
    let Some(path) = std::env::var_os(FILE) else { return };
    let mut file = fs::File::options().append(true).create(true).open(path).unwrap();
    file.write_all(format!("{line}\n").as_bytes()).unwrap();
}

/// What was noted.
pub(crate) struct Notes {
    /// How many times each job was begun.
    pub(crate) jobs: HashMap<u64, u64>,
    /// The directories of sockets, one for each process in Go.
    pub(crate) socket_dirs: Vec<PathBuf>,
    /// The cleanup hooks that have run, of plugins in Rust.
    pub(crate) hooks: Vec<String>,
}

impl Notes {
    pub(crate) fn read(path: &Path) -> Self {
        let (mut jobs, mut socket_dirs, mut hooks) = (HashMap::new(), Vec::new(), Vec::new());
        for line in fs::read_to_string(path).unwrap_or_default().lines() {
            match line.split_once(' ').unwrap() {
                ("job", job) => *jobs.entry(job.parse().unwrap()).or_default() += 1,
                ("sockets", dir) => socket_dirs.push(dir.into()),
                ("hook", name) => hooks.push(name.to_owned()),
                _ => panic!("{line}"),
            }
        }
        Self { jobs, socket_dirs, hooks }
    }
}
