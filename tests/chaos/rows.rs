//! The same fault many times in a row, under load; an object made before the first answers after each.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use loop_runtime::testing::Faults;
use loop_runtime::{Error, Result};
use tokio_util::sync::CancellationToken;

use crate::callers::{Calls, ENDLESS, Lag, Limits, keep_calling};
use crate::faults::{Fault, terminate};
use crate::leaks::{Held, fds, memory};
use crate::random::Random;
use crate::schedule::everything_answers;
use crate::sockets::{self, Which};
use crate::table::Report;
use crate::trace::Site;
use crate::world::World;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Row {
    Kills,
    Freezes,
    Cuts,
    HoldUps,
    GoAways,
    Terminations,
    Restarts,
    Upgrades,
}

/// How much more a plugin may hold at the end than at the beginning: calls are in flight at both times.
const IN_FLIGHT: usize = 12;

pub(crate) async fn run(dir: &Path, row: Row, times: u64, seed: u64) -> Report {
    let mut random = Random::new(seed);
    let mut report = Report::default();
    let _lag = Lag::meter();
    one(dir, row, 1, &mut random, &mut Report::default()).await;
    let before = Held::now();
    one(dir, row, times, &mut random, &mut report).await;
    report.leaked = Held::back_to(&before).await;
    report
}

async fn one(dir: &Path, row: Row, times: u64, random: &mut Random, report: &mut Report) {
    let _ = std::fs::remove_file(dir.join("trace"));
    let (world, told) = World::new(dir, None).await;
    let calls = Arc::new(Calls::default());
    let stop = CancellationToken::new();
    let callers: Vec<_> =
        (0..2).map(|_| tokio::spawn(keep_calling(world.clone(), calls.clone(), random.fork(), stop.clone()))).collect();
    // Waited for, so that what recovers later is counted here too.
    answers(&world, &calls).await.expect("an answer before the first fault");
    let before = Load::of(&world);
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
            Row::HoldUps => {
                world.may_be_silent(&world.plugins);
                sockets::hold_up(dir, random);
            }
            Row::GoAways => {
                world.may_be_silent(&world.plugins);
                plugin.pid().into_iter().for_each(|pid| sockets::go_away(pid, dir, random));
            }
            Row::Terminations => plugin.pid().into_iter().for_each(terminate),
            Row::Restarts => plugin.restart(),
            Row::Upgrades => {
                if let Err(why) = plugin.upgrade(world.command((n % 2) as usize)).await {
                    report.wrong.push(format!("upgrade {n} was given up: {why}"));
                }
            }
        }
        let fault = match row {
            Row::Kills => Fault::Kill,
            Row::Freezes => Fault::Freeze,
            Row::Cuts => Fault::CutOne,
            Row::HoldUps => Fault::GarbageToPlugin,
            Row::GoAways => Fault::GoAway,
            Row::Terminations => Fault::Terminate,
            Row::Restarts => Fault::Restart,
            Row::Upgrades => Fault::Upgrade,
        };
        *report.faults.entry(fault).or_default() += 1;
        if row == Row::HoldUps {
            // Whichever connection it is: all others are in use, and alive.
            everything_answers(&world, &calls, report).await;
        }
        match answers(&world, &calls).await {
            Ok(_) => report.recovery.push(began.elapsed()),
            Err(error) => {
                report.lost += 1;
                report.wrong.push(format!("I8: the reporter did not answer after {row:?} {n}: {error:?}"));
                break;
            }
        }
    }
    // Held permanently, not for a call.
    let most = before.with_calls(calls.count());
    let after = steady(&most, &world).await;
    report.held = before.beside(&after);
    if !after.is_within(&most) {
        report.wrong.push(format!("I5: more is held than calls in flight explain: {:?}", report.held));
    }
    stop.cancel();
    for mut caller in callers {
        match tokio::time::timeout(ENDLESS, &mut caller).await {
            Ok(ended) => ended.expect("no panic in a caller"),
            Err(_) => {
                caller.abort();
                report.wrong.push(format!("I1: after {row:?}, a call did not end at all"));
            }
        }
    }
    for plugin in world.plugins.iter().rev() {
        plugin.close().await;
    }
    let silent = world.silent.lock().expect("no panic").clone();
    let trace = world.trace.clone();
    drop(world);
    for told in told {
        report.take_in(told.await.expect("no panic"), &silent);
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

/// What host and plugins hold while calls are in flight.
struct Load([usize; 7]);

impl Load {
    const NAMES: [&str; 7] = [
        "descriptors here",
        "    of the plugins",
        "socket directories",
        "processes",
        "tasks",
        "KiB of memory here",
        "    of the plugins",
    ];

    fn of(world: &World) -> Self {
        let pids: Vec<_> = world.plugins.iter().filter_map(|plugin| plugin.pid()).map(|pid| pid.to_string()).collect();
        let Held { processes, sockets, fds: here, tasks } = Held::now();
        let there = pids.iter().map(|pid| fds(pid)).sum();
        let memory_there = pids.iter().map(|pid| memory(pid)).sum();
        Self([here, there, sockets, processes, tasks, memory("self"), memory_there])
    }

    /// The maximum of each: calls are in flight at both times, and this test remembers each call.
    fn with_calls(&self, calls: usize) -> Self {
        let more = [IN_FLIGHT, IN_FLIGHT, 0, 0, 4 * IN_FLIGHT, 32 * 1024 + calls, 16 * 1024];
        Self(std::array::from_fn(|at| self.0[at] + more[at]))
    }

    fn is_within(&self, most: &Self) -> bool {
        self.0.iter().zip(most.0).all(|(held, most)| *held <= most)
    }

    fn beside(&self, after: &Self) -> Vec<(&'static str, usize, usize)> {
        (0..7).map(|at| (Self::NAMES[at], self.0[at], after.0[at])).collect()
    }
}

/// What is held once it is within `most`, or after a few seconds: two of those are for objects that were not dialled.
async fn steady(most: &Load, world: &World) -> Load {
    let until = Instant::now() + Duration::from_secs(8);
    loop {
        let now = Load::of(world);
        if now.is_within(most) || Instant::now() > until {
            return now;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
