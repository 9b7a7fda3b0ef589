//! The peer's side: processes and the objects in them. None of it decides anything for the host; it is a consistent
//! model of the effects of what the host does.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

use super::conn::Conn;
use super::door::Door;
use super::ledger::{self, Promise, ledger, log};
use super::sim::{self, Place, WORLD, millis, once_in, sleep};
use crate::host::{EndCause, Exit};

/// A process of a plugin.
pub(super) struct Process {
    pub(super) plugin: usize,
    pub(super) generation: u64,
    pub(super) place: Place,
    /// It is built with this crate: handlers end with their calls, objects end when no peer is connected. One in Go
    /// keeps both.
    pub(super) ours: bool,
    alive: Cell<bool>,
    doomed: Cell<bool>,
    stopped: Cell<bool>,
    /// How likely it refuses a call unprocessed: once in so many.
    pub(super) refuses: Cell<u64>,
    pub(super) exited: CancellationToken,
    /// The stream of announcements has ended.
    pub(super) broker_lost: CancellationToken,
    root: RefCell<Option<Rc<FarObject>>>,
    pub(super) objects: RefCell<Vec<Rc<FarObject>>>,
    pub(super) conns: RefCell<Vec<Weak<Conn>>>,
    started: std::time::Instant,
    troubles: Notify,
    let_go: CancellationToken,
    /// How often it was resumed.
    went_on: Cell<u64>,
    /// How it ended.
    status: Cell<Option<Exit>>,
    /// It ends in order, and says so.
    in_order: Cell<bool>,
    /// How long it was stopped without a break until it ran again, or until now.
    stopped_at: Cell<Option<std::time::Instant>>,
}

impl Process {
    pub(super) fn new(plugin: usize, generation: u64, ours: bool) -> Rc<Self> {
        let process = Rc::new(Self {
            plugin,
            generation,
            place: sim::new_place(),
            ours,
            alive: Cell::new(true),
            doomed: Cell::new(false),
            stopped: Cell::new(false),
            refuses: Cell::new(u64::MAX),
            exited: CancellationToken::new(),
            broker_lost: CancellationToken::new(),
            root: RefCell::default(),
            objects: RefCell::default(),
            conns: RefCell::default(),
            started: sim::now(),
            troubles: Notify::new(),
            let_go: CancellationToken::new(),
            went_on: Cell::default(),
            status: Cell::default(),
            in_order: Cell::new(false),
            stopped_at: Cell::default(),
        });
        let root = FarObject::new(&process, None, 0, Vec::new());
        *process.root.borrow_mut() = Some(root);
        ledger(|it| {
            // The number of a process that was never published is reused.
            it.plugins[plugin].over.remove(&generation);
            it.processes.push(process.clone());
        });
        process
    }

    pub(super) fn root(&self) -> Rc<FarObject> {
        self.root.borrow().clone().expect("a process has one as long as it is looked at")
    }

    pub(super) fn age(&self) -> Duration {
        sim::now() - self.started
    }

    pub(super) fn is_alive(&self) -> bool {
        self.alive.get()
    }

    /// It was killed, and nothing runs in it any more, though it may not be reaped yet.
    pub(super) fn is_doomed(&self) -> bool {
        self.doomed.get()
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.get()
    }

    /// Ends by itself, in order.
    pub(super) fn exit_in_order(self: &Rc<Self>) {
        self.in_order.set(true);
        self.end_with(Exit::new(Some(0), None));
    }

    /// Takes no new connections, answers the calls in flight, and ends.
    pub(super) fn shuts_down(self: &Rc<Self>) {
        if self.in_order.replace(true) {
            return;
        }
        log!("process {}.{} shuts down by itself", self.plugin, self.generation);
        self.root().stop_accepting();
        // A server in Go waits for the host's own streams, and takes no connections meanwhile.
        let most = if self.ours { millis(0, 1_500) } else { Duration::from_secs(600) };
        for conn in self.connections() {
            conn.wind_down(most);
        }
        let this = self.clone();
        sim::spawn(self.place, async move {
            if !this.ours {
                this.let_go.cancelled().await;
            }
            sleep(millis(0, 1_700)).await;
            this.exit_in_order();
        });
    }

    /// The host has ended its own streams, which a server waits for.
    pub(super) fn is_let_go(&self) {
        self.let_go.cancel();
    }

    /// Why its stream of announcements ended.
    pub(super) fn broker_end(&self) -> EndCause {
        if self.in_order.get() { EndCause::ShutDown } else { EndCause::BrokerLost }
    }

    pub(super) fn exit_status(&self) -> Exit {
        self.status.get().unwrap_or(Exit::new(None, Some(libc::SIGKILL)))
    }

    /// It was detected as hung: then it has done nothing for about as long as that takes.
    pub(super) fn check_hung(&self) {
        let least = Duration::from_secs(8);
        let hangs = self.stopped_at.get().is_some_and(|at| sim::now() - at >= least);
        if !hangs {
            ledger(|it| {
                it.broken(Promise::Patience, || format!("{}.{} is taken for hung", self.plugin, self.generation));
            });
        }
    }

    /// Ends by itself, because of a fault.
    pub(super) fn exit(self: &Rc<Self>) {
        self.end_with(Exit::new(Some(1), None));
    }

    fn end_with(self: &Rc<Self>, status: Exit) {
        if !self.doomed.get() {
            self.status.set(Some(status));
        }
        if !self.doomed.replace(true) {
            log!("process {}.{} exits", self.plugin, self.generation);
            sim::freeze(self.place);
            self.gone_after(Duration::ZERO);
        }
    }

    /// SIGKILL: works on a stopped process, possibly with a delay.
    pub(super) fn kill(self: &Rc<Self>, slow: bool) {
        if !self.doomed.replace(true) {
            log!("process {}.{} is killed{}", self.plugin, self.generation, if slow { ", slowly" } else { "" });
            sim::freeze(self.place);
            self.gone_after(if slow { millis(100, 9_000) } else { millis(0, 4) });
        }
    }

    fn gone_after(self: &Rc<Self>, time: Duration) {
        let this = self.clone();
        sim::spawn(WORLD, async move {
            sleep(time).await;
            this.alive.set(false);
            sim::end(this.place);
            for object in this.objects.borrow_mut().drain(..) {
                object.forget();
            }
            let conns = std::mem::take(&mut *this.conns.borrow_mut());
            for conn in conns.iter().filter_map(Weak::upgrade) {
                conn.cut();
            }
            this.broker_lost.cancel();
            this.exited.cancel();
            if let Some(root) = this.root.borrow().as_ref() {
                root.forget();
            }
        });
    }

    /// SIGSTOP.
    pub(super) fn stop(&self) {
        if !self.doomed.get() && !self.stopped.replace(true) {
            self.stopped_at.set(Some(sim::now()));
            log!("process {}.{} is stopped", self.plugin, self.generation);
            sim::freeze(self.place);
            self.troubles.notify_one();
        }
    }

    pub(super) fn went_on(&self) -> u64 {
        self.went_on.get()
    }

    /// Waits until it is stopped.
    pub(super) async fn troubled(&self) {
        self.troubles.notified().await;
    }

    /// SIGCONT: a killed process is not resumed.
    pub(super) fn go_on(&self) {
        if self.stopped.replace(false) {
            self.stopped_at.set(None);
            self.went_on.set(self.went_on.get() + 1);
            log!("process {}.{} goes on", self.plugin, self.generation);
            sim::thaw(self.place);
        }
    }

    /// Its connections.
    pub(super) fn connections(&self) -> Vec<Rc<Conn>> {
        let mut conns = self.conns.borrow_mut();
        conns.retain(|conn| conn.upgrade().is_some_and(|conn| conn.up.get()));
        conns.iter().filter_map(Weak::upgrade).collect()
    }
}

/// An object in a process.
pub(super) struct FarObject {
    pub(super) number: u64,
    pub(super) process: Weak<Process>,
    /// The handle that it was made for, 0 for the root.
    pub(super) made_for: u64,
    /// The object that made it, 0 for the root.
    pub(super) parent: u64,
    /// The doors of what was lent to it.
    pub(super) doors: Vec<Rc<Door>>,
    children: RefCell<Vec<Weak<FarObject>>>,
    alive: Cell<bool>,
    /// It takes connections.
    accepts: Cell<bool>,
    pub(super) closed: CancellationToken,
    /// The release call has arrived.
    pub(super) released: CancellationToken,
    /// The task that serves it, if it counts its connections.
    pub(super) arrivals: RefCell<Option<mpsc::UnboundedSender<Rc<Conn>>>>,
}

impl FarObject {
    pub(super) fn new(
        process: &Rc<Process>,
        parent: Option<&Rc<Self>>,
        made_for: u64,
        doors: Vec<Rc<Door>>,
    ) -> Rc<Self> {
        let object = Rc::new(Self {
            number: ledger::next_number(),
            process: Rc::downgrade(process),
            made_for,
            parent: parent.map_or(0, |it| it.number),
            doors,
            children: RefCell::default(),
            alive: Cell::new(true),
            accepts: Cell::new(true),
            closed: CancellationToken::new(),
            released: CancellationToken::new(),
            arrivals: RefCell::default(),
        });
        if let Some(parent) = parent {
            log!("object {} is made for handle {made_for} in {}.{}", object.number, process.plugin, process.generation);
            process.objects.borrow_mut().push(object.clone());
            parent.children.borrow_mut().push(Rc::downgrade(&object));
        }
        object
    }

    pub(super) fn is_alive(&self) -> bool {
        self.alive.get()
    }

    pub(super) fn accepts(&self) -> bool {
        self.accepts.get()
    }

    pub(super) fn stop_accepting(&self) {
        self.accepts.set(false);
    }

    /// Ends it and what it made.
    pub(super) fn close(&self) {
        self.accepts.set(false);
        if !self.alive.replace(false) {
            return;
        }
        log!("object {} of handle {} is closed", self.number, self.made_for);
        self.closed.cancel();
        let children = std::mem::take(&mut *self.children.borrow_mut());
        for child in children.iter().filter_map(Weak::upgrade) {
            child.close();
        }
        let Some(process) = self.process.upgrade() else { return };
        process.objects.borrow_mut().retain(|it| it.number != self.number);
        for conn in process.connections().into_iter().filter(|conn| conn.object.number == self.number) {
            sim::spawn(WORLD, async move {
                sleep(millis(0, 5)).await;
                conn.cut();
            });
        }
    }

    /// Its process has ended.
    fn forget(&self) {
        self.accepts.set(false);
        self.alive.set(false);
        self.closed.cancel();
        self.arrivals.borrow_mut().take();
        self.children.borrow_mut().clear();
    }

    /// Connects to it; `None` if the connection is not accepted.
    pub(super) async fn dial(self: &Rc<Self>) -> Option<Rc<Conn>> {
        sleep(millis(0, 3)).await;
        let process = self.process.upgrade()?;
        // The system accepts connections for a stopped process, up to a limit.
        while process.is_stopped() && process.is_alive() && once_in(2) {
            sleep(millis(20, 200)).await;
        }
        if !process.is_alive() || !self.accepts.get() {
            return None;
        }
        let conn = Rc::new(Conn {
            number: ledger::next_number(),
            process: process.clone(),
            object: self.clone(),
            up: Cell::new(true),
            winds_down: Cell::new(false),
            down: CancellationToken::new(),
            retired: CancellationToken::new(),
            ended: CancellationToken::new(),
        });
        process.conns.borrow_mut().push(Rc::downgrade(&conn));
        if let Some(arrivals) = &*self.arrivals.borrow() {
            let _ = arrivals.send(conn.clone());
        }
        Some(conn)
    }
}
