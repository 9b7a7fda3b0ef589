//! One process of a plugin, from its start to its end: mirrors `host/generation.rs`, `host/mains.rs` and `launch.rs`.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::far::Process;
use super::ledger::log;
use super::link::Link;
use super::plugin::{Launches, Shared};
use super::session::Session;
use super::sim::{self, WORLD, millis, once_in, sleep, spawn, timeout};
use crate::host::machines::{Input, Pulse, Question, Remains, Step, Ticks};
use crate::host::{EndCause, LaunchError};
use crate::service::settle;

pub(super) struct Generation {
    pub(super) number: u64,
    pub(super) session: Rc<Session>,
    /// The main connection that takes calls.
    pub(super) main: RefCell<Arc<Link>>,
}

impl Generation {
    /// Waits until the main connection takes no new calls. `None`: it is retired; otherwise why it has ended.
    pub(super) fn main_changes(&self) -> impl Future<Output = Option<EndCause>> + 'static {
        let link = self.main.borrow().clone();
        async move {
            link.conn.retired.cancelled().await;
            let ended = timeout(settle::CONNECTIONS, link.ended().cancelled()).await;
            if ended.is_none() || link.conn.went_away() {
                return None;
            }
            let process = &link.session.process;
            let broker = timeout(settle::CONNECTIONS, process.broker_lost.cancelled()).await;
            Some(broker.map_or(EndCause::ConnectionLost, |()| process.broker_end()))
        }
    }

    /// Makes another main connection.
    pub(super) async fn redial(session: &Rc<Session>) -> Option<Arc<Link>> {
        let conn = timeout(Duration::from_secs(5), session.process.root().dial()).await.flatten()?;
        let link = Link::adopt(session, conn, false, session.root.clone());
        if link.probe(sim::now() + Duration::from_secs(5)).await {
            return Some(link);
        }
        link.end();
        None
    }
}

/// Starts a process, connects to it and sets it up.
pub(super) async fn launch(
    shared: &Rc<Shared>,
    number: u64,
    cancel: CancellationToken,
) -> Result<Generation, (LaunchError, Option<u32>)> {
    let failed = || LaunchError::StartTimeout { after: Duration::ZERO, stderr: Default::default() };
    let comes = shared.launches.get();
    if comes == Launches::FailForGood {
        sleep(millis(0, 5)).await;
        // A program that ran once may be about to be replaced; what its handshake says does not change.
        let error = match once_in(2) {
            true => LaunchError::NotExecutable { program: "plugin".into() },
            false => LaunchError::NoRuntime,
        };
        return Err((error, None));
    }
    let process = Process::new(shared.plugin, number, shared.ours);
    log!("process {}.{number} starts: {comes:?}", shared.plugin);
    let handshake = async {
        match comes {
            Launches::Hang => std::future::pending().await,
            Launches::Fail => {
                sleep(millis(0, 60)).await;
                process.exit();
                process.exited.cancelled().await;
                None
            }
            Launches::Start | Launches::Crash | Launches::FailForGood => {
                sleep(millis(5, 80)).await;
                let conn = process.root().dial().await?;
                Some(conn)
            }
        }
    };
    let connected = tokio::select! {
        biased;
        () = cancel.cancelled() => None,
        connected = timeout(shared.policy.start_timeout, handshake) => connected.flatten(),
    };
    let Some(conn) = connected else {
        process.kill(once_in(40));
        let is_reaped = timeout(shared.policy.reap_timeout, process.exited.cancelled()).await.is_some();
        return Err((failed(), (!is_reaped).then_some(number as u32)));
    };
    let session = Session::new(&process, shared.root.number);
    // The broker's stream is on the first connection, and ends with it.
    let (first, broker) = (conn.clone(), process.clone());
    session.spawn(async move {
        first.ended.cancelled().await;
        broker.broker_lost.cancel();
    });
    let root = Link::adopt(&session, conn, false, session.root.clone());
    let generation = Generation { number, session: session.clone(), main: RefCell::new(root.clone()) };
    if comes == Launches::Crash {
        let process = process.clone();
        spawn(WORLD, async move {
            sleep(millis(0, 400)).await;
            process.exit();
        });
    }
    let deadline = sim::now() + shared.policy.timeouts.construct_timeout;
    let is_set_up = tokio::select! {
        biased;
        () = cancel.cancelled() => false,
        done = root.probe(deadline) => done,
    };
    if is_set_up {
        return Ok(generation);
    }
    session.end();
    let _ = timeout(settle::CONNECTIONS, process.exited.cancelled()).await;
    process.kill(false);
    let remains = reap(&session, shared.policy.reap_timeout).await;
    session.set_epitaph();
    let _ = timeout(shared.policy.reap_timeout, session.finished()).await;
    Err((failed(), remains.unreaped.then_some(number as u32)))
}

pub(super) async fn reap(session: &Rc<Session>, bound: Duration) -> Remains {
    let process = &session.process;
    let is_reaped = timeout(bound, process.exited.cancelled()).await.is_some();
    Remains {
        pid: session.number as u32,
        unreaped: !is_reaped,
        exit: is_reaped.then(|| process.exit_status()),
        uptime: process.age(),
        ..Remains::default()
    }
}

/// Asks the process to end: it does, sooner or later, if it can be reached.
pub(super) fn shut_down(session: &Rc<Session>) {
    let process = session.process.clone();
    let takes = match sim::random(|random| random.below(10)) {
        0 => millis(1_000, 1_600),
        1 => millis(1_700, 4_000),
        _ => millis(0, 50),
    };
    spawn(process.place, async move {
        sleep(takes).await;
        process.exit_in_order();
    });
}

/// The health check of one process, with the counting that decides.
pub(super) async fn look_after(shared: &Rc<Shared>, process: &Rc<Process>, generation: u64) {
    let Some(tick) = shared.policy.health_check_interval else { return };
    let tell = |pulse| shared.tell_machine(Input::Pulse { generation, pulse });
    let (mut answers, mut ticks) = (0, Ticks::new(0));
    loop {
        // Asleep while nothing is wrong: then each tick has its answer.
        process.troubled().await;
        answers += 1;
        ticks.tick(answers + process.went_on(), Question::None, Question::None);
        let mut silent = false;
        while process.is_stopped() || silent {
            sleep(tick).await;
            // A running process answers before the next tick.
            answers += u64::from(!process.is_stopped());
            let signs = answers + process.went_on();
            silent = process.is_stopped();
            let asked = if silent { Question::Open } else { Question::None };
            for step in ticks.tick(signs, asked, asked) {
                sim::count_step();
                match step {
                    Step::Ask | Step::AskAside => {}
                    Step::Tell(pulse @ Pulse::Hung) => {
                        process.check_hung();
                        return tell(pulse);
                    }
                    Step::Tell(pulse) => tell(pulse),
                }
            }
        }
    }
}
