//! Executes the steps of the keeper's machine, in the order of `service/handle/keeper`, over the links of the
//! model.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::watch;

use super::handle::{Adopted, Handle, Recipe};
use super::ledger::{Promise, Runs, ledger, log};
use super::link::{AttemptError, Link};
use super::release::{discard, leave, tell};
use super::sim::{self, hop, sleep_until_some, timeout};
use crate::error::{Error, ErrorKind};
use crate::service::machines::keeper::{
    Effect, Failure, FailureKind, LinkState, Machine, Over, Ran, Rules, Step, View,
};
use crate::service::{Failed, Forgotten, HandleEvent, HandleId, HandleState, settle};

pub(super) async fn keep(handle: Rc<Handle>, link: Arc<Link>, made_under: u64) {
    let resets = handle.peer_context.resets();
    let timeouts = &handle.peer_context.timeouts;
    let rules = Rules {
        owned: true,
        once: handle.recipe().is_some_and(|recipe| recipe.once),
        lazy: handle.peer_context.lazy,
        retry: timeouts.construct_backoff,
        retry_max: timeouts.max_construct_backoff,
        steady: handle.peer_context.steady,
        seed: handle.number,
    };
    let machine = Machine::new(rules, *resets.borrow());
    let mut keeper = Keeper { machine, resets, made_under, last: link, error: None, handle };
    keeper.apply(vec![Effect::Live { run: 1, redialled: false, tell: true }], sim::now());
    keeper.run().await;
    keeper.release().await;
}

pub(super) struct Keeper {
    machine: Machine,
    pub(super) handle: Rc<Handle>,
    resets: watch::Receiver<u64>,
    pub(super) last: Arc<Link>,
    made_under: u64,
    error: Option<Error>,
}

impl Keeper {
    async fn run(&mut self) {
        let handle = self.handle.clone();
        let mut parent_slot = handle.recipe().map(|recipe| recipe.parent.handle().slot.subscribe());
        loop {
            hop().await;
            if let Some(slot) = &mut parent_slot {
                slot.mark_unchanged();
            }
            let parent = handle.recipe().and_then(|recipe| recipe.parent.handle().usable());
            let (view, began, mut effects) = (self.look(parent.as_ref()), sim::now(), Vec::new());
            sim::count_step();
            let step = self.machine.next(&view, began, &mut effects);
            if !matches!(step, Step::Wait { .. }) {
                log!("keeper of {}: {step:?}, {view:?}", handle.number);
            }
            self.apply(std::mem::take(&mut effects), began);
            match (step, handle.recipe(), &parent) {
                (Step::Release, ..) => return,
                (Step::Wait { until, wish }, recipe, _) => {
                    if let (true, Some(recipe)) = (wish, recipe) {
                        recipe.parent.handle().wish.notify_one();
                    }
                    self.wait(&view, until, parent.as_ref(), parent_slot.as_mut()).await;
                }
                (Step::Adopt, ..) => {
                    let adopted = handle.adopted.borrow_mut().take();
                    if let Some(Adopted { link, made_under, replaced }) = adopted {
                        self.machine.adopts(&mut effects);
                        self.apply(std::mem::take(&mut effects), began);
                        let old = std::mem::replace(&mut self.last, link);
                        self.made_under = made_under;
                        self.machine.adopted(&mut effects);
                        if !old.object.has_ended() {
                            let _ = replaced.send(old);
                        }
                    }
                }
                (Step::Dial, ..) => {
                    ledger(|it| it.dials_again(&self.last.object.descent));
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
                (Step::Run, Some(recipe), Some(parent)) => {
                    let ran = self.run_recipe(recipe, parent).await;
                    log!("keeper of {}: {ran:?}", handle.number);
                    let over = Over {
                        parent: parent.object.number(),
                        session: parent.session.number,
                        usable: parent.is_usable(),
                    };
                    ledger(|it| it.ran(handle.number, over.session, ran == Ran::MayHaveRun && !over.usable));
                    self.machine.ran(ran, over, sim::now(), &mut effects);
                }
                (Step::Run, ..) => {}
            }
            self.apply(effects, began);
        }
    }

    fn look(&mut self, parent: Option<&Arc<Link>>) -> View {
        let resets = *self.resets.borrow_and_update();
        let (handle, last) = (&self.handle, &self.last);
        let session = &last.session;
        View {
            closed: handle.closed.is_cancelled(),
            adopted: handle.adopted.borrow().is_some(),
            link: match last.has_ended() {
                true => LinkState::Ended,
                false if last.is_usable() => LinkState::Usable,
                false => LinkState::Retired,
            },
            answered: last.has_answered(),
            age: last.age(),
            session_over: session.has_ended() || session.retired.is_over(),
            session_ended: session.has_ended(),
            object_lives: !last.object.has_ended(),
            made_under: self.made_under,
            parent: parent.map(|link| link.object.number()),
            quarantined: handle.peer_context.is_quarantined(handle.number),
            resets,
        }
    }

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
                (false, true) => last.session.ended.told().cancelled().await,
                (false, false) => tokio::select! {
                    biased;
                    () = last.session.ended.told().cancelled() => {}
                    () = last.session.retired.told().cancelled() => {}
                },
            }
        };
        let parent = async {
            match (parent, parent_slot) {
                (Some(link), Some(slot)) => tokio::select! {
                    biased;
                    () = link.unusable() => {}
                    _ = slot.changed() => {}
                },
                (None, Some(slot)) => drop(slot.changed().await),
                (_, None) => std::future::pending().await,
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
            () = sleep_until_some(until) => {}
        }
    }

    pub(super) fn id(&self) -> HandleId {
        HandleId { number: self.handle.number, service: "" }
    }

    fn apply(&mut self, effects: Vec<Effect>, began: Instant) {
        let handle = self.handle.clone();
        let generation = self.last.session.number;
        for effect in effects {
            let id = self.id();
            log!("keeper of {}: {effect:?}", handle.number);
            match effect {
                Effect::Vacant => handle.publish(HandleState::Vacant),
                Effect::Making => handle.publish(HandleState::Making),
                Effect::Unusable => {
                    handle.publish(HandleState::Vacant);
                    handle.uninstall();
                }
                Effect::Lost => handle.peer_context.emit(HandleEvent::Lost { handle: id, generation }),
                Effect::Live { run, redialled, tell } => {
                    handle.install(self.last.clone());
                    ledger(|it| it.figures.redialled += u64::from(redialled));
                    let (object, took) = (self.last.object.number(), sim::now() - began);
                    if tell {
                        handle.peer_context.emit(HandleEvent::Made {
                            handle: id,
                            generation,
                            object,
                            run,
                            redialled,
                            took,
                        });
                    }
                }
                Effect::Failed(failure) => self.fail(failure),
                Effect::Gone => self.gone(),
                Effect::CutOff { session } => handle.peer_context.cut_off(session, handle.number),
                Effect::DuplicatePossible { session, count } => {
                    handle.peer_context.emit(HandleEvent::DuplicatePossible { handle: id, generation: session, count });
                }
            }
        }
    }

    async fn run_recipe(&mut self, recipe: &Recipe, parent: &Arc<Link>) -> Ran {
        let handle = self.handle.clone();
        let peer_context = handle.peer_context.clone();
        hop().await;
        let permit = tokio::select! {
            biased;
            permit = peer_context.run(handle.number) => permit,
            () = handle.closed.cancelled() => return Ran::NotBegun,
        };
        let Some(_run) = permit else { return Ran::NotBegun };
        if handle.closed.is_cancelled() || !parent.is_usable() {
            return Ran::NotBegun;
        }
        let mut effects = Vec::new();
        self.machine.runs(&mut effects);
        self.apply(effects, sim::now());
        let (under, resets) = (parent.object.number(), handle.peer_context.reset_version());
        ledger(|it| {
            it.run_begins(handle.number, under, resets, handle.closed.is_cancelled());
            let last = (!self.last.object.has_ended()).then_some(self.last.session.number);
            if recipe.once {
                it.broken(Promise::OneRun, || format!("handle {} is made again, and must not be", handle.number));
            }
            it.makes_again(handle.number, last, parent.session.number);
        });
        let made = make(recipe, parent).await;
        ledger(|it| it.run_ended(handle.number));
        hop().await;
        match made {
            Ok(link) if handle.closed.is_cancelled() || link.object.has_ended() || link.session.retired.is_over() => {
                discard(&handle, &link).await;
                Ran::TooLate
            }
            Ok(link) => {
                (self.last, self.made_under) = (link, parent.object.number());
                Ran::Made
            }
            Err(why) => {
                let ran = match &why {
                    AttemptError::Answered(error) if is_answer(error) => {
                        let permanent = error.code().is_permanent();
                        if permanent && parent.is_usable() {
                            ledger(|it| it.refused_for_good(handle.number, under, resets));
                        }
                        Ran::Refused { permanent }
                    }
                    AttemptError::Impossible(_) | AttemptError::NotRun(_) => Ran::NotRun,
                    AttemptError::Answered(_) | AttemptError::MayHaveRun(_) => Ran::MayHaveRun,
                };
                self.error = Some(why.into_error().within(handle.title()));
                ran
            }
        }
    }

    async fn dial_again(&mut self) -> bool {
        let (handle, last) = (&self.handle, &self.last);
        if !last.has_address {
            return false;
        }
        let until = sim::now() + handle.peer_context.timeouts.redial_timeout;
        let dialled = async {
            let link = last.redial().await?;
            link.probe(until).await.then_some(link)
        };
        match timeout(handle.peer_context.timeouts.redial_timeout, dialled).await {
            Some(Some(link)) => {
                self.last = link;
                true
            }
            Some(None) | None => false,
        }
    }

    async fn displace(&mut self) {
        let (handle, last) = (&self.handle, &self.last);
        if !last.has_ended() {
            let _ = timeout(handle.peer_context.timeouts.drain_timeout, last.drained()).await;
        }
        if !last.object.has_ended() {
            let told = async {
                match last.redial().await {
                    Some(link) => tell(handle, &link).await,
                    None => false,
                }
            };
            if timeout(handle.peer_context.timeouts.release_timeout, told).await != Some(true) {
                ledger(|it| it.excuse(handle.number, last.session.number));
            }
        }
        last.object.end();
    }

    fn leave(&self) {
        let (handle, last) = (self.handle.clone(), self.last.clone());
        if !last.object.has_ended() {
            let under_way = last.session.calls.token();
            self.last.session.spawn(async move {
                leave(&handle, &last).await;
                drop(under_way);
            });
        }
    }

    fn fail(&mut self, failure: Failure) {
        let handle = self.handle.clone();
        let Failure { why, parent, permanent, in_a_row, retry_at } = failure;
        let title = handle.title();
        let error = match why {
            FailureKind::Run => self.error.take().unwrap_or_else(|| Error::lost(false, title)),
            FailureKind::Unsteady => Error::lost(false, title),
            FailureKind::Quarantined => Error::failed_precondition(title),
        };
        let retry_at = (!permanent).then_some(retry_at);
        let until = Forgotten::Under { object: Some(parent), reset: handle.peer_context.reset_version() };
        let failed = Failed { error: error.clone(), at_once: permanent, in_a_row, retry_at, until };
        handle.publish(HandleState::Failed(Arc::new(failed)));
        let id = self.id();
        handle.peer_context.emit(HandleEvent::Failed { handle: id, error, permanent, run: in_a_row, retry_at });
    }

    fn gone(&self) {
        let handle = &self.handle;
        let error = Error::lost(false, handle.title());
        let failed =
            Failed { error: error.clone(), at_once: true, in_a_row: 1, retry_at: None, until: Forgotten::Never };
        handle.publish(HandleState::Failed(Arc::new(failed)));
        let id = self.id();
        handle.peer_context.emit(HandleEvent::Failed { handle: id, error, permanent: true, run: 1, retry_at: None });
    }
}

fn is_answer(error: &Error) -> bool {
    error.loss().is_none() && !matches!(error.kind(), ErrorKind::Deadline { .. })
}

/// Runs the recipe over `parent`.
pub(super) async fn make(recipe: &Recipe, parent: &Arc<Link>) -> Result<Arc<Link>, AttemptError> {
    let deadline = Some(sim::now() + parent_timing(recipe));
    let call = ledger(|it| it.begin_call(Runs::Once));
    let made = recipe.attempt(parent, call, deadline).await;
    match &made {
        Ok(_) => ledger(|it| it.told_answer(call)),
        Err(AttemptError::NotRun(_) | AttemptError::Impossible(_)) => ledger(|it| it.told_lost(call, false)),
        Err(_) => ledger(|it| it.told_lost(call, true)),
    }
    Ok(made?.link)
}

fn parent_timing(recipe: &Recipe) -> std::time::Duration {
    recipe.parent.handle().peer_context.timeouts.construct_timeout
}
