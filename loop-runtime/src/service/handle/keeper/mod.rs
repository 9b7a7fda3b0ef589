//! The task that keeps a handle alive: the only one that runs its recipe, redials its object, or releases it.
//!
//! [`machine`] decides; the shell here observes and executes.

pub(crate) mod machine;
mod release;

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::watch;
use tokio::time::{sleep_until, timeout};

use super::handle::{Adopted, Handle, Origin};
use super::recipe::Recipe;
use super::state::{Failed, Forgotten, HandleState};
use crate::context::Context;
use crate::error::{Error, ErrorKind};
use crate::lived;
use crate::service::base::{HandleEvent, settle};
use crate::service::session::{AttemptError, Link};
use machine::{Effect, Failure, FailureKind, LinkState, Machine, Over, Ran, Rules, Step, View};
use release::tell;
pub(crate) use release::{discard, leave};

/// Keeps `handle`, whose first link is `link`, until it is closed, then releases what it holds, in order. `made_under`
/// is the parent's object that made it.
pub(crate) async fn keep(handle: Arc<Handle>, link: Arc<Link>, made_under: u64) {
    let resets = handle.peer_context.resets();
    let timeouts = &handle.peer_context.timeouts;
    let rules = Rules {
        owned: handle.is_owned(),
        once: matches!(&handle.origin, Origin::Made(recipe) if recipe.method.once),
        lazy: handle.peer_context.lazy,
        retry: timeouts.construct_backoff,
        retry_max: timeouts.max_construct_backoff,
        steady: handle.peer_context.steady,
        seed: handle.id.number,
    };
    let machine = Machine::new(rules, *resets.borrow());
    // The link may have ended by now; its object has not, and is the keeper's to end.
    let mut keeper = Keeper { machine, resets, made_under, last: link, error: None, handle };
    keeper.apply(vec![Effect::Live { run: 1, redialled: false, tell: true }], Instant::now());
    keeper.run().await;
    keeper.release().await;
}

struct Keeper {
    machine: Machine,
    handle: Arc<Handle>,
    resets: watch::Receiver<u64>,
    /// The link of the last success, usable or not: its object may outlive it.
    last: Arc<Link>,
    /// The parent's object under which that was made.
    made_under: u64,
    /// The error of the last run that failed.
    error: Option<Error>,
}

impl Keeper {
    /// Returns once the handle is closed. A run is never cancelled: it checks `closed` by itself.
    async fn run(&mut self) {
        let handle = self.handle.clone();
        // Subscribed before the first check, so that a change in between wakes us.
        let mut parent_slot = match &handle.origin {
            Origin::Made(recipe) => Some(recipe.parent.handle().slot.subscribe()),
            Origin::Root | Origin::Lent => None,
        };
        loop {
            if let Some(slot) = &mut parent_slot {
                slot.mark_unchanged();
            }
            let parent = match &handle.origin {
                Origin::Made(recipe) => recipe.parent.handle().usable(),
                Origin::Root | Origin::Lent => None,
            };
            let (view, began, mut effects) = (self.look(parent.as_ref()), Instant::now(), Vec::new());
            let step = self.machine.next(&view, began, &mut effects);
            self.apply(std::mem::take(&mut effects), began);
            match (step, &handle.origin, &parent) {
                (Step::Release, ..) => return,
                (Step::Wait { until, wish }, origin, _) => {
                    if let (true, Origin::Made(recipe)) = (wish, origin) {
                        recipe.parent.handle().wish.notify_one();
                    }
                    self.wait(&view, until, parent.as_ref(), parent_slot.as_mut()).await;
                }
                (Step::Adopt, ..) => {
                    if let Some(Adopted { link, made_under, replaced }) = handle.take_adopted() {
                        self.machine.adopts(&mut effects);
                        self.apply(std::mem::take(&mut effects), began);
                        let old = std::mem::replace(&mut self.last, link);
                        self.made_under = made_under;
                        handle.count_object();
                        self.machine.adopted(&mut effects);
                        if !old.object().has_ended() {
                            // Received, unless the old process has ended with all that is in it.
                            let _ = replaced.send(old);
                        }
                    }
                }
                (Step::Dial, ..) => {
                    let reached = self.dial_again().await;
                    self.machine.dialled(reached, &mut effects);
                }
                (Step::Settle, _, parent) => {
                    if let Some(parent) = parent {
                        let _ = timeout(settle::CONNECTIONS, parent.ended().cancelled()).await;
                    }
                    self.machine.settled();
                }
                (Step::Displace, ..) => {
                    self.displace().await;
                    self.machine.displaced(&mut effects);
                }
                (Step::Leave, ..) => {
                    self.leave();
                    self.machine.displaced(&mut effects);
                }
                (Step::Run, Origin::Made(recipe), Some(parent)) => {
                    let ran = self.run_recipe(recipe, parent).await;
                    let over = Over {
                        parent: parent.object().number(),
                        session: parent.session().number(),
                        usable: parent.is_usable(),
                    };
                    self.machine.ran(ran, over, Instant::now(), &mut effects);
                }
                // The machine runs a recipe only over a parent that it was shown.
                (Step::Run, ..) => {}
            }
            self.apply(effects, began);
        }
    }

    fn look(&mut self, parent: Option<&Arc<Link>>) -> View {
        let resets = *self.resets.borrow_and_update();
        let (handle, last) = (&self.handle, &self.last);
        let session = last.session();
        View {
            closed: handle.closed.is_cancelled(),
            adopted: handle.has_adopted(),
            link: match last.has_ended() {
                true => LinkState::Ended,
                false if last.is_usable() => LinkState::Usable,
                false => LinkState::Retired,
            },
            answered: last.has_answered(),
            age: last.age(),
            session_over: session.has_ended() || session.retired().is_over(),
            session_ended: session.has_ended(),
            object_lives: !last.object().has_ended(),
            made_under: self.made_under,
            parent: parent.map(|link| link.object().number()),
            quarantined: handle.peer_context.is_quarantined(handle.id.number),
            resets,
        }
    }

    /// Waits until something that [`Keeper::look`] shows changes, a caller requests the handle, or `until`.
    async fn wait(
        &mut self,
        view: &View,
        until: Option<Instant>,
        parent: Option<&Arc<Link>>,
        parent_slot: Option<&mut watch::Receiver<HandleState>>,
    ) {
        let (handle, last) = (&self.handle, &self.last);
        let link = async {
            match view.link {
                LinkState::Usable => last.unusable().await,
                LinkState::Retired => last.ended().cancelled().await,
                LinkState::Ended => std::future::pending().await,
            }
        };
        let session = async {
            match (view.session_ended, view.session_over) {
                (true, _) => std::future::pending().await,
                (false, true) => last.session().ended().cancelled().await,
                (false, false) => tokio::select! {
                    () = last.session().ended().cancelled() => {}
                    () = last.session().retired().told().cancelled() => {}
                },
            }
        };
        let parent = async {
            match (parent, parent_slot) {
                (Some(link), Some(slot)) => tokio::select! {
                    () = link.unusable() => {}
                    _ = slot.changed() => {}
                },
                (None, Some(slot)) => drop(slot.changed().await),
                (_, None) => std::future::pending().await,
            }
        };
        let time = async {
            match until {
                Some(until) => sleep_until(until.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = handle.closed.cancelled() => {}
            () = link => {}
            () = session => {}
            () = parent => {}
            _ = self.resets.changed() => {}
            () = handle.wish.notified() => self.machine.wish(),
            () = handle.adopting.notified() => {}
            () = time => {}
        }
    }

    fn apply(&mut self, effects: Vec<Effect>, began: Instant) {
        let handle = self.handle.clone();
        let emit = |event| {
            if handle.is_owned() {
                handle.peer_context.emit(event);
            }
        };
        let generation = self.last.session().number();
        for effect in effects {
            let id = handle.id.clone();
            match effect {
                Effect::Vacant => handle.publish(HandleState::Vacant),
                Effect::Making => handle.publish(HandleState::Making),
                Effect::Unusable => {
                    handle.publish(HandleState::Vacant);
                    handle.uninstall();
                }
                Effect::Lost => emit(HandleEvent::Lost { handle: id, generation }),
                Effect::Live { run, redialled, tell } => {
                    handle.install(self.last.clone());
                    let (object, took) = (self.last.object().number(), began.elapsed());
                    if tell {
                        emit(HandleEvent::Made { handle: id, generation, object, run, redialled, took });
                    }
                }
                Effect::Failed(failure) => self.fail(failure),
                Effect::Gone => self.gone(),
                Effect::CutOff { session } => handle.peer_context.cut_off(session, handle.id.number),
                Effect::DuplicatePossible { session, count } => {
                    emit(HandleEvent::DuplicatePossible { handle: id, generation: session, count });
                }
            }
        }
    }

    async fn run_recipe(&mut self, recipe: &Recipe, parent: &Arc<Link>) -> Ran {
        let handle = self.handle.clone();
        let peer_context = handle.peer_context.clone();
        let permit = tokio::select! {
            permit = peer_context.run(handle.id.number) => permit,
            () = handle.closed.cancelled() => return Ran::NotBegun,
        };
        let Some(_run) = permit else { return Ran::NotBegun };
        if handle.closed.is_cancelled() || !parent.is_usable() {
            return Ran::NotBegun;
        }
        let mut effects = Vec::new();
        self.machine.runs(&mut effects);
        self.apply(effects, Instant::now());
        match make(&handle, recipe, parent).await {
            Ok(link)
                if handle.closed.is_cancelled() || link.object().has_ended() || link.session().retired().is_over() =>
            {
                discard(&handle, &link).await;
                Ran::TooLate
            }
            Ok(link) => {
                handle.count_object();
                (self.last, self.made_under) = (link, parent.object().number());
                Ran::Made
            }
            Err(why) => {
                let ran = match &why {
                    AttemptError::Answered(error) if is_answer(error) => {
                        Ran::Refused { permanent: error.code().is_permanent() }
                    }
                    AttemptError::Unreadable(_) => Ran::Refused { permanent: true },
                    AttemptError::Impossible(_) | AttemptError::NotRun(_) => Ran::NotRun,
                    AttemptError::Answered(_) | AttemptError::MayHaveRun(_) => Ran::MayHaveRun,
                };
                self.error = Some(why.into_error());
                ran
            }
        }
    }

    /// Redials the object of the last link.
    async fn dial_again(&mut self) -> bool {
        let (handle, last) = (&self.handle, &self.last);
        if !last.has_address() {
            return false;
        }
        let names = handle.names();
        let dialled = async {
            let link = last.redial().await?;
            link.probe(&names, None).await?;
            Ok::<_, Error>(link)
        };
        match lived::within(handle.peer_context.timeouts.redial_timeout, dialled).await {
            Some(Ok(link)) => {
                self.last = link;
                true
            }
            Some(Err(_)) | None => false,
        }
    }

    /// Releases the last object, which is being replaced, once the calls in flight over a retired link are answered,
    /// and ends it.
    async fn displace(&mut self) {
        let (handle, last) = (&self.handle, &self.last);
        if !last.has_ended() {
            let _ = timeout(handle.peer_context.timeouts.drain_timeout, last.drained()).await;
        }
        if !last.object().has_ended() {
            let told = async {
                if let Ok(link) = last.redial().await {
                    tell(handle, &link).await;
                }
            };
            // Refused means that it has really ended; no answer means that there is nothing to release.
            let _ = timeout(handle.peer_context.timeouts.release_timeout, told).await;
        }
        last.object().end();
    }

    /// Releases an object of a replaced session, once no call is in flight there.
    fn leave(&self) {
        let (handle, last) = (self.handle.clone(), self.last.clone());
        if !last.object().has_ended() {
            let under_way = last.session().calls().token();
            self.last.session().tasks().spawn(async move {
                leave(&handle, &last).await;
                drop(under_way);
            });
        }
    }

    fn fail(&mut self, failure: Failure) {
        let handle = self.handle.clone();
        let Failure { why, parent, permanent, in_a_row, retry_at } = failure;
        let (plugin, service) = (&handle.peer_context.name, handle.id.service);
        let error = match why {
            FailureKind::Run => self.error.take().unwrap_or_else(|| Error::disconnected(plugin, false)),
            FailureKind::Unsteady => Error::unsteady(plugin, service, in_a_row),
            FailureKind::Quarantined => Error::quarantined(plugin, service),
        };
        let retry_at = (!permanent).then_some(retry_at);
        let until = Forgotten::Under { object: Some(parent), reset: handle.peer_context.reset_version() };
        let failed = Failed { error: error.clone(), at_once: permanent, in_a_row, retry_at, until };
        handle.publish(HandleState::Failed(Arc::new(failed)));
        if handle.is_owned() {
            let id = handle.id.clone();
            handle.peer_context.emit(HandleEvent::Failed { handle: id, error, permanent, run: in_a_row, retry_at });
        }
    }

    /// The handle does not recover, neither under another parent nor after a reset.
    fn gone(&self) {
        let handle = &self.handle;
        let (session, service) = (self.last.session(), handle.id.service);
        let error = match handle.is_owned() {
            true => Error::not_made_again(&handle.peer_context.name, service),
            false => Error::withdrawn(session.name(), service, session.has_ended()),
        };
        let failed =
            Failed { error: error.clone(), at_once: true, in_a_row: 1, retry_at: None, until: Forgotten::Never };
        handle.publish(HandleState::Failed(Arc::new(failed)));
        if handle.is_owned() {
            let id = handle.id.clone();
            handle.peer_context.emit(HandleEvent::Failed {
                handle: id,
                error,
                permanent: true,
                run: 1,
                retry_at: None,
            });
        }
    }
}

/// A deadline is the caller's, and a loss behind the peer says nothing of the request.
fn is_answer(error: &Error) -> bool {
    error.loss().is_none() && !matches!(error.kind(), ErrorKind::Deadline { .. })
}

/// Runs the recipe of `handle` over `parent`, with the set-up calls that were made on it.
pub(crate) async fn make(handle: &Handle, recipe: &Recipe, parent: &Arc<Link>) -> Result<Arc<Link>, AttemptError> {
    let context = Context {
        deadline: Some(Instant::now() + handle.peer_context.timeouts.construct_timeout),
        ..Context::default()
    };
    let made = recipe.attempt(parent, &context).await?;
    let link = made.link.ok_or_else(|| {
        AttemptError::Answered(Error::not_found(format!("{} is not there any more", handle.id.service)))
    })?;
    match handle.set_up(&link, &context).await {
        Ok(()) => Ok(link),
        Err(why) => {
            discard(handle, &link).await;
            Err(why)
        }
    }
}
