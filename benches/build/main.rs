//! How long a service of 60 methods takes to build, beside what tonic-build makes of the same methods:
//! `cargo bench -p loop-benches --bench build`.
//!
//! Two crates are generated in the target directory: a service, an implementation that is served, a client that calls
//! every method. Their dependencies are built first and not counted; then the crates alone are built in turns, without
//! incremental state, and not linked. `--rounds N` sets how often (5 without).

#![allow(missing_docs, reason = "a bench")]

mod generate;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    // Without it, this is `cargo test --benches`.
    if !arguments.iter().any(|argument| argument == "--bench") {
        println!("nothing to test: `cargo bench -p loop-benches --bench build` measures");
        return ExitCode::SUCCESS;
    }
    let rounds = arguments.iter().position(|argument| argument == "--rounds");
    let rounds = rounds.and_then(|at| arguments.get(at + 1)?.parse().ok()).unwrap_or(5_usize).max(1);
    match compare(rounds) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

/// Seconds that a build took, and seconds of CPU time.
type Sample = [f64; 2];

fn compare(rounds: usize) -> Outcome<()> {
    let exe = std::env::current_exe()?;
    // This program is in `<target>/release/deps`.
    let target = exe.ancestors().nth(3).ok_or("no target directory")?;
    let crates = target.join("build-bench");
    generate::tonic(&crates.join("tonic"))?;
    generate::ours(&crates.join("ours"))?;
    println!("| build of 60 methods | tonic-build | ours | ratio | CPU tonic-build | CPU ours | CPU ratio |");
    println!("|---|---|---|---|---|---|---|");
    for (what, arguments) in [("check", &["check"][..]), ("release", &["build", "--release"][..])] {
        let both = [crates.join("tonic"), crates.join("ours")];
        for one in &both {
            build(one, target, arguments)?;
        }
        let mut pairs: Vec<[Sample; 2]> = Vec::new();
        for round in 0..rounds {
            let mut pair = [[0.0; 2]; 2];
            for turn in 0..2 {
                let at = (round + turn) % 2;
                pair[at] = build(&both[at], target, arguments)?;
            }
            pairs.push(pair);
        }
        print!("| {what}");
        for of in 0..2 {
            let side = |at: usize| median(pairs.iter().map(|pair| pair[at][of]));
            let ratio = median(pairs.iter().map(|[theirs, ours]| ours[of] / theirs[of]));
            print!(" | {:.2} s | {:.2} s | **{ratio:.2}**", side(0), side(1));
        }
        println!(" |");
    }
    fs::remove_dir_all(crates)?;
    Ok(())
}

/// Builds one crate anew; what it depends on is built only the first time.
fn build(directory: &Path, target: &Path, arguments: &[&str]) -> Outcome<Sample> {
    let source = directory.join("src/lib.rs");
    let text = fs::read_to_string(&source)?;
    // Cargo compares the modification time.
    fs::write(&source, text)?;
    let cargo = std::env::var_os("CARGO").map_or_else(|| "cargo".into(), PathBuf::from);
    let spent = children()?;
    let began = Instant::now();
    let output = Command::new(cargo)
        .args(arguments)
        .args(["--quiet", "--offline"])
        .current_dir(directory)
        .env("CARGO_TARGET_DIR", target)
        .env("CARGO_INCREMENTAL", "0")
        .output()?;
    let took = began.elapsed();
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    Ok([took.as_secs_f64(), children()? - spent])
}

/// The CPU time of all processes that were started here, directly or not, and have ended.
fn children() -> Outcome<f64> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    // The second field is the program's name in parentheses, which may hold spaces.
    let (_, rest) = stat.rsplit_once(')').ok_or("no process name")?;
    let ticks: Vec<f64> = rest.split_whitespace().skip(13).take(2).flat_map(str::parse).collect();
    // A tick is 10 ms wherever Linux reports them.
    Ok(ticks.iter().sum::<f64>() / 100.0)
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
