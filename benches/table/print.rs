//! The table.

use std::fs;
use std::process::Command;

/// One row. Pairs are the peer's figure, then ours.
#[derive(Default)]
pub(crate) struct Row {
    pub(crate) what: String,
    pub(crate) runtime: &'static str,
    pub(crate) cores: &'static str,
    pub(crate) peer: &'static str,
    pub(crate) figures: [String; 2],
    pub(crate) ratio: f64,
    /// Seconds of CPU time per call, with the ratio.
    pub(crate) processor: Option<([f64; 2], f64)>,
    pub(crate) allocations: Option<[f64; 2]>,
}

/// Machine and date, and the head of the table.
pub(crate) fn head(rounds: usize) {
    let date = Command::new("date").args(["--utc", "+%Y-%m-%d"]).output();
    let date = date.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default();
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or(": unknown processor");
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let model = model.trim_start_matches(['\t', ' ', ':']);
    println!("{date}; {cores} cores of {model}, Linux {}; {rounds} rounds\n", kernel.trim());
    println!(
        "| what | runtime | cores | peer | peer | ours | ratio | CPU peer | CPU ours | CPU ratio | allocations, peer / ours |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|");
}

impl Row {
    pub(crate) fn print(&self) {
        let Self { what, runtime, cores, peer, figures: [theirs, ours], ratio, .. } = self;
        print!("| {what} | {runtime} | {cores} | {peer} | {theirs} | {ours} | **{ratio:.2}** |");
        match self.processor {
            Some(([theirs, ours], ratio)) => print!(" {} | {} | **{ratio:.2}** |", time(theirs), time(ours)),
            None => print!(" | | |"),
        }
        match self.allocations {
            Some([theirs, ours]) => println!(" {theirs:.1} / {ours:.1} |"),
            None => println!(" |"),
        }
    }
}

/// Seconds, readable.
pub(crate) fn time(seconds: f64) -> String {
    match seconds {
        0.1.. => format!("{:.0} ms", seconds * 1e3),
        0.001.. => format!("{:.2} ms", seconds * 1e3),
        _ => format!("{:.1} us", seconds * 1e6),
    }
}

/// Bytes of memory.
pub(crate) fn memory(bytes: f64) -> String {
    match bytes / 1024.0 {
        kib @ 10_240.0.. => format!("{:.1} MiB", kib / 1024.0),
        kib => format!("{kib:.0} KiB"),
    }
}

/// Bytes of a message.
pub(crate) fn size(bytes: usize) -> String {
    match bytes {
        1_048_576.. => format!("{} MiB", bytes >> 20),
        1024.. => format!("{} KiB", bytes >> 10),
        _ => format!("{bytes} B"),
    }
}
