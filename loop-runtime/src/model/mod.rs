//! Many thousands of schedules over the machines that decide: supervisor, keeper, retry loop and lease.

mod callers;
mod calls;
mod checks;
mod door;
mod driver;
mod far;
mod faults;
mod generation;
mod grammar;
mod handle;
mod keeper;
mod lease;
mod ledger;
mod link;
mod plugin;
mod random;
mod recovery;
mod remains;
mod service;
mod session;
mod sim;
mod upgrade;
mod world;

use ledger::Promise;

/// Machine steps in an ordinary run of the tests.
const STEPS: u64 = 2_000_000;

#[test]
fn whatever_happens_what_is_promised_holds() {
    let variable = |name: &str| std::env::var(name).ok();
    let number = |name: &str| variable(name).map(|text| text.parse::<u64>().expect("a number"));
    let only = variable("LOOP_MODEL_ONLY");
    let promises = Promise::only(only.as_deref());
    let (seed, schedules) = (number("LOOP_MODEL_SEED"), number("LOOP_MODEL_SCHEDULES"));
    let schedules = schedules.or(seed.map(|_| 1));
    let first = seed.unwrap_or(0);
    let (mut steps, mut at) = (0, first);
    let mut figures = Vec::new();
    while schedules.map_or(steps < STEPS, |most| at < first + most) {
        if variable("LOOP_MODEL_PROGRESS").is_some() {
            println!("seed {at}");
        }
        let report = driver::schedule(at, &promises, false);
        steps += report.steps;
        if report.closed.broken.is_some() {
            fail(at, at - first + 1, only.as_deref(), &promises);
        }
        figures.push(report.closed.figures);
        at += 1;
    }
    println!("{} schedules, {steps} steps: {:?}", at - first, ledger::Figures::sum(&figures));
}

/// Runs the schedule again, and tells what happened in it.
fn fail(seed: u64, schedules: u64, only: Option<&str>, promises: &[Promise]) -> ! {
    let again = driver::schedule(seed, promises, true);
    let lines: Vec<String> = again.closed.lines.into();
    let (promise, how) = again.closed.broken.expect("the same schedule comes to the same end");
    let only = only.map(|names| format!("LOOP_MODEL_ONLY={names} ")).unwrap_or_default();
    panic!(
        "{promise:?} is broken in schedule {schedules}, seed {seed}: {how}\n{}\n\nagain: {only}LOOP_MODEL_SEED={seed} cargo test -p loop-runtime --lib model",
        lines.join("\n")
    );
}
