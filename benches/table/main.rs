//! This runtime beside what one would write by hand, and beside Go: `cargo bench -p loop-benches --bench table` prints one table.
//!
//! The rows are explained in `benches/README.md`. Every stack runs in processes of its own; their
//! rounds are interleaved in alternating order, and a ratio is the median of those of single rounds, so that what else
//! the machine does touches both sides alike.
//!
//! `--rounds N` sets how many rounds (15 without), `--only calls,proxy,life,memory,go` which parts.

#![allow(missing_docs, reason = "a bench")]

mod build;
mod compare;
mod driver;
mod print;
mod rows;
#[path = "../stacks/shared/mod.rs"]
mod shared;

use std::process::ExitCode;

use build::Programs;
use compare::Stacks;
use shared::{Flavour, Outcome};

const PARTS: [&str; 5] = ["calls", "proxy", "life", "memory", "go"];

fn main() -> ExitCode {
    // Without it, this is `cargo test --benches`.
    if !std::env::args().any(|argument| argument == "--bench") {
        println!("nothing to test: `cargo bench -p loop-benches --bench table` measures");
        return ExitCode::SUCCESS;
    }
    match Options::read().and_then(table) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

struct Options {
    rounds: usize,
    parts: Vec<String>,
}

impl Options {
    fn read() -> Outcome<Self> {
        let mut options = Self { rounds: 15, parts: PARTS.map(str::to_owned).into() };
        // `--bench` is cargo's.
        let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
        while let Some(argument) = arguments.next() {
            let value = arguments.next().ok_or_else(|| format!("{argument} needs a value"))?;
            match argument.as_str() {
                "--rounds" => options.rounds = value.parse::<usize>()?.max(1),
                "--only" => options.parts = value.split(',').map(str::to_owned).collect(),
                _ => return Err(format!("no such option: {argument}").into()),
            }
        }
        match options.parts.iter().find(|part| !PARTS.contains(&part.as_str())) {
            Some(part) => Err(format!("no such part: {part}; there are {}", PARTS.join(", ")).into()),
            None => Ok(options),
        }
    }

    fn has(&self, part: &str) -> bool {
        self.parts.iter().any(|wanted| wanted == part)
    }
}

fn table(options: Options) -> Outcome<()> {
    let [tonic, ours] = build::rust()?;
    print::head(options.rounds);
    for flavour in [Flavour::CurrentThread, Flavour::MultiThread] {
        let start = || Stacks::start("tonic", [&tonic, &ours], flavour, options.rounds);
        let mut stacks = start()?;
        if options.has("calls") {
            rows::calls(&mut stacks)?;
        }
        if options.has("proxy") {
            rows::proxy(&mut stacks)?;
        }
        if options.has("life") {
            rows::life(&mut stacks)?;
            rows::replace(&mut stacks)?;
        }
        drop(stacks);
        if options.has("memory") {
            rows::memory(start)?;
        }
    }
    if options.has("go") {
        match build::go() {
            Ok(go) => {
                rows::go(|| Stacks::start("Go", [&go, &ours], Flavour::MultiThread, options.rounds))?;
                let both = [Programs { auto_mtls: true, ..go }, build::secured()?];
                let start = || Stacks::start("Go, AutoMTLS", both.each_ref(), Flavour::MultiThread, options.rounds);
                rows::go(start)?;
            }
            Err(why) => println!("\nrows beside Go skipped: {}", why.to_string().trim()),
        }
    }
    Ok(())
}
