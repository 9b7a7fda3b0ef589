//! Calls over a handle, first constructor calls, and forwarded calls: the loop of `service/handle/calls.rs` and its
//! attempts, with the same decisions after each.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use tokio_util::sync::CancellationToken;

use super::conn::{Ask, Reply};
use super::door::LentReply;
use super::handle::{Handle, Made, Recipe, User};
use super::lease::Export;
use super::ledger::{self, CallId, Promise, Runs, ledger, log};
use super::link::{AttemptError, Link};
use super::service::{Call, Fate};
use super::sim::{self, HOST, hop, sleep_until, sleep_until_some, spawn, timeout_at};
use crate::error::{Code, Error, Result};
use crate::service::machines::attempts::{Attempts, Class, Next, Outcome};
use crate::service::machines::lease::Expiry;
use crate::service::settle;

/// What is tried over one link after another.
trait Attempting {
    type Reply;

    async fn attempt(&self, link: &Arc<Link>) -> Result<Self::Reply, AttemptError>;

    fn until(&self) -> Instant;

    async fn abandoned(&self) -> Error {
        std::future::pending().await
    }

    async fn lost(&self, link: &Link, error: Error) -> Error {
        let _ = link;
        error
    }
}

/// A caller that waits for a link, so that the time is recorded.
struct Waiter(u64);

impl Waiter {
    fn new(plugin: usize) -> Self {
        let number = ledger::next_number();
        ledger(|it| it.begins_to_wait(number, plugin));
        Self(number)
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        ledger(|it| it.waits_no_more(self.0));
    }
}

async fn over_links<A: Attempting>(handle: &Rc<Handle>, class: Class, it: &A) -> Result<A::Reply> {
    let mut attempts = Attempts::new(class);
    let mut room_until = None;
    let told = |error: Error, attempts: &Attempts| match attempts.may_have_run() {
        true => error.handed_over(true),
        false => error,
    };
    loop {
        let waiter = Waiter::new(handle.plugin);
        let link = tokio::select! {
            biased;
            link = handle.next_link(|| it.until()) => link.map_err(|error| told(error, &attempts))?,
            error = it.abandoned() => return Err(told(error, &attempts)),
        };
        drop(waiter);
        ledger(|ledger| ledger.uses(&link.object.descent));
        hop().await;
        let (outcome, error) = match it.attempt(&link).await {
            Ok(reply) => return Ok(reply),
            Err(AttemptError::NotRun(error)) => (Outcome::NotRun, error),
            Err(AttemptError::MayHaveRun(error)) => (Outcome::MayHaveRun, error),
            Err(why) => (Outcome::Final, why.into_error()),
        };
        hop().await;
        sim::count_step();
        let next = attempts.after(outcome, link.is_usable());
        log!("an attempt over connection {} of handle {}: {outcome:?}, {next:?}", link.conn.number, handle.number);
        match next {
            Next::Same { pause } => {
                let at = sim::now() + pause;
                let until = *room_until.get_or_insert_with(|| it.until());
                if until < at {
                    return Err(told(error, &attempts));
                }
                if !pause.is_zero() {
                    sleep_until(at).await;
                }
            }
            Next::Other => {}
            Next::Tell if outcome == Outcome::MayHaveRun => return Err(told(it.lost(&link, error).await, &attempts)),
            Next::Tell => return Err(told(error, &attempts)),
        }
    }
}

/// The call to make.
pub(super) struct Order {
    pub(super) id: CallId,
    pub(super) class: Class,
    pub(super) deadline: Option<Instant>,
    pub(super) call: Call,
    /// Services that the call itself lends.
    pub(super) lends: bool,
}

struct Ordinary<'a> {
    handle: &'a Handle,
    order: &'a Order,
}

impl Attempting for Ordinary<'_> {
    type Reply = ();

    async fn attempt(&self, link: &Arc<Link>) -> Result<(), AttemptError> {
        let order = self.order;
        let exports: &[Export] = if order.lends { &[Export::Plain] } else { &[] };
        let expiry = Some(Expiry::ORDINARY_CALL);
        let leases = link.lend(exports, &link.object, expiry, None, order.deadline).await?;
        let mut call = order.call.clone();
        call.lends = leases.first().map(|lease| lease.door.clone());
        let answered = link.unary(Ask::Call(call), order.deadline).await;
        if matches!(answered, Ok(_) | Err(AttemptError::Answered(_))) {
            link.note_answer();
        }
        answered?;
        link.object.keep(leases);
        Ok(())
    }

    fn until(&self) -> Instant {
        self.handle.patience(self.order.deadline)
    }

    async fn lost(&self, link: &Link, error: Error) -> Error {
        lost(link, self.order.deadline).await;
        error
    }
}

async fn lost(link: &Link, deadline: Option<Instant>) {
    match deadline {
        Some(at) => drop(timeout_at(at, link.session.end_reason()).await),
        None => link.session.end_reason().await,
    }
}

/// Makes the call; the caller's outcome is entered in the ledger.
pub(super) async fn call(handle: &Rc<Handle>, order: &Order) -> Result<()> {
    let outcome = over_links(handle, order.class, &Ordinary { handle, order }).await;
    tell(handle, order.id, &outcome);
    outcome
}

fn tell<T>(handle: &Handle, call: CallId, outcome: &Result<T>) {
    match outcome {
        Ok(_) => ledger(|it| it.told_answer(call)),
        Err(error) => {
            log!("call {call} of handle {}: {error} ({:?})", handle.number, error.kind());
            let is_loss = error.loss().is_some_and(|loss| !loss.downstream && !loss.may_have_run);
            // A loss behind the peer is the peer's answer.
            let downstream = error.loss().is_some_and(|loss| loss.downstream);
            ledger(|it| it.told_lost(call, downstream || error.may_have_run()));
            // A timed out wait names the handle that did not recover.
            if is_loss && error.message().contains('[') && !handle.is_named_in(error.message()) {
                ledger(|it| {
                    it.broken(Promise::Ancestor, || format!("handle {} is told of another: {error}", handle.number));
                });
            }
        }
    }
}

/// The first call of a constructor.
struct Constructing<'a> {
    parent: &'a Handle,
    recipe: &'a Recipe,
    call: CallId,
    deadline: Option<Instant>,
    abandoned: &'a CancellationToken,
}

impl Attempting for Constructing<'_> {
    type Reply = Made;

    async fn attempt(&self, link: &Arc<Link>) -> Result<Made, AttemptError> {
        if self.abandoned.is_cancelled() {
            return Err(AttemptError::Impossible(went_away()));
        }
        let made = self.recipe.attempt(link, self.call, self.deadline).await;
        // Whatever the outcome, one more object may exist: the caller knows of it.
        if matches!(made, Err(AttemptError::MayHaveRun(_) | AttemptError::Answered(_))) {
            ledger(|it| it.excuse(self.recipe.number, link.session.number));
        }
        made
    }

    fn until(&self) -> Instant {
        self.parent.patience(self.deadline)
    }

    async fn abandoned(&self) -> Error {
        self.abandoned.cancelled().await;
        went_away()
    }

    async fn lost(&self, link: &Link, error: Error) -> Error {
        lost(link, self.deadline).await;
        error
    }
}

fn went_away() -> Error {
    Error::new(Code::Cancelled, "the caller went away")
}

/// Runs a first constructor call in a task of its own, to completion even if the caller is dropped.
pub(super) async fn construct(parent: Rc<Handle>, recipe: Recipe, deadline: Option<Instant>) -> Result<Rc<User>> {
    let waiting = CancellationToken::new();
    let abandoned = waiting.clone();
    let _waiting = waiting.drop_guard();
    let (made, done) = tokio::sync::oneshot::channel();
    let call = ledger(|it| it.begin_call(Runs::Repeatable));
    Handle::note(recipe.number);
    spawn(HOST, async move {
        let _child = parent.children.token();
        hop().await;
        let constructing = Constructing { parent: &parent, recipe: &recipe, call, deadline, abandoned: &abandoned };
        let outcome = over_links(&parent, Class::Constructor, &constructing).await;
        if !abandoned.is_cancelled() {
            tell(&parent, call, &outcome);
        }
        let number = recipe.number;
        let outcome = outcome.map(|it| User::new(Handle::made(recipe, it.link, it.under)));
        if outcome.is_err() {
            ledger(|it| it.done(number));
        }
        // If the caller was dropped, so is what was made.
        let _ = made.send(outcome);
    });
    let expired = sleep_until_some(deadline.map(|at| at + settle::CONSTRUCTOR));
    tokio::select! {
        biased;
        made = done => made.unwrap_or_else(|_| Err(Error::internal("the constructor call ended early"))),
        () = expired => Err(Error::deadline(true, "the caller's deadline passed while an object was made")),
    }
}

/// A call of a plugin that the host forwards to another.
struct Passed {
    call: Call,
    until: Instant,
}

impl Attempting for Passed {
    type Reply = Reply;

    async fn attempt(&self, link: &Arc<Link>) -> Result<Reply, AttemptError> {
        let _in_flight = link.in_flight();
        if !link.is_usable() {
            return Err(AttemptError::NotRun(Error::lost(false, "the connection is gone")));
        }
        let answered = link.unary(Ask::Call(self.call.clone()), None).await;
        if matches!(answered, Ok(_) | Err(AttemptError::Answered(_))) {
            link.note_answer();
        }
        answered
    }

    fn until(&self) -> Instant {
        self.until
    }
}

/// Forwards a call to `target`.
pub(super) async fn forward(target: &Rc<Handle>, runs: Runs) -> LentReply {
    let id = ledger(|it| it.begin_call(runs));
    let until = sim::now() + target.peer_context.timeouts.forward_timeout;
    let call = Call { id, work: sim::millis(0, 20), fate: Fate::Answers, lends: None, calls_back: false };
    let class = match runs {
        Runs::Once => Class::Once,
        Runs::Repeatable => Class::Repeatable,
    };
    let outcome = over_links(target, class, &Passed { call, until }).await;
    tell(target, id, &outcome);
    match outcome {
        Ok(_) => LentReply::Done,
        Err(error) => LentReply::Lost { may_have_run: error.may_have_run() },
    }
}
