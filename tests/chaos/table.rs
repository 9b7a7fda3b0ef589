//! The results of a run, as one table.

use std::collections::HashSet;
use std::fmt;
use std::time::Duration;

use crate::callers::{Calls, Outcomes};
use crate::events::Told;
use crate::faults::Done;
use crate::leaks::Held;
use crate::ran::Ran;
use crate::schedule::total;

#[derive(Default)]
pub(crate) struct Report {
    pub(crate) faults: Done,
    pub(crate) recovery: Vec<Duration>,
    pub(crate) leaked: Held,
    pub(crate) wrong: Vec<String>,
    /// Handles that did not recover.
    pub(crate) lost: u64,
    /// Rounds that needed a reset in the end.
    pub(crate) helped: u64,
    /// What was held before the first fault and after the last, by name.
    pub(crate) held: Vec<(&'static str, usize, usize)>,
    notes: usize,
    outcomes: Outcomes,
    told: Told,
    orphans: usize,
}

impl Report {
    /// Adds what a plugin reported, and looks for its processes.
    pub(crate) fn take_in(&mut self, told: Told, silent: &HashSet<u32>) {
        self.orphans += told.pids.iter().filter(|pid| is_there(**pid)).count();
        // Started processes are numbered from 1 without a gap.
        let hung = told.hung.iter().filter_map(|n| told.pids.get(*n as usize - 1));
        for pid in hung.filter(|pid| !silent.contains(pid)) {
            self.wrong.push(format!("I16: process {pid} was taken for hung and was not"));
        }
        self.wrong.extend(told.wrong);
        let sum = &mut self.told;
        sum.started += told.started;
        sum.hung.extend(told.hung);
        sum.redialled += told.redialled;
        sum.made += told.made;
        sum.failed += told.failed;
        sum.opened += told.opened;
        sum.gave_up += told.gave_up;
        sum.duplicates += told.duplicates;
    }

    /// Checks the calls of a round against what ran.
    pub(crate) fn check(&mut self, calls: &Calls, ran: &Ran) {
        self.notes += ran.notes;
        let seen = calls.check(ran);
        self.wrong.append(&mut calls.wrong.lock().expect("no panic"));
        self.wrong.extend(ran.wrong.iter().cloned());
        let sum = &mut self.outcomes;
        sum.answered += seen.answered;
        sum.refused += seen.refused;
        sum.not_sent += seen.not_sent;
        sum.may_have_run += seen.may_have_run;
        sum.closed += seen.closed;
        sum.dropped += seen.dropped;
        sum.repeats += seen.repeats;
    }

    /// Nothing wrong and nothing left.
    pub(crate) fn is_clean(&self) -> bool {
        self.wrong.is_empty() && self.leaked == Held::default() && self.orphans == 0
    }
}

fn is_there(pid: u32) -> bool {
    std::path::Path::new(&format!("/proc/{pid}")).exists()
}

/// The percentile `percent` of `times`.
fn percentile(times: &[Duration], percent: usize) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let at = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(at).copied().unwrap_or_default()
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut row = |name: &str, value: String| writeln!(f, "  {name:<34}{value:>12}");
        row("faults", total(&self.faults).to_string())?;
        for (fault, times) in &self.faults {
            row(&format!("    {fault:?}"), times.to_string())?;
        }
        let Outcomes { answered, refused, not_sent, may_have_run, closed, dropped, repeats } = &self.outcomes;
        row("calls answered", answered.to_string())?;
        row("    refused", refused.to_string())?;
        row("    not sent", not_sent.to_string())?;
        row("    may have run", may_have_run.to_string())?;
        row("    handle closed", closed.to_string())?;
        row("    dropped by the caller", dropped.to_string())?;
        row("    repeated by the runtime", repeats.to_string())?;
        let told = &self.told;
        row("processes started", told.started.to_string())?;
        row("    taken for hung", told.hung.len().to_string())?;
        row("breaker opened", told.opened.to_string())?;
        row("given up until a reset", told.gave_up.to_string())?;
        row("objects made", told.made.to_string())?;
        row("    by a second dial", told.redialled.to_string())?;
        row("    refused or failed", told.failed.to_string())?;
        row("    duplicates possible", told.duplicates.to_string())?;
        row("rounds that needed a reset", self.helped.to_string())?;
        row("calls to the lent ledger", self.notes.to_string())?;
        for (what, before, after) in &self.held {
            row(what, format!("{before} -> {after}"))?;
        }
        row("wrong answers and broken rules", self.wrong.len().to_string())?;
        row("lost handles", self.lost.to_string())?;
        row("orphans", (self.orphans + self.leaked.processes).to_string())?;
        row("leaked socket directories", self.leaked.sockets.to_string())?;
        row("leaked descriptors", self.leaked.fds.to_string())?;
        row("leaked tasks", self.leaked.tasks.to_string())?;
        row("recovery p50", format!("{:.1?}", percentile(&self.recovery, 50)))?;
        row("recovery p99", format!("{:.1?}", percentile(&self.recovery, 99)))
    }
}
