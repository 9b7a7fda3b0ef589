//! Connections to objects, and how a call passes through them.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::far::{FarObject, Process};
use super::ledger::{CallId, ledger, log};
use super::service;
use super::sim::{self, WORLD, hop, millis, once_in, sleep};

/// A connection to an object.
pub(super) struct Conn {
    pub(super) number: u64,
    pub(super) process: Rc<Process>,
    pub(super) object: Rc<FarObject>,
    pub(super) up: Cell<bool>,
    /// The peer has announced that it takes no new calls.
    pub(super) winds_down: Cell<bool>,
    /// Its end as the peer sees it.
    pub(super) down: CancellationToken,
    /// Its retirement as the host sees it, a moment later.
    pub(super) retired: CancellationToken,
    pub(super) ended: CancellationToken,
}

/// Why a call over a connection has no reply.
#[derive(Clone, Copy, Debug)]
pub(super) enum Failure {
    NotRun,
    MayHaveRun,
}

/// A request to a process.
pub(super) enum Ask {
    /// A probe whether it exists.
    Probe,
    Call(service::Call),
    Construct(service::Construct),
    Release,
}

/// Its reply.
#[derive(Clone)]
pub(super) enum Reply {
    Done,
    Made(Rc<FarObject>),
    Refused {
        permanent: bool,
    },
    /// It lost a service that it needed.
    LostDownstream {
        may_have_run: bool,
    },
}

impl Conn {
    pub(super) fn is_usable(&self) -> bool {
        !self.retired.is_cancelled() && !self.ended.is_cancelled()
    }

    /// Whether the peer has announced that it takes no new calls.
    pub(super) fn went_away(&self) -> bool {
        self.winds_down.get()
    }

    pub(super) fn is_up(&self) -> bool {
        self.up.get()
    }

    /// Ends it now; the host notices a moment later.
    pub(super) fn cut(self: &Rc<Self>) {
        if !self.up.replace(false) {
            return;
        }
        self.down.cancel();
        let this = self.clone();
        sim::spawn(WORLD, async move {
            sleep(millis(0, 15)).await;
            this.retired.cancel();
            this.ended.cancel();
        });
    }

    /// The host disconnects.
    pub(super) fn hang_up(self: &Rc<Self>) {
        self.up.set(false);
        self.retired.cancel();
        self.ended.cancel();
        let this = self.clone();
        sim::spawn(WORLD, async move {
            sleep(millis(0, 2)).await;
            this.down.cancel();
        });
    }

    /// GOAWAY: unprocessed calls stay unprocessed, those in flight are answered, then it ends.
    pub(super) fn wind_down(self: &Rc<Self>, most: Duration) {
        if self.winds_down.replace(true) {
            return;
        }
        log!("connection {} to object {} takes no more calls", self.number, self.object.number);
        let this = self.clone();
        sim::spawn(WORLD, async move {
            sleep(millis(0, 5)).await;
            this.retired.cancel();
            sleep(most).await;
            this.cut();
        });
    }

    /// Sends a request over it. Dropping the future cancels the call.
    pub(super) async fn ask(self: &Rc<Self>, ask: Ask) -> Result<Reply, Failure> {
        if !self.is_usable() && !matches!(ask, Ask::Release | Ask::Probe) || self.ended.is_cancelled() {
            return Err(Failure::NotRun);
        }
        let refuses = self.process.refuses.get();
        if refuses < u64::MAX && once_in(refuses) {
            hop().await;
            return Err(Failure::NotRun);
        }
        let (answer, mut answered) = oneshot::channel();
        let gone = CancellationToken::new();
        let _gone = gone.clone().drop_guard();
        sim::spawn(self.process.place, deliver(self.clone(), ask, answer, gone));
        tokio::select! {
            biased;
            Ok(outcome) = &mut answered => outcome,
            () = self.ended.cancelled() => Err(Failure::MayHaveRun),
        }
    }
}

/// Runs a call through a process. If either end is lost meanwhile, it stops half-way.
async fn deliver(conn: Rc<Conn>, ask: Ask, answer: oneshot::Sender<Result<Reply, Failure>>, gone: CancellationToken) {
    sleep(if once_in(40) { millis(5, 300) } else { millis(0, 3) }).await;
    // What was sent may be read even if the sender disconnected meanwhile.
    if (!conn.is_up() || gone.is_cancelled()) && once_in(2) {
        return;
    }
    if conn.winds_down.get() && !matches!(ask, Ask::Release | Ask::Probe) {
        // By the GOAWAY's last stream id. Without a reply, the end of the connection is the outcome.
        sleep(millis(0, 3)).await;
        let _ = answer.send(Err(Failure::NotRun));
        return;
    }
    let object = conn.object.clone();
    let process = conn.process.clone();
    if !object.is_alive() {
        return;
    }
    let handled = service::handle(&process, &object, ask);
    let outcome = match process.ours {
        false => handled.await,
        true => tokio::select! {
            biased;
            outcome = handled => outcome,
            () = gone.cancelled() => return,
            () = conn.down.cancelled() => return,
        },
    };
    sleep(millis(0, 2)).await;
    if conn.is_up() {
        let _ = answer.send(outcome);
    }
}

/// A call whose handler begins.
pub(super) fn begins(process: &Process, call: CallId) {
    log!("call {call} runs in {}.{}", process.plugin, process.generation);
    ledger(|it| it.executed(call, process));
}
