//! The schedule: rounds of faults under load, then none, then everything is closed in some order.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use loop_runtime::host::State;
use loop_runtime::testing::Faults;
use loop_runtime::{Code, Result};
use tokio_util::sync::CancellationToken;

use crate::callers::{Calls, Lag, Limits, keep_calling};
use crate::faults::{Done, Fault};
use crate::leaks::Held;
use crate::random::Random;
use crate::services::{Factory, Provider, Relayer, Reporter};
use crate::table::Report;
use crate::trace::Site;
use crate::world::{MAX_RESTARTS, World};

/// Faults in one round.
const ROUND: u64 = 50;

/// The number of concurrent callers.
const CALLERS: usize = 6;

/// How long everything may take to recover without help, and with it.
const RECOVERY: Duration = Duration::from_secs(8);

/// Runs `faults` faults and returns what it saw.
pub(crate) async fn run(dir: &Path, faults: u64, seed: u64) -> Report {
    let mut random = Random::new(seed);
    let mut report = Report::default();
    let _lag = Lag::meter();
    // Threads, descriptors and tasks that a process makes once are made here.
    round(dir, 0, &mut random, &mut Report::default()).await;
    let before = Held::now();
    let mut left = faults;
    while left > 0 {
        let now = left.min(ROUND);
        left -= now;
        round(dir, now, &mut random, &mut report).await;
        if !report.wrong.is_empty() {
            break;
        }
    }
    report.leaked = Held::back_to(&before).await;
    report
}

async fn round(dir: &Path, faults: u64, random: &mut Random, report: &mut Report) {
    let _ = std::fs::remove_file(dir.join("trace"));
    let (world, told) = World::new(dir, Some(MAX_RESTARTS)).await;
    let calls = Arc::new(Calls::default());
    let stop = CancellationToken::new();
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| tokio::spawn(keep_calling(world.clone(), calls.clone(), random.fork(), stop.clone())))
        .collect();
    for _ in 0..faults {
        let fault = Fault::next(random);
        *report.faults.entry(fault).or_default() += 1;
        let began = Instant::now();
        world.hurt(fault, random).await;
        // Nothing can recover before this process runs again.
        let began = if fault == Fault::StallHost { Instant::now() } else { began };
        if random.below(3) == 0 {
            if let Some(took) = recovered(&world, &calls, began).await {
                report.recovery.push(took);
            }
        } else {
            tokio::time::sleep(Duration::from_millis(random.below(120))).await;
        }
    }
    world.calm();
    everything_answers(&world, &calls, report).await;
    // What is refused once is retried in the background.
    world.order(random.below(2) as usize, "refuse");
    everything_answers(&world, &calls, report).await;
    refused_until_reset(&world, &calls).await;
    everything_answers(&world, &calls, report).await;
    nothing_superfluous(&world, report).await;
    close(&world, &calls, random).await;
    stop.cancel();
    for caller in callers {
        caller.await.expect("no panic in a caller");
    }
    let silent = world.silent.lock().expect("no panic").clone();
    let trace = world.trace.clone();
    drop(world);
    for told in told {
        report.take_in(told.await.expect("no panic"), &silent);
    }
    report.check(&calls, &trace.read());
}

/// The time until the reporter answers, which needs both plugins; `None` if it takes too long.
async fn recovered(world: &World, calls: &Calls, since: Instant) -> Option<Duration> {
    let limits = Limits { deadline: Some(Duration::from_millis(500)), patience: None };
    for _ in 0..3 {
        if matches!(calls.call(world, Site::Reporter, true, limits).await, Some(Ok(_))) {
            return Some(since.elapsed());
        }
    }
    None
}

/// At the end all handles answer: by themselves, or after a reset if something was refused permanently.
pub(crate) async fn everything_answers(world: &World, calls: &Calls, report: &mut Report) {
    let limits = Limits { deadline: Some(Duration::from_millis(500)), patience: None };
    for helped in [false, true] {
        let until = Instant::now() + RECOVERY;
        let mut last = String::new();
        'again: while Instant::now() < until {
            for site in Site::ALL {
                // Both roots: calls are odd and even in turn.
                for _ in 0..2 {
                    if let Some(Err(error)) = calls.call(world, site, true, limits).await {
                        last = format!("{site:?}: {error:?}");
                        if !helped && error.loss().is_none() && error.code().is_permanent() {
                            break 'again;
                        }
                        tokio::time::sleep(Duration::from_millis(20)).await;
                        continue 'again;
                    }
                }
            }
            return;
        }
        let given_up = world.plugins.iter().any(|plugin| matches!(plugin.states().now(), State::GivenUp { .. }));
        if helped {
            report.lost += 1;
            report.wrong.push(format!("I8: not everything came back: {last}"));
        } else if given_up || last.contains("InvalidArgument") || last.contains("quarantined") {
            report.helped += 1;
            (0..2).for_each(|which| world.reset(which));
        } else {
            report.lost += 1;
            report.wrong.push(format!("I8: not everything came back by itself: {last}"));
            return;
        }
    }
}

/// In live processes there is exactly what is in use: a connection that was lost unnoticed is found within seconds.
async fn nothing_superfluous(world: &World, report: &mut Report) {
    let (began, lag) = (Instant::now(), Lag::now());
    loop {
        let left = world.trace.read().superfluous();
        if left.is_empty() {
            return;
        }
        if began.elapsed() > RECOVERY + Lag::since(lag) {
            return report.wrong.push(format!("I5: objects that nobody uses: {left:?}"));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A permanent refusal is returned at once, to callers of children too, and not retried until a reset.
async fn refused_until_reset(world: &World, calls: &Calls) {
    let limits = Limits { deadline: Some(Duration::from_secs(1)), patience: None };
    for (name, asked) in [("provider", Site::Provider), ("relayer", Site::Provider)] {
        let is_refused = |outcome: &Option<Result<u64>>| match outcome {
            Some(Err(error)) => error.code() == Code::InvalidArgument && error.message() == format!("never {name}"),
            _ => false,
        };
        std::fs::write(world.dir.join(format!("refuse-{name}")), "").expect("an order");
        drop(world.plugins[0].kill());
        let until = Instant::now() + RECOVERY;
        loop {
            let outcome = calls.call(world, asked, true, limits).await;
            if is_refused(&outcome) {
                break;
            }
            if Instant::now() > until {
                return calls.wrong(format!("I15: the refusal of {name} is not told but {outcome:?}"));
            }
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
        let outcome = calls.call(world, asked, true, limits).await;
        if !is_refused(&outcome) {
            calls.wrong(format!("I14: {name} was asked again after it refused for good: {outcome:?}"));
        }
        world.reset(0);
    }
}

/// Closes some handles explicitly, in some order, then both plugins, while the callers go on.
async fn close(world: &World, calls: &Calls, random: &mut Random) {
    let bound = Some(Duration::from_secs(1));
    for site in [Site::Reporter, Site::Factory, Site::Provider, Site::Relayer] {
        if random.below(2) == 0 {
            continue;
        }
        let closing = async {
            match site {
                Site::Reporter => world.reporter.close().await,
                Site::Factory => world.factory.close().await,
                Site::Provider => world.provider.close().await,
                _ => world.relayer.close().await,
            }
        };
        let _ = calls.timed(&format!("closing {site:?}"), bound, closing).await;
        match calls.call(world, site, true, Limits::default()).await {
            Some(Err(error)) if !error.may_have_run() => {}
            other => calls.wrong(format!("I12: {site:?} is closed and answers {other:?}")),
        }
    }
    let first = random.below(2) as usize;
    for which in [first, 1 - first] {
        let began = Instant::now();
        let lag = Lag::now();
        world.plugins[which].close().await;
        if began.elapsed() > Duration::from_secs(3) + Lag::since(lag) {
            calls.wrong(format!("I1: closing plugin {which} took {:?}", began.elapsed()));
        }
    }
}

/// The faults that were injected, for the table.
pub(crate) fn total(done: &Done) -> u64 {
    done.values().sum()
}
