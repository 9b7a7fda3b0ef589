//! Reads the trace: what ran, and what must not have run then.

use std::collections::{HashMap, HashSet};

use crate::trace::Site;

/// The content of the trace.
#[derive(Default)]
pub(crate) struct Ran {
    times: HashMap<(usize, u64), u32>,
    /// Objects that exist now: process, serial number; name.
    alive: HashMap<(String, String), String>,
    closed: HashSet<String>,
    /// The newest process of each plugin, unless it has ended.
    newest: HashMap<String, String>,
    /// Processes that have ended, or that were replaced.
    over: HashSet<String>,
    told: HashSet<(String, String)>,
    /// Calls of lent services.
    pub(crate) notes: usize,
    /// What must never happen, found from the order of the lines.
    pub(crate) wrong: Vec<String>,
}

impl Ran {
    pub(crate) fn of(text: &str) -> Self {
        let mut all = Self::default();
        for line in text.lines() {
            let words: Vec<_> = line.split(' ').collect();
            if all.take(&words).is_none() {
                all.wrong.push(format!("a torn line: {line}"));
            }
        }
        all
    }

    fn take(&mut self, line: &[&str]) -> Option<()> {
        let object = |pid: &str, serial: &str| (pid.to_owned(), serial.to_owned());
        let by = match *line {
            ["newest", plugin, pid] => {
                self.over.extend(self.newest.insert(plugin.to_owned(), pid.to_owned()));
                return Some(());
            }
            ["joined", plugin, pid] => {
                self.newest.insert(plugin.to_owned(), pid.to_owned());
                return Some(());
            }
            ["left", pid] => {
                self.over.insert(pid.to_owned());
                return Some(());
            }
            ["ended", plugin] => {
                self.over.extend(self.newest.remove(plugin));
                return Some(());
            }
            ["closed", name] => {
                self.closed.insert(name.to_owned());
                return Some(());
            }
            ["note", pid] => {
                self.notes += 1;
                if self.over.contains(pid) {
                    self.wrong.push(format!("I6: process {pid} has ended, and called what was lent to it"));
                }
                return Some(());
            }
            ["make", name, pid] => {
                if self.closed.contains(name) {
                    self.wrong.push(format!("I12: {name} was made again after it was closed"));
                }
                pid
            }
            ["made", name, serial, parent, pid] => {
                if self.told.contains(&object(pid, parent)) {
                    self.wrong.push(format!("I3: {name} was made by an object that was told to close"));
                }
                self.alive.insert(object(pid, serial), name.to_owned());
                pid
            }
            ["told", serial, parent, pid] => {
                if self.told.contains(&object(pid, parent)) {
                    self.wrong
                        .push(format!("I12: {:?} was closed after its parent", self.alive.get(&object(pid, serial))));
                }
                self.told.insert(object(pid, serial));
                pid
            }
            ["gone", serial, pid] => {
                self.alive.remove(&object(pid, serial));
                return Some(());
            }
            ["run", site, call, pid] => {
                *self.times.entry((site.parse().ok()?, call.parse().ok()?)).or_default() += 1;
                pid
            }
            _ => return None,
        };
        if self.over.contains(by) {
            self.wrong.push(format!("I7: process {by} did {line:?} after it had ended or the next was published"));
        }
        Some(())
    }

    pub(crate) fn times(&self, site: Site, call: u64) -> u32 {
        self.times.get(&(site as usize, call)).copied().unwrap_or(0)
    }

    /// Unused objects in live processes: closed ones, and duplicates of a name.
    pub(crate) fn superfluous(&self) -> Vec<String> {
        let living: HashSet<_> = self.newest.values().collect();
        let mut seen = HashSet::new();
        let there = self.alive.iter().filter(|((pid, _), _)| living.contains(pid));
        there
            .filter(|(_, name)| self.closed.contains(*name) || !seen.insert(*name))
            .map(|(_, name)| name.clone())
            .collect()
    }
}
