//! Announcements that wait for a dial, and dials that wait for an announcement.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::error::BrokerError;
use crate::transport::{Address, AddressError};

/// The content of an announcement, valid or not.
type Announced = Result<Address, AddressError>;

#[derive(Debug)]
pub(super) struct Pending {
    keep: Duration,
    table: Mutex<Table>,
    closed: CancellationToken,
    /// `None`: the peer has no broker.
    reason: OnceLock<Option<Arc<str>>>,
}

#[derive(Debug, Default)]
struct Table {
    slots: HashMap<u32, Entry>,
    /// The ids of announcements in order of expiry, so that a peer whose announcements are never dialled
    /// costs memory for no longer than `keep`. Ids that are taken in time stay here until then.
    expiring: VecDeque<(Instant, u32)>,
}

/// Exists while it holds an announcement or a dial waits for one.
#[derive(Debug, Default)]
struct Entry {
    announced: Option<(Announced, Instant)>,
    waiting: usize,
    arrived: Arc<Notify>,
}

impl Entry {
    fn is_idle(&self) -> bool {
        self.announced.is_none() && self.waiting == 0
    }
}

impl Pending {
    pub(super) fn new(keep: Duration) -> Self {
        Self { keep, table: Mutex::default(), closed: CancellationToken::new(), reason: OnceLock::new() }
    }

    /// Keeps an announcement, unless one of the same id is kept already.
    pub(super) fn offer(&self, id: u32, announced: Announced) {
        let now = Instant::now();
        let mut table = self.lock();
        table.expire(now);
        let slot = table.slots.entry(id).or_default();
        if slot.announced.is_some() {
            tracing::debug!(id, "dropped an announcement: one of this id is waiting to be dialled");
            return;
        }
        let until = now + self.keep;
        slot.announced = Some((announced, until));
        // Stored for a dial that is about to wait; passed on if the woken one gives up.
        slot.arrived.notify_one();
        table.expiring.push_back((until, id));
    }

    /// Waits for an announcement and takes it. Cancel safe.
    pub(super) async fn take(&self, id: u32) -> Result<Announced, BrokerError> {
        let arrived = {
            let mut table = self.lock();
            let slot = table.slots.entry(id).or_default();
            slot.waiting += 1;
            slot.arrived.clone()
        };
        let _waiting = Waiting { pending: self, id };
        loop {
            self.check_open()?;
            if let Some(announced) = self.lock().take(id) {
                return Ok(announced);
            }
            tokio::select! {
                () = arrived.notified() => {}
                reason = self.closed() => return Err(reason),
            }
        }
    }

    /// Forgets all announcements that are kept.
    pub(super) fn forget(&self) {
        let mut table = self.lock();
        for slot in table.slots.values_mut() {
            slot.announced = None;
        }
        table.slots.retain(|_, slot| !slot.is_idle());
        table.expiring.clear();
    }

    /// Closes it; `None`: the peer has no broker.
    pub(super) fn close(&self, reason: Option<Arc<str>>) {
        // The first reason is the cause, later ones are consequences.
        let _ = self.reason.set(reason);
        self.closed.cancel();
    }

    /// Waits for the end.
    pub(super) async fn closed(&self) -> BrokerError {
        self.closed.cancelled().await;
        self.check_open().err().unwrap_or(BrokerError::Without)
    }

    pub(super) fn check_open(&self) -> Result<(), BrokerError> {
        match self.reason.get() {
            Some(Some(reason)) => Err(BrokerError::Closed(reason.clone())),
            Some(None) => Err(BrokerError::Without),
            None => Ok(()),
        }
    }

    /// Cancelled at the end.
    pub(super) fn token(&self) -> &CancellationToken {
        &self.closed
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(super) fn sizes(&self) -> (usize, usize) {
        let table = self.lock();
        (table.slots.len(), table.expiring.len())
    }
}

impl Table {
    fn take(&mut self, id: u32) -> Option<Announced> {
        self.expire(Instant::now());
        self.slots.get_mut(&id)?.announced.take().map(|(announced, _)| announced)
    }

    fn expire(&mut self, now: Instant) {
        while let Some(&(until, id)) = self.expiring.front()
            && until <= now
        {
            self.expiring.pop_front();
            let Some(slot) = self.slots.get_mut(&id) else { continue };
            if slot.announced.take_if(|(_, until)| *until <= now).is_some() {
                tracing::debug!(id, "dropped an announcement that nobody dialled in time");
            }
            if slot.is_idle() {
                self.slots.remove(&id);
            }
        }
    }
}

/// A dial that waits for `id`.
struct Waiting<'a> {
    pending: &'a Pending,
    id: u32,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut table = self.pending.lock();
        if let Some(slot) = table.slots.get_mut(&self.id) {
            slot.waiting -= 1;
            if slot.is_idle() {
                table.slots.remove(&self.id);
            }
        }
    }
}
