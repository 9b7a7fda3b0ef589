//! Two stacks, measured in turns.

use std::time::Duration;

use crate::build::Programs;
use crate::driver::{Cores, Process};
use crate::shared::{Flavour, Load, Outcome};

/// A peer and ours, both running.
pub(crate) struct Stacks {
    /// The name of the peer.
    pub(crate) peer: &'static str,
    pub(crate) flavour: Flavour,
    pub(crate) rounds: usize,
    /// The peer, then ours.
    pub(crate) both: [Process; 2],
}

/// One round of one stack, each for one call, in seconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    pub(crate) took: f64,
    pub(crate) processor: f64,
}

/// All rounds of the two, in pairs.
pub(crate) struct Compared(pub(crate) Vec<[Sample; 2]>);

impl Stacks {
    pub(crate) fn start(
        peer: &'static str,
        programs: [&Programs; 2],
        flavour: Flavour,
        rounds: usize,
    ) -> Outcome<Self> {
        let both = [Process::start(programs[0], flavour)?, Process::start(programs[1], flavour)?];
        Ok(Self { peer, flavour, rounds, both })
    }

    pub(crate) fn place(&self, cores: Cores) -> Outcome<()> {
        self.both.iter().try_for_each(|stack| stack.place(cores))
    }

    /// Measures `rounds` rounds of `command`, which makes `calls` calls, after one warm-up round.
    pub(crate) fn compare(&mut self, command: &str, calls: usize, rounds: usize) -> Outcome<Compared> {
        let mut pairs = Vec::new();
        for round in 0..=rounds {
            let mut pair = [Sample { took: 0.0, processor: 0.0 }; 2];
            for turn in 0..2 {
                let at = (round + turn) % 2;
                pair[at] = sample(&mut self.both[at], command, calls)?;
            }
            if round > 0 {
                pairs.push(pair);
            }
        }
        Ok(Compared(pairs))
    }

    /// Allocations per call in the hosts.
    pub(crate) fn allocations(&mut self, load: Load) -> Outcome<[f64; 2]> {
        let command = format!("count {} {} {}", load.bytes, load.in_flight, load.calls);
        let mut count =
            |at: usize| -> Outcome<f64> { Ok(self.both[at].ask(&command)?.allocations as f64 / load.calls as f64) };
        Ok([count(0)?, count(1)?])
    }
}

fn sample(stack: &mut Process, command: &str, calls: usize) -> Outcome<Sample> {
    let before = stack.processor_time()?;
    let took = stack.ask(command)?.took;
    // Nothing is known of processes that ended meanwhile: their rows do not show it.
    let spent = stack.processor_time()?.saturating_sub(before);
    let per_call = |all: Duration| all.as_secs_f64() / calls as f64;
    Ok(Sample { took: per_call(took), processor: per_call(spent) })
}

impl Compared {
    /// Medians of the peer and of ours, and of the ratios of single rounds.
    pub(crate) fn medians(&self, of: impl Fn(&Sample) -> f64) -> ([f64; 2], f64) {
        let side = |at: usize| median(self.0.iter().map(|pair| of(&pair[at])));
        ([side(0), side(1)], median(self.0.iter().map(|[theirs, ours]| of(ours) / of(theirs))))
    }

    /// The longest time of each.
    pub(crate) fn longest(&self) -> [f64; 2] {
        [0, 1].map(|at| self.0.iter().map(|pair| pair[at].took).fold(0.0, f64::max))
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
