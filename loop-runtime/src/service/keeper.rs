//! The task that keeps a handle alive: the only one that runs its recipe, dials its object again, or releases it.

mod release;

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::time::{sleep_until, timeout};

use super::event::HandleEvent;
use super::handle::{Failed, Handle, Origin, Slot};
use super::link::{Attempt, Link};
use super::recipe::Recipe;
use crate::context::Context;
use crate::error::{Error, Result};
use release::{discard, tell};

/// From the end of the first connection to a dying process to that of the last.
const INSTANT: Duration = Duration::from_millis(20);

/// Keeps `handle`, whose first link is `link`, until it is closed, then gives back what it holds, in order.
pub(crate) async fn keep(handle: Arc<Handle>, link: Arc<Link>) {
    let resets = handle.family.resets();
    // The link may have ended by now; its object has not, and is the keeper's to end.
    let mut keeper = Keeper {
        resets,
        last: Some(link.clone()),
        wanted: false,
        live: true,
        failed: None,
        duplicates: (0, 0),
        handle,
    };
    keeper.made(&link, Instant::now(), 1, false);
    if keeper.handle.is_owned() {
        keeper.run().await;
    } else {
        keeper.run_lent().await;
    }
    keeper.release().await;
}

struct Keeper {
    handle: Arc<Handle>,
    resets: watch::Receiver<u64>,
    /// The link of the last success, usable or not: its object may live on without it.
    last: Option<Arc<Link>>,
    /// Somebody waits, and has not been answered yet.
    wanted: bool,
    /// Told as made and not yet as lost.
    live: bool,
    failed: Option<Refusal>,
    /// A generation, and how many of its constructor calls ended nobody knows how.
    duplicates: (u64, u64),
}

/// What the last run under one parent object came to.
#[derive(Clone, Copy)]
struct Refusal {
    parent_object: u64,
    permanent: bool,
    in_a_row: u32,
    retry_at: Instant,
}

impl Keeper {
    /// What a peer lent does not outlive the session, even if somebody holds on to the handle.
    async fn run_lent(&mut self) {
        let closed = self.handle.closed.clone();
        let Some(session) = self.last.as_ref().map(|link| link.session().clone()) else { return };
        tokio::select! {
            biased;
            () = closed.cancelled() => return,
            () = session.ended().cancelled() => {}
            () = self.run() => return,
        }
        self.gone(Error::lost(false, format!("{}: {} is gone with its owner", session.name(), self.handle.id.service)));
    }

    /// Returns once the handle is closed. A run is never cut off in the middle: it looks for `closed` by itself.
    async fn run(&mut self) {
        let handle = self.handle.clone();
        let closed = &handle.closed;
        while !closed.is_cancelled() {
            if let Some(link) = handle.usable() {
                tokio::select! {
                    () = link.ended().cancelled() => {}
                    () = closed.cancelled() => continue,
                }
            }
            self.lost();
            match &handle.origin {
                Origin::Made(recipe) => self.make_again(recipe).await,
                Origin::Lent => {
                    if let Err(why) = self.dial_again().await {
                        self.gone(why);
                        closed.cancelled().await;
                    }
                }
                // The supervisor keeps it.
                Origin::Root => return,
            }
        }
    }

    /// Takes note of the end of the link, once.
    fn lost(&mut self) {
        if !std::mem::take(&mut self.live) {
            return;
        }
        self.handle.publish(Slot::Vacant);
        if let Some(link) = self.handle.uninstall()
            && self.handle.is_owned()
            && !self.handle.closed.is_cancelled()
        {
            let generation = link.session().number();
            self.handle.family.emit(HandleEvent::Lost { handle: self.handle.id.clone(), generation });
        }
    }

    fn live(&mut self, link: &Arc<Link>) {
        self.last = Some(link.clone());
        (self.live, self.wanted) = (true, false);
        self.handle.install(link.clone());
    }

    /// One round towards a live handle: wait for what is missing, or run the recipe.
    async fn make_again(&mut self, recipe: &Recipe) {
        let handle = self.handle.clone();
        let parent = recipe.parent.handle();
        let closed = &handle.closed;
        if handle.family.lazy && !self.wanted {
            tokio::select! {
                () = handle.wish.notified() => {}
                () = closed.cancelled() => return,
            }
            // Callers wish once for each change of the slot; what is in between is waited out here.
            self.wanted = true;
        }
        // Subscribed before the look, so that a change in between wakes us.
        let mut parent_slot = parent.slot.subscribe();
        let Some(link) = parent.usable() else {
            parent.wish.notify_one();
            tokio::select! {
                _ = parent_slot.changed() => {}
                () = closed.cancelled() => {}
            }
            return;
        };
        if handle.family.is_quarantined(handle.id.number) {
            self.quarantined(&link);
        }
        let parent_object = link.object().number();
        if let Some(refusal) = self.failed.filter(|refusal| refusal.parent_object == parent_object) {
            let waited = async {
                if refusal.permanent {
                    std::future::pending().await
                } else {
                    sleep_until(refusal.retry_at.into()).await
                }
            };
            tokio::select! {
                biased;
                () = closed.cancelled() => return,
                () = link.ended().cancelled() => return,
                _ = self.resets.changed() => {
                    self.failed = None;
                    handle.publish(Slot::Vacant);
                }
                () = waited => {}
            }
        } else {
            self.failed = None;
        }
        self.run_recipe(recipe, &link).await;
    }

    async fn run_recipe(&mut self, recipe: &Recipe, parent: &Arc<Link>) {
        let handle = self.handle.clone();
        let began = Instant::now();
        let same_parent = self.last.as_ref().is_some_and(|link| !link.object().has_ended());
        if same_parent {
            if self.dial_again().await.is_ok() {
                return;
            }
            // Where the object went, the process may be going: its connections do not end at the same time. A run over
            // one that is about to end is a loss at best, and counts against a constructor that did nothing wrong.
            if timeout(INSTANT, parent.ended().cancelled()).await.is_ok() {
                return;
            }
            self.displace().await;
        }
        let family = handle.family.clone();
        let leave = tokio::select! {
            leave = family.run(handle.id.number) => leave,
            () = handle.closed.cancelled() => return,
        };
        let Some(_run) = leave else { return };
        if handle.closed.is_cancelled() || !parent.is_usable() {
            return;
        }
        // Resets from before say nothing about the outcome of this run, those during it do.
        self.resets.mark_unchanged();
        handle.publish(Slot::Making);
        let deadline = Instant::now() + family.timing.recipe;
        let context = Context { deadline: Some(deadline), ..Context::default() };
        let made = async {
            let made = recipe.attempt(parent, &context).await?;
            let link = made.link.ok_or_else(|| {
                Attempt::Refused(Error::not_found(format!("{} is not there any more", handle.id.service)))
            })?;
            match handle.set_up(&link, &context).await {
                Ok(()) => Ok(link),
                Err(why) => {
                    discard(&handle, &link).await;
                    Err(why)
                }
            }
        };
        match made.await {
            Ok(link) if handle.closed.is_cancelled() || link.object().has_ended() => discard(&handle, &link).await,
            Ok(link) => {
                let runs = self.failed.map_or(1, |refusal| refusal.in_a_row + 1);
                self.failed = None;
                self.live(&link);
                self.made(&link, began, runs, false);
            }
            Err(why) => self.refused(parent, why),
        }
    }

    /// Dials the object of the last link again: it may have lost its connection only.
    async fn dial_again(&mut self) -> Result<()> {
        let gone = || Error::lost(false, format!("{} is gone", self.handle.id.service));
        let last = self.last.clone().filter(|link| !link.object().has_ended()).ok_or_else(gone)?;
        let to = last.destination().ok_or_else(gone)?;
        let began = Instant::now();
        let names = self.handle.names();
        let dialled = async {
            let link = last.session().redial(to, last.object().clone()).await?;
            link.probe(&names, Some(began + self.handle.family.timing.redial)).await?;
            Ok::<_, Error>(link)
        };
        let link = timeout(self.handle.family.timing.redial, dialled).await.map_err(|_| gone())??;
        self.live(&link);
        self.made(&link, began, 0, true);
        Ok(())
    }

    /// Tells an object that another takes the place of, if it can be reached at all, and takes back what was lent to
    /// it before anything is lent to the next.
    async fn displace(&mut self) {
        let Some(last) = self.last.take() else { return };
        if let (Some(to), false) = (last.destination(), last.object().has_ended()) {
            let timing = &self.handle.family.timing;
            let told = async {
                if let Ok(link) = last.session().redial(to, last.object().clone()).await {
                    tell(&self.handle, &link).await;
                }
            };
            // Refused means that it is really gone; no answer means that nobody is there to tell.
            let _ = timeout(timing.release, told).await;
        }
        last.object().end();
    }

    fn refused(&mut self, parent: &Link, why: Attempt) {
        let handle = &self.handle;
        let (error, permanent, unknown) = match why {
            Attempt::Refused(error) => {
                let answered = error.loss().is_none() && !matches!(error.kind(), crate::ErrorKind::Deadline { .. });
                let permanent = answered && error.code().is_permanent();
                (error, permanent, !answered)
            }
            Attempt::NotSent(error) => (error, false, false),
            Attempt::Lost(error) => (error, false, true),
        };
        if !parent.is_usable() {
            // Its end is the parent's: not counted, and made again under the next one.
            handle.family.cut_off(parent.session().number(), handle.id.number);
            handle.publish(Slot::Vacant);
            return;
        }
        let in_a_row = self.failed.map_or(1, |refusal| refusal.in_a_row.saturating_add(1));
        let retry_at = Instant::now() + backoff(handle, in_a_row);
        let parent_object = parent.object().number();
        self.failed = Some(Refusal { parent_object, permanent, in_a_row, retry_at });
        if unknown {
            let generation = parent.session().number();
            if self.duplicates.0 != generation {
                self.duplicates = (generation, 0);
            }
            self.duplicates.1 += 1;
            let (handle, count) = (handle.id.clone(), self.duplicates.1);
            self.handle.family.emit(HandleEvent::DuplicatePossible { handle, generation, count });
        }
        self.fail(error, permanent, in_a_row, (!permanent).then_some(retry_at), parent_object);
    }

    fn quarantined(&mut self, parent: &Link) {
        let error = Error::failed_precondition(format!(
            "{} {} is quarantined: the plugin ended again and again while it was made; fix it, then reset the plugin",
            self.handle.family.name, self.handle.id.service
        ));
        let parent_object = parent.object().number();
        self.failed = Some(Refusal { parent_object, permanent: true, in_a_row: 1, retry_at: Instant::now() });
        self.fail(error, true, 1, None, parent_object);
    }

    fn fail(&mut self, error: Error, permanent: bool, run: u32, retry_at: Option<Instant>, parent_object: u64) {
        let handle = self.handle.id.clone();
        let reset_version = self.handle.family.reset_version();
        let failed =
            Failed { error: error.clone(), at_once: permanent, in_a_row: run, retry_at, parent_object, reset_version };
        self.wanted = false;
        self.handle.publish(Slot::Failed(Arc::new(failed)));
        self.handle.family.emit(HandleEvent::Failed { handle, error, permanent, run, retry_at });
    }

    /// A lent service that does not answer its address any more does not come back.
    fn gone(&self, why: Error) {
        let reset_version = self.handle.family.reset_version();
        let failed = Failed { error: why, at_once: true, in_a_row: 1, retry_at: None, parent_object: 0, reset_version };
        self.handle.publish(Slot::Failed(Arc::new(failed)));
    }

    fn made(&self, link: &Link, began: Instant, run: u32, redialled: bool) {
        if self.handle.is_owned() {
            self.handle.family.emit(HandleEvent::Made {
                handle: self.handle.id.clone(),
                generation: link.session().number(),
                object: link.object().number(),
                run,
                redialled,
                took: began.elapsed(),
            });
        }
    }
}

/// Doubling, half of it jitter, so that objects that failed together do not retry together.
fn backoff(handle: &Handle, in_a_row: u32) -> Duration {
    let timing = &handle.family.timing;
    let full = timing.retry.saturating_mul(1 << (in_a_row - 1).min(16)).min(timing.retry_max);
    let jitter = handle.id.number.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(in_a_row) % 1000;
    full / 2 + full.mul_f64(0.0005 * jitter as f64)
}
