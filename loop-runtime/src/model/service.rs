//! What objects in the peer do when they are called, and by themselves.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::conn::{Ask, Conn, Failure, Reply, begins};
use super::door::{Door, LentReply};
use super::far::{FarObject, Process};
use super::ledger::{CallId, Runs};
use super::sim::{self, millis, once_in, sleep, sleep_until_some, spawn};
use crate::service::machines::lease::{Expiry, Input, Machine, State};

/// A call of an ordinary method.
#[derive(Clone)]
pub(super) struct Call {
    pub(super) id: CallId,
    pub(super) work: Duration,
    pub(super) fate: Fate,
    /// A service that it lends.
    pub(super) lends: Option<Rc<Door>>,
    /// It calls what was lent to its object.
    pub(super) calls_back: bool,
}

/// How a call ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Answers,
    Fails,
    /// The stream is reset after the handler ran.
    Resets,
    /// It crashes the process.
    Crashes,
}

/// A call of a constructor.
#[derive(Clone)]
pub(super) struct Construct {
    pub(super) id: CallId,
    /// The calling handle.
    pub(super) handle: u64,
    pub(super) nature: Nature,
    pub(super) doors: Vec<Rc<Door>>,
    /// It probes the last of them, and refuses if that is not there.
    pub(super) asks_first: bool,
}

/// What a constructor does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nature {
    Works,
    Refuses { permanent: bool },
    Hangs,
    Crashes,
}

pub(super) async fn handle(process: &Rc<Process>, object: &Rc<FarObject>, ask: Ask) -> Result<Reply, Failure> {
    match ask {
        Ask::Probe => Ok(Reply::Done),
        Ask::Release => Ok(release(process, object).await),
        Ask::Call(call) => {
            begins(process, call.id);
            run(process, object, call).await
        }
        Ask::Construct(construct) => {
            begins(process, construct.id);
            make(process, object, construct).await
        }
    }
}

async fn run(process: &Rc<Process>, object: &Rc<FarObject>, call: Call) -> Result<Reply, Failure> {
    if let Some(door) = &call.lends
        && let Some(lent) = door.dial().await
    {
        for _ in 0..sim::random(|random| random.below(3)) {
            let _ = lent.ask(Runs::Once).await;
            sleep(millis(0, 10)).await;
        }
    }
    if call.calls_back
        && let Some(door) = object.doors.last()
        && let Some(lent) = door.dial().await
        && let Some(LentReply::Lost { may_have_run }) = lent.ask(Runs::Repeatable).await
        && once_in(2)
    {
        return Ok(Reply::LostDownstream { may_have_run });
    }
    sleep(call.work).await;
    match call.fate {
        Fate::Answers => Ok(Reply::Done),
        Fate::Fails => Ok(Reply::Refused { permanent: false }),
        Fate::Resets => Err(Failure::MayHaveRun),
        Fate::Crashes => {
            process.exit();
            std::future::pending().await
        }
    }
}

async fn release(process: &Rc<Process>, object: &Rc<FarObject>) -> Reply {
    sleep(if once_in(30) { millis(50, 1_500) } else { millis(0, 3) }).await;
    object.released.cancel();
    object.stop_accepting();
    if !process.ours {
        object.close();
    }
    Reply::Done
}

async fn make(process: &Rc<Process>, parent: &Rc<FarObject>, construct: Construct) -> Result<Reply, Failure> {
    sleep(if once_in(20) { millis(10, 800) } else { millis(0, 5) }).await;
    match construct.nature {
        Nature::Works => {}
        Nature::Refuses { permanent } => return Ok(Reply::Refused { permanent }),
        Nature::Hangs => {
            sleep(millis(2_000, 60_000)).await;
            return Ok(Reply::Refused { permanent: false });
        }
        Nature::Crashes => {
            process.exit();
            return std::future::pending().await;
        }
    }
    if construct.asks_first
        && let Some(door) = construct.doors.last()
    {
        let answer = match door.dial().await {
            Some(lent) => lent.ask(Runs::Repeatable).await,
            None => None,
        };
        if answer != Some(LentReply::Done) {
            return Ok(Reply::Refused { permanent: false });
        }
    }
    if !parent.is_alive() {
        return Ok(Reply::Refused { permanent: false });
    }
    if process.ours {
        // One per handle at a time.
        let older = process.objects.borrow().iter().find(|it| it.made_for == construct.handle).cloned();
        if let Some(older) = older {
            older.close();
        }
    }
    let object = FarObject::new(process, Some(parent), construct.handle, construct.doors);
    if process.ours {
        let (arrivals, arriving) = mpsc::unbounded_channel();
        *object.arrivals.borrow_mut() = Some(arrivals);
        spawn(process.place, serve(object.clone(), arriving));
    }
    for door in object.doors.clone() {
        spawn(process.place, work(object.clone(), door));
    }
    Ok(Reply::Made(object))
}

/// Serves an object until its lease ends.
async fn serve(object: Rc<FarObject>, mut arriving: mpsc::UnboundedReceiver<Rc<Conn>>) {
    let mut machine = Machine::new(Some(Expiry::HANDED_OUT), sim::now());
    let (left, mut leaving) = mpsc::unbounded_channel();
    while machine.state() != State::Ended {
        let is_open = machine.state() == State::Open;
        if !is_open {
            object.stop_accepting();
        }
        let input = tokio::select! {
            biased;
            () = object.closed.cancelled() => return,
            () = object.released.cancelled(), if is_open => Input::Closing,
            Some(conn) = arriving.recv(), if is_open => {
                let left = left.clone();
                sim::spawn(conn.process.place, async move {
                    conn.down.cancelled().await;
                    let _ = left.send(());
                });
                Input::Accepted
            }
            Some(()) = leaving.recv() => Input::Disconnected { established: true },
            () = sleep_until_some(machine.wake_at()) => Input::Woken { ours: true },
        };
        sim::count_step();
        machine.step(input, sim::now());
    }
    object.close();
}

/// How an object calls what was lent to it by itself.
async fn work(object: Rc<FarObject>, door: Rc<Door>) {
    let mut lent = None;
    let rounds = Cell::new(0);
    while object.is_alive() {
        sleep(millis(20, 200) + Duration::from_millis(rounds.get() * 400)).await;
        // Ever slower, so that an idle host is not kept busy.
        rounds.set((rounds.get() + 1).min(20));
        if object.closed.is_cancelled() {
            break;
        }
        if lent.is_none() {
            lent = door.dial().await;
        }
        if let Some(borrower) = &lent {
            tokio::select! {
                biased;
                () = object.closed.cancelled() => break,
                answer = borrower.ask(Runs::Repeatable) => {
                    if answer.is_none() && !borrower.is_up() {
                        lent = None;
                    }
                }
            }
        }
    }
}
