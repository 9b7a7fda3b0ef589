//! The faults.

use std::rc::Rc;
use std::time::Duration;

use super::conn::Conn;
use super::far::Process;
use super::ledger::log;
use super::plugin::Launches;
use super::service::Nature;
use super::sim::{self, HOST, WORLD, millis, once_in, random, sleep, spawn};
use super::world::World;
use crate::host::machines::Input;

/// Injects faults for `time`.
pub(super) async fn faults(world: Rc<World>, time: Duration) {
    let until = sim::now() + time;
    // Some schedules are wild, others have one fault to recover from.
    let most = [200, 1_000, 4_000, 8_000][random(|random| random.below(4))];
    while sim::now() < until {
        sleep(millis(1, most)).await;
        fault(&world);
    }
}

fn fault(world: &Rc<World>) {
    let plugin = random(|random| random.below(2));
    let shared = &world.plugins[plugin];
    let process = world.process(plugin);
    match random(|random| random.below(33)) {
        0..4 => {
            if let Some(process) = process {
                process.kill(once_in(12));
            }
        }
        4 => {
            if let Some(process) = process {
                process.exit();
            }
        }
        5 => {
            for plugin in 0..2 {
                if let Some(process) = world.process(plugin) {
                    process.kill(false);
                }
            }
        }
        6..8 => stop(process),
        8..12 => with_connection(process, |conn| conn.cut()),
        12..15 => with_connection(process, |conn| {
            conn.wind_down(if once_in(4) { millis(5_000, 60_000) } else { millis(0, 1_500) })
        }),
        15..18 => {
            let object = process.and_then(|it| {
                let objects = it.objects.borrow();
                (!objects.is_empty()).then(|| objects[random(|random| random.below(objects.len()))].clone())
            });
            if let Some(object) = object {
                object.close();
            }
        }
        18..21 => nature(world),
        21..23 => launches(world, plugin),
        23 => {
            let stall = if once_in(5) { millis(3_000, 20_000) } else { millis(10, 2_000) };
            log!("the host stands still for {stall:?}");
            sim::freeze(HOST);
            spawn(WORLD, async move {
                sleep(stall).await;
                sim::note_stall(stall);
                sim::thaw(HOST);
            });
        }
        24 => {
            let stall = if once_in(5) { millis(3_000, 60_000) } else { millis(10, 3_000) };
            log!("everything stands still for {stall:?}");
            sim::stall(stall);
        }
        25 => {
            log!("plugin {plugin} is reset by hand");
            shared.reset();
        }
        26 => {
            log!("plugin {plugin} is restarted by hand");
            shared.tell_machine(Input::Restart { replaced: once_in(3) });
        }
        27..29 => {
            if let Some(process) = process {
                log!("process {plugin}.{} refuses calls", process.generation);
                process.refuses.set([1, 2, 4][random(|random| random.below(3))]);
                spawn(WORLD, async move {
                    sleep(millis(5, 1_500)).await;
                    process.refuses.set(u64::MAX);
                });
            }
        }
        29..31 => {
            log!("plugin {plugin} is upgraded by hand");
            shared.upgrade();
        }
        31 => {
            if let Some(process) = process {
                process.shuts_down();
            }
        }
        _ => {
            if let Some(process) = process {
                log!("process {plugin}.{} announces nothing any more", process.generation);
                process.broker_lost.cancel();
            }
        }
    }
}

fn stop(process: Option<Rc<Process>>) {
    let Some(process) = process else { return };
    process.stop();
    let time = match random(|random| random.below(6)) {
        0 => return,
        1 => millis(9_000, 14_000),
        2 => millis(1_000, 9_000),
        _ => millis(50, 1_000),
    };
    spawn(WORLD, async move {
        sleep(time).await;
        process.go_on();
    });
}

fn with_connection(process: Option<Rc<Process>>, work: impl FnOnce(Rc<Conn>)) {
    let Some(process) = process else { return };
    let all = process.connections();
    if all.is_empty() {
        return;
    }
    let at = random(|random| random.below(all.len()));
    let conn = all[at].clone();
    log!("connection {} to object {} is chosen", conn.number, conn.object.number);
    work(conn);
}

fn nature(world: &Rc<World>) {
    let place = random(|random| random.below(world.natures.len()));
    let nature = [
        Nature::Refuses { permanent: false },
        Nature::Refuses { permanent: false },
        Nature::Refuses { permanent: true },
        Nature::Hangs,
        Nature::Crashes,
    ][random(|random| random.below(5))];
    let permanent = nature == Nature::Refuses { permanent: true };
    log!("constructor {place}: {nature:?}");
    world.natures[place].set(nature);
    if permanent && once_in(2) {
        return;
    }
    let (world, time) = (world.clone(), millis(100, 6_000));
    spawn(WORLD, async move {
        sleep(time).await;
        if !world.is_calm.get() {
            log!("constructor {place} works");
            world.natures[place].set(Nature::Works);
        }
    });
}

fn launches(world: &Rc<World>, plugin: usize) {
    let comes = [Launches::Fail, Launches::Crash, Launches::Crash, Launches::Hang, Launches::FailForGood]
        [random(|random| random.below(5))];
    log!("launches of plugin {plugin}: {comes:?}");
    let shared = world.plugins[plugin].clone();
    shared.launches.set(comes);
    if let Some(process) = world.process(plugin)
        && once_in(2)
    {
        process.kill(false);
    }
    let time = if once_in(3) { millis(5_000, 90_000) } else { millis(100, 5_000) };
    spawn(WORLD, async move {
        sleep(time).await;
        log!("launches of plugin {plugin} succeed");
        shared.launches.set(Launches::Start);
    });
}
