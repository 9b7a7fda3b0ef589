//! A service of the host lent to an object: mirrors `service/session/lease`, with the same machine.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::calls::forward;
use super::door::{Door, LeaseInfo, LentCall, LentConn, LentReply};
use super::handle::User;
use super::ledger::{ledger, log};
use super::session::Session;
use super::sim::{self, HOST, hop, millis, once_in, sleep, sleep_until_some, spawn, timeout};
use crate::service::machines::EndTree;
use crate::service::machines::lease::{Expiry, Input, Machine, State};
use crate::service::settle;

/// What is lent.
#[derive(Clone)]
pub(super) enum Export {
    /// Something of the host's own.
    Plain,
    /// A service of another plugin.
    Forward(Rc<User>),
}

/// The owner's side. Dropping it closes the connections and drops running handlers.
pub(super) struct Lease {
    control: Rc<Control>,
    pub(super) door: Rc<Door>,
    /// Outlives the service, unless that expires.
    _export: Option<Export>,
}

struct Control {
    stop: CancellationToken,
    cut: Arc<EndTree>,
    ended: CancellationToken,
    served: RefCell<Option<Export>>,
}

impl Lease {
    pub(super) async fn open(
        session: &Rc<Session>,
        export: Export,
        within: &EndTree,
        expiry: Option<Expiry>,
        lending: Option<(u64, u64)>,
    ) -> Option<Self> {
        let control = Rc::new(Control {
            stop: CancellationToken::new(),
            cut: within.child(),
            ended: CancellationToken::new(),
            served: RefCell::new(Some(export.clone())),
        });
        if session.has_ended() {
            return None;
        }
        hop().await;
        if session.process.broker_lost.is_cancelled() {
            let _ = timeout(settle::END, session.ended.told().cancelled()).await;
            return None;
        }
        let (arrivals, arriving) = mpsc::unbounded_channel();
        let info = LeaseInfo { plugin: session.plugin, generation: session.number, lending };
        let door = Rc::new(Door { is_open: Cell::new(true), arrivals });
        let info = Rc::new(info);
        ledger(|it| {
            it.leases.retain(|lease| lease.strong_count() > 0);
            it.leases.push(Rc::downgrade(&info));
        });
        session.spawn(serve(session.clone(), door.clone(), arriving, info, control.clone(), expiry));
        Some(Self { control, door, _export: expiry.is_none().then_some(export) })
    }

    pub(super) fn stop_accepting(&self) {
        self.control.stop.cancel();
    }

    pub(super) fn has_ended(&self) -> bool {
        self.control.ended.is_cancelled()
    }

    pub(super) async fn ended(&self) {
        self.control.ended.cancelled().await;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.control.cut.end();
    }
}

async fn serve(
    session: Rc<Session>,
    door: Rc<Door>,
    arriving: mpsc::UnboundedReceiver<Rc<LentConn>>,
    info: Rc<LeaseInfo>,
    control: Rc<Control>,
    expiry: Option<Expiry>,
) {
    let mut machine = Machine::new(expiry, sim::now());
    let mut listener = Some(arriving);
    let (left, mut leaving) = mpsc::unbounded_channel();
    while machine.state() != State::Ended {
        if machine.state() != State::Open {
            door.is_open.set(false);
            listener = None;
        }
        let open = listener.is_some();
        let accepted = async {
            match &mut listener {
                Some(listener) => listener.recv().await,
                None => std::future::pending().await,
            }
        };
        let input = tokio::select! {
            biased;
            () = control.cut.told().cancelled(), if open => Input::Cut,
            () = control.stop.cancelled(), if open => Input::Closing,
            Some(conn) = accepted => {
                let left = left.clone();
                let served = connection(conn, info.clone(), control.clone());
                spawn(HOST, async move {
                    let established = served.await;
                    let _ = left.send(established);
                });
                Input::Accepted
            }
            Some(established) = leaving.recv() => Input::Disconnected { established },
            () = sleep_until_some(machine.wake_at()) => Input::Woken { ours: session.process.ours },
        };
        sim::count_step();
        machine.step(input, sim::now());
        hop().await;
    }
    door.is_open.set(false);
    control.cut.end();
    let served = control.served.borrow_mut().take();
    drop(served);
    control.ended.cancel();
}

/// Serves one connection to its end; returns whether it was established.
async fn connection(conn: Rc<LentConn>, info: Rc<LeaseInfo>, control: Rc<Control>) -> bool {
    let cut = control.cut.told().clone();
    let _over = conn.over.clone().drop_guard();
    let Some(mut calls) = conn.arriving.take() else { return false };
    if cut.run_until_cancelled(hop()).await.is_none() || once_in(200) {
        return false;
    }
    loop {
        let call = tokio::select! {
            biased;
            () = cut.cancelled() => break,
            () = conn.down.cancelled() => break,
            call = calls.recv() => call,
        };
        let Some(LentCall { runs, answer }) = call else { break };
        let Some(export) = control.served.borrow().clone() else { break };
        // Between the request's arrival and the handler's first step there is a task of its own.
        let (cut, over, info) = (cut.clone(), conn.over.clone(), info.clone());
        spawn(HOST, async move {
            let handled = async {
                hop().await;
                if cut.is_cancelled() {
                    return None;
                }
                Some(handle(&export, runs, &info).await)
            };
            let reply = tokio::select! {
                biased;
                () = cut.cancelled() => None,
                () = over.cancelled() => None,
                reply = handled => reply,
            };
            if reply.is_none() {
                ledger(|it| it.figures.late_calls += 1);
            }
            let _ = answer.send(reply);
        });
    }
    true
}

async fn handle(export: &Export, runs: super::ledger::Runs, info: &LeaseInfo) -> LentReply {
    log!("a call from {}.{} reaches what was lent {:?}", info.plugin, info.generation, info.lending);
    ledger(|it| it.lent_call(info));
    match export {
        Export::Plain => {
            sleep(millis(0, 5)).await;
            LentReply::Done
        }
        Export::Forward(target) => forward(target.handle(), runs).await,
    }
}
