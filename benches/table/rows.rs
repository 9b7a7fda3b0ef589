//! What is measured.

use std::thread::sleep;
use std::time::Duration;

use crate::compare::{Compared, Sample, Stacks};
use crate::driver::Cores;
use crate::print::{self, Row, size, time};
use crate::shared::{Flavour, Load, Outcome};

const SIZES: [usize; 3] = [64, 4 << 10, 1 << 20];
const FLOOD: usize = 10_000;

/// How many calls make a round of a tenth of a second or so.
fn per_round(bytes: usize, in_flight: usize) -> usize {
    let calls = match bytes {
        0..1024 => 3000,
        1024..0x10_0000 => 2000,
        _ => 32,
    };
    if in_flight == 1 { calls } else { (2 * calls).next_multiple_of(in_flight) }
}

fn row(stacks: &Stacks, cores: Cores, what: String, compared: &Compared, figure: impl Fn(f64) -> String) -> Row {
    let (figures, ratio) = compared.medians(|sample| sample.took);
    let cores = match cores {
        Cores::One => "one",
        Cores::OneEach => "one each",
        Cores::All => "all",
    };
    let figures = figures.map(figure);
    Row { what, runtime: stacks.flavour.name(), cores, peer: stacks.peer, figures, ratio, ..Row::default() }
}

fn processor(compared: &Compared) -> Option<([f64; 2], f64)> {
    Some(compared.medians(|sample| sample.processor))
}

/// One unary call after another, and several at once.
fn calls_of(stacks: &mut Stacks, bytes: usize, in_flight: usize, cores: Cores) -> Outcome<()> {
    stacks.place(cores)?;
    let load = Load { bytes, in_flight, calls: per_round(bytes, in_flight) };
    let command = format!("unary {bytes} {in_flight} {}", load.calls);
    let compared = stacks.compare(&command, load.calls, stacks.rounds)?;
    let what = format!("call, {}, {in_flight} in flight", size(bytes));
    let row = row(stacks, cores, what, &compared, time);
    // Go's hosts do not count allocations.
    let allocations = if stacks.peer.starts_with("Go") { None } else { Some(stacks.allocations(load)?) };
    Row { processor: processor(&compared), allocations, ..row }.print();
    Ok(())
}

pub(crate) fn calls(stacks: &mut Stacks) -> Outcome<()> {
    // Tasks of a multi-threaded runtime migrate: to pin each process to one core would be another runtime.
    let spread = match stacks.flavour {
        Flavour::CurrentThread => Cores::OneEach,
        Flavour::MultiThread => Cores::All,
    };
    for bytes in SIZES {
        calls_of(stacks, bytes, 1, Cores::One)?;
        for in_flight in [1, 4, 16, 64] {
            calls_of(stacks, bytes, in_flight, spread)?;
        }
    }
    Ok(())
}

/// A second plugin calls the first one through the host.
pub(crate) fn proxy(stacks: &mut Stacks) -> Outcome<()> {
    for bytes in SIZES {
        for (in_flight, cores) in [(1, Cores::One), (1, Cores::All), (16, Cores::All)] {
            let calls = per_round(bytes, in_flight);
            // Starts what does not run yet.
            for stack in &mut stacks.both {
                stack.ask(&format!("proxy {bytes} 1 1"))?;
            }
            stacks.place(cores)?;
            let compared = stacks.compare(&format!("proxy {bytes} {in_flight} {calls}"), calls, stacks.rounds)?;
            let what = format!("through the host, {}, {in_flight} in flight", size(bytes));
            Row { processor: processor(&compared), ..row(stacks, cores, what, &compared, time) }.print();
        }
    }
    Ok(())
}

/// Start, death, restart. One of these takes milliseconds, so there are more of them.
pub(crate) fn life(stacks: &mut Stacks) -> Outcome<()> {
    stacks.place(Cores::All)?;
    for (command, what) in [
        ("start", "cold start to first reply"),
        ("notice", "SIGKILL to noticed"),
        ("recover", "SIGKILL to next good call"),
    ] {
        let compared = stacks.compare(command, 1, 4 * stacks.rounds)?;
        let mut row = row(stacks, Cores::All, what.to_owned(), &compared, time);
        for (figure, longest) in row.figures.iter_mut().zip(compared.longest()) {
            *figure = format!("{figure} (max {})", time(longest));
        }
        row.print();
    }
    Ok(())
}

/// Another process replaces the running one, while callers call.
pub(crate) fn replace(stacks: &mut Stacks) -> Outcome<()> {
    stacks.place(Cores::All)?;
    let compared = stacks.compare("replace", 1, 20.max(stacks.rounds))?;
    let what = "another process while 4 call: longest that one waits".to_owned();
    let mut row = row(stacks, Cores::All, what, &compared, time);
    for (figure, longest) in row.figures.iter_mut().zip(compared.longest()) {
        *figure = format!("{figure} (max {})", time(longest));
    }
    row.print();
    Ok(())
}

/// Memory of processes that have just started, after some work, and with very many calls in flight.
pub(crate) fn memory(start: impl Fn() -> Outcome<Stacks>) -> Outcome<()> {
    const RUNS: usize = 3;
    // Of each run: of each stack: of host and plugin.
    let (mut idle, mut loaded, mut peaks) = (Vec::new(), Vec::new(), Vec::new());
    // Until a freshly built program is on the disk, its pages count as written by the process that runs it.
    rustix::fs::sync();
    for run in 0..RUNS {
        let mut stacks = start()?;
        idle.push(memory_after(&mut stacks, "unary 64 1 1")?);
        loaded.push(memory_after(&mut stacks, "unary 4096 64 20032")?);
        let last = run + 1 == RUNS;
        let compared = stacks.compare(&format!("flood {FLOOD}"), FLOOD, if last { stacks.rounds.min(9) } else { 1 })?;
        peaks.push([stacks.both[0].peaks()?, stacks.both[1].peaks()?]);
        if last {
            let all = |per_call: f64| time(per_call * FLOOD as f64);
            let what = format!("{FLOOD} calls of 50 ms in flight, all of them");
            Row { processor: processor(&compared), ..row(&stacks, Cores::All, what, &compared, all) }.print();
            let print = |what: &str, side: usize, figure: &dyn Fn(usize, usize) -> f64| {
                let sample = |run, stack| Sample { took: figure(run, stack), processor: 0.0 };
                let pairs = (0..RUNS).map(|run| [sample(run, 0), sample(run, 1)]).collect();
                let what = format!("{what} memory of the {}", ["host", "plugin"][side]);
                row(&stacks, Cores::All, what, &Compared(pairs), print::memory).print();
            };
            for side in 0..2 {
                print("idle: private", side, &|run, stack| idle[run][stack][side][0]);
                print("idle: resident", side, &|run, stack| idle[run][stack][side][1]);
                print("after 20,000 calls: private", side, &|run, stack| loaded[run][stack][side][0]);
                print("10,000 calls in flight: resident", side, &|run, stack| peaks[run][stack][side]);
            }
        }
    }
    Ok(())
}

/// The memory of host and plugin after `command`, in both stacks.
fn memory_after(stacks: &mut Stacks, command: &str) -> Outcome<[[[f64; 2]; 2]; 2]> {
    for stack in &mut stacks.both {
        stack.ask(command)?;
    }
    // What ends with the calls has ended then.
    sleep(Duration::from_millis(300));
    Ok([stacks.both[0].memory()?, stacks.both[1].memory()?])
}

/// Go's host with Go's plugin.
pub(crate) fn go(start: impl Fn() -> Outcome<Stacks>) -> Outcome<()> {
    let mut stacks = start()?;
    for bytes in SIZES {
        calls_of(&mut stacks, bytes, 1, Cores::One)?;
        calls_of(&mut stacks, bytes, 1, Cores::All)?;
        calls_of(&mut stacks, bytes, 64, Cores::All)?;
    }
    const TIMES: usize = 20;
    let compared = stacks.compare(&format!("broker {TIMES}"), TIMES, stacks.rounds)?;
    let what = "object made, called, released".to_owned();
    Row { processor: processor(&compared), ..row(&stacks, Cores::All, what, &compared, time) }.print();
    life(&mut stacks)?;
    drop(stacks);
    memory(start)
}
