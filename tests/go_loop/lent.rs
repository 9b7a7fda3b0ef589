//! What a node lends to its plugins, with a record of its use.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use loop_runtime::{Error, Result};
use loop_services::prelude::*;

/// Keys whose signatures can be read.
#[derive(Default)]
pub(crate) struct Keys {
    pub(crate) accounts: Vec<String>,
    pub(crate) signed: Mutex<Vec<String>>,
    /// How often its accounts were requested: once for each relayer that was made.
    pub(crate) asked: AtomicU64,
}

impl Keys {
    pub(crate) fn of(accounts: &[&str]) -> Arc<Self> {
        Arc::new(Self { accounts: accounts.iter().map(|it| (*it).to_owned()).collect(), ..Self::default() })
    }
}

impl Keystore for Keys {
    async fn accounts(&self) -> Result<Vec<String>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        Ok(self.accounts.clone())
    }

    async fn sign(&self, account: &str, data: &[u8]) -> Result<Vec<u8>> {
        if !self.accounts.iter().any(|known| known == account) {
            return Err(Error::not_found(format!("no key of {account}")));
        }
        self.signed.lock().unwrap().push(account.to_owned());
        Ok([b"signed: ", data].concat())
    }

    async fn decrypt(&self, _: &str, data: &[u8]) -> Result<Vec<u8>> {
        Ok(data.to_vec())
    }
}

/// A node without capabilities.
pub(crate) struct NoCapabilities;

impl CapabilitiesRegistry for NoCapabilities {}

/// Counts the calls; the round decides on the reply.
pub(crate) struct Source {
    pub(crate) number: i128,
    pub(crate) asked: AtomicU64,
}

impl Source {
    /// The round in which it has no number.
    pub(crate) const NOTHING: u8 = 201;
    /// The round in which it panics.
    pub(crate) const PANIC: u8 = 202;
    /// The round in which it refuses.
    pub(crate) const REFUSE: u8 = 203;

    pub(crate) fn of(number: i128) -> Arc<Self> {
        Arc::new(Self { number, asked: AtomicU64::new(0) })
    }
}

impl DataSource for Source {
    async fn observe(&self, timestamp: ReportTimestamp) -> Result<Option<BigInt>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        match timestamp.round {
            Self::NOTHING => Ok(None),
            Self::PANIC => panic!("the source broke"),
            Self::REFUSE => Err(Error::failed_precondition("the source is closed on Sundays")),
            _ => Ok(Some(BigInt::from(self.number + i128::from(timestamp.epoch)))),
        }
    }
}

/// Keeps the errors.
#[derive(Default)]
pub(crate) struct Log(pub(crate) Mutex<Vec<String>>);

impl Log {
    pub(crate) fn taken(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl ErrorLog for Log {
    async fn save_error(&self, message: &str) -> Result<()> {
        self.0.lock().unwrap().push(message.to_owned());
        Ok(())
    }
}
