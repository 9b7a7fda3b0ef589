//! The same fault many times in a row, under load; an object made before the first answers after each.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use loop_runtime::testing::Faults;
use loop_runtime::{Error, Result};
use tokio_util::sync::CancellationToken;

use crate::callers::{Calls, Lag, Limits, keep_calling};
use crate::leaks::{Held, fds};
use crate::random::Random;
use crate::sockets::{self, Which};
use crate::table::Report;
use crate::trace::Site;
use crate::world::{World, patient};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Row {
    Kills,
    Freezes,
    Cuts,
}

/// How much a plugin may hold at the end beyond what it held at the beginning: calls are in flight at both times.
const IN_FLIGHT: usize = 12;

pub(crate) async fn run(dir: &Path, row: Row, times: u64, seed: u64) -> Report {
    let mut random = Random::new(seed);
    let mut report = Report::default();
    let _lag = Lag::meter();
    one(dir, row, 1, &mut random, &mut Report::default()).await;
    let before = Held::now(dir);
    one(dir, row, times, &mut random, &mut report).await;
    report.leaked = Held::back_to(&before, dir).await;
    report
}

async fn one(dir: &Path, row: Row, times: u64, random: &mut Random, report: &mut Report) {
    let _ = std::fs::remove_file(dir.join("trace"));
    let (world, told) = World::new(dir, patient()).await;
    let calls = Arc::new(Calls::default());
    let stop = CancellationToken::new();
    let callers: Vec<_> =
        (0..2).map(|_| tokio::spawn(keep_calling(world.clone(), calls.clone(), random.fork(), stop.clone()))).collect();
    // Waited for, so that what recovers later is counted here too.
    answers(&world, &calls).await.expect("an answer before the first fault");
    let (here, there) = (fds("self"), plugins(&world));
    for n in 0..times {
        let plugin = &world.plugins[(n % 2) as usize];
        let began = Instant::now();
        match row {
            Row::Kills => drop(plugin.kill()),
            Row::Freezes => {
                drop(plugin.freeze());
                tokio::time::sleep(Duration::from_millis(random.below(30))).await;
                drop(plugin.thaw());
            }
            Row::Cuts => {
                sockets::cut(dir, Which::One, random);
            }
        }
        match answers(&world, &calls).await {
            Ok(_) => report.recovery.push(began.elapsed()),
            Err(error) => {
                report.lost += 1;
                report.wrong.push(format!("the reporter did not answer after {row:?} {n}: {error:?}"));
                break;
            }
        }
    }
    // Held for good, not for a call.
    if !steady(here, || fds("self")).await {
        report.wrong.push(format!("{} descriptors before, {} after", here, fds("self")));
    }
    if !steady(there, || plugins(&world)).await {
        report.wrong.push(format!("the plugins had {} descriptors before, {} after", there, plugins(&world)));
    }
    stop.cancel();
    for caller in callers {
        caller.await.expect("no panic in a caller");
    }
    for plugin in world.plugins.iter().rev() {
        plugin.close().await;
    }
    let trace = world.trace.clone();
    drop(world);
    for told in told {
        report.take_in(told.await.expect("no panic"), &Default::default());
    }
    report.check(&calls, &trace.read());
}

/// Whether the reporter, which needs both plugins, answers within the time in which a healthy plugin restarts.
async fn answers(world: &World, calls: &Calls) -> Result<u64> {
    let limits = Limits { deadline: Some(Duration::from_secs(5)), patience: None };
    let mut last = Err(Error::unknown("not asked"));
    for _ in 0..5 {
        last = calls.call(world, Site::Reporter, true, limits).await.expect("not dropped");
        if last.is_ok() {
            break;
        }
    }
    last
}

fn plugins(world: &World) -> usize {
    world.plugins.iter().filter_map(|plugin| plugin.pid()).map(|pid| fds(&pid.to_string())).sum()
}

/// Whether `held` comes back to about `before` within a few seconds: two of those are for objects that nobody dialled.
async fn steady(before: usize, held: impl Fn() -> usize) -> bool {
    let until = Instant::now() + Duration::from_secs(8);
    while held() > before + IN_FLIGHT {
        if Instant::now() > until {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    true
}
