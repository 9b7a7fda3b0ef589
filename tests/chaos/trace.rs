//! What ran where, in one file that all processes append to: the truth that outcomes are checked against.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::ran::Ran;

/// Where a call runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Site {
    Root,
    Relayer,
    Provider,
    Factory,
    Reporter,
}

impl Site {
    pub(crate) const ALL: [Self; 5] = [Self::Root, Self::Relayer, Self::Provider, Self::Factory, Self::Reporter];
}

/// A file in append mode: each line is one write, so lines of several processes do not mix, and are in the order of
/// what happened.
pub(crate) struct Trace {
    file: File,
    path: PathBuf,
}

impl Trace {
    pub(crate) fn open(dir: &Path) -> Self {
        let path = dir.join("trace");
        let file = OpenOptions::new().create(true).append(true).open(&path).expect("a trace file");
        Self { file, path }
    }

    fn line(&self, line: &str) {
        (&self.file).write_all(line.as_bytes()).expect("a line in the trace");
    }

    /// A handler begins to run `call`.
    pub(crate) fn ran(&self, site: Site, call: u64) {
        self.line(&format!("run {} {call} {}\n", site as usize, std::process::id()));
    }

    /// A constructor runs for the handle `name`.
    pub(crate) fn making(&self, name: &str) {
        self.line(&format!("make {name} {}\n", std::process::id()));
    }

    /// It made the object `serial`, a child of `parent`.
    pub(crate) fn made(&self, name: &str, serial: u64, parent: u64) {
        self.line(&format!("made {name} {serial} {parent} {}\n", std::process::id()));
    }

    /// The object `serial`, a child of `parent`, got the release call.
    pub(crate) fn told(&self, serial: u64, parent: u64) {
        self.line(&format!("told {serial} {parent} {}\n", std::process::id()));
    }

    /// The object `serial` was dropped.
    pub(crate) fn gone(&self, serial: u64) {
        self.line(&format!("gone {serial} {}\n", std::process::id()));
    }

    /// Process `pid` called what the host lent it.
    pub(crate) fn noted(&self, pid: u32) {
        self.line(&format!("note {pid}\n"));
    }

    /// The host got the event that process `pid` of `plugin` is the newest.
    pub(crate) fn published(&self, plugin: &str, pid: u32) {
        self.line(&format!("newest {plugin} {pid}\n"));
    }

    /// The host got the event that process `pid` of `plugin` has replaced another, which answers the calls in flight.
    pub(crate) fn took_over(&self, plugin: &str, pid: u32) {
        self.line(&format!("joined {plugin} {pid}\n"));
    }

    /// The host got the event that the replaced process `pid` has ended.
    pub(crate) fn left(&self, pid: u32) {
        self.line(&format!("left {pid}\n"));
    }

    /// The host got the event that the newest process of `plugin` has ended.
    pub(crate) fn ended(&self, plugin: &str) {
        self.line(&format!("ended {plugin}\n"));
    }

    /// The host has closed the handle `name`.
    pub(crate) fn closed(&self, name: &str) {
        self.line(&format!("closed {name}\n"));
    }

    pub(crate) fn read(&self) -> Ran {
        Ran::of(&std::fs::read_to_string(&self.path).expect("the trace"))
    }
}
