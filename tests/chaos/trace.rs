//! What ran where, in one file that all processes append to: the truth that answers are held against.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

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

/// A file in append mode: each line is one write, so lines of several processes do not mix, and stand in the order of
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
    pub(crate) fn made(&self, name: &str) {
        self.line(&format!("make {name} {}\n", std::process::id()));
    }

    /// The host was told that process `pid` of `plugin` is the newest.
    pub(crate) fn published(&self, plugin: &str, pid: u32) {
        self.line(&format!("newest {plugin} {pid}\n"));
    }

    /// The host has closed the handle `name`.
    pub(crate) fn closed(&self, name: &str) {
        self.line(&format!("closed {name}\n"));
    }

    pub(crate) fn read(&self) -> Ran {
        Ran::of(&std::fs::read_to_string(&self.path).expect("the trace"))
    }
}

/// The trace, read.
#[derive(Default)]
pub(crate) struct Ran {
    times: HashMap<(usize, u64), u32>,
    /// What must never happen, found in the order of the lines alone.
    pub(crate) wrong: Vec<String>,
}

impl Ran {
    fn of(text: &str) -> Self {
        let mut all = Self::default();
        let lines = || text.lines().map(|line| line.split(' ').collect::<Vec<_>>());
        let mut plugins = HashMap::new();
        for line in lines() {
            if let ["newest", plugin, pid] = line[..] {
                plugins.insert(pid, plugin);
            }
        }
        let (mut newest, mut older) = (HashMap::new(), Vec::new());
        let mut closed = Vec::new();
        for line in lines() {
            let pid = match line[..] {
                ["newest", plugin, pid] => {
                    older.extend(newest.insert(plugin, pid));
                    continue;
                }
                ["closed", name] => {
                    closed.push(name);
                    continue;
                }
                ["make", name, pid] => {
                    if closed.contains(&name) {
                        all.wrong.push(format!("{name} was made again after it was closed"));
                    }
                    pid
                }
                ["run", site, call, pid] => {
                    let key = (site.parse().expect("a site"), call.parse().expect("a call"));
                    *all.times.entry(key).or_default() += 1;
                    pid
                }
                _ => {
                    all.wrong.push(format!("a torn line: {line:?}"));
                    continue;
                }
            };
            if older.contains(&pid) {
                let plugin = plugins.get(pid);
                all.wrong.push(format!("process {pid} of {plugin:?} ran {line:?} after the next was published"));
            }
        }
        all
    }

    pub(crate) fn times(&self, site: Site, call: u64) -> u32 {
        self.times.get(&(site as usize, call)).copied().unwrap_or(0)
    }
}
