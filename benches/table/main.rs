//! This runtime beside what one would write by hand, and beside Go: `cargo bench --bench table` prints one table.
//!
//! What the rows are, and what they say, is in `benches/README.md`. Every stack runs in processes of its own; their
//! rounds are interleaved in alternating order, and a ratio is the median of those of single rounds, so that what else
//! the machine does touches both sides alike.
//!
//! `--rounds N` sets how many rounds (15 without), `--only calls,proxy,life,memory,go` which parts.

#![allow(missing_docs, reason = "a bench")]

mod build;
mod compare;
mod driver;
mod ours;
mod print;
mod rows;
#[path = "../shared/mod.rs"]
mod shared;

use std::process::ExitCode;

use compare::Stacks;
use shared::{FLAVOUR, Flavour, HOST, Outcome, PLUGIN};

const PARTS: [&str; 5] = ["calls", "proxy", "life", "memory", "go"];

fn main() -> ExitCode {
    shared::exit(if std::env::var_os(PLUGIN).is_some() {
        run(Flavour::of_environment(FLAVOUR), |_| ours::plugin())
    } else if let Some(flavour) = Flavour::of_environment(HOST) {
        run(Some(flavour), ours::host)
    } else if std::env::args().any(|argument| argument == "--bench") {
        Options::read().and_then(table)
    } else {
        println!("nothing to test: `cargo bench --bench table` measures");
        Ok(())
    })
}

fn run<F: Future<Output = Outcome<()>>>(flavour: Option<Flavour>, role: impl FnOnce(Flavour) -> F) -> Outcome<()> {
    let flavour = flavour.ok_or("no such flavour")?;
    flavour.runtime()?.block_on(role(flavour))
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
    let ours = std::env::current_exe()?;
    let peer = build::peer()?;
    print::head(options.rounds);
    for flavour in [Flavour::CurrentThread, Flavour::MultiThread] {
        let start = || Stacks::start("tonic", &peer, &ours, flavour, options.rounds);
        let mut stacks = start()?;
        if options.has("calls") {
            rows::calls(&mut stacks)?;
        }
        if options.has("proxy") {
            rows::proxy(&mut stacks)?;
        }
        if options.has("life") {
            rows::life(&mut stacks)?;
        }
        drop(stacks);
        if options.has("memory") {
            rows::memory(start)?;
        }
    }
    if options.has("go") {
        match build::go() {
            Ok(go) => rows::go(|| Stacks::start("Go", &go, &ours, Flavour::MultiThread, options.rounds))?,
            Err(why) => println!("\nrows beside Go skipped: {}", why.to_string().trim()),
        }
    }
    Ok(())
}
