//! What the node lends to its plugins: keys, data sources, an error log.

use std::collections::BTreeMap;
use std::sync::Arc;

use loop_runtime::{Error, Result};
use loop_services::prelude::*;

use crate::convert::to_wire;
use crate::fault::Fault;
use crate::prices::OpenSource;
use crate::readings::Readings;
use crate::signing::Key;
use crate::story::{Story, Tone};

/// The keys of the accounts that transmit, one for each oracle; lent to the relayer.
pub(crate) struct Keys {
    /// By account: the oracle and its key.
    pub(crate) accounts: BTreeMap<String, (u8, Key)>,
    /// The relayer's.
    pub(crate) fault: Arc<Fault>,
}

impl Keys {
    fn of(&self, account: &str) -> Result<&(u8, Key)> {
        self.accounts.get(account).ok_or_else(|| Error::not_found(format!("no key of account {account}")))
    }
}

impl Keystore for Keys {
    async fn accounts(&self) -> Result<Vec<String>> {
        Ok(self.accounts.keys().cloned().collect())
    }

    async fn sign(&self, account: &str, data: &[u8]) -> Result<Vec<u8>> {
        let (oracle, key) = self.of(account)?;
        if data.is_empty() {
            return Ok(Vec::new());
        }
        self.fault.strike(*oracle, "about to write a transaction to the ledger").await;
        Ok(key.sign(data).to_vec())
    }

    async fn decrypt(&self, account: &str, _: &[u8]) -> Result<Vec<u8>> {
        self.of(account)?;
        Err(Error::unimplemented("these keys only sign"))
    }
}

/// The contract asks for a registry; this node has no capabilities.
pub(crate) struct NoCapabilities;

impl CapabilitiesRegistry for NoCapabilities {}

/// A data source of the job for one oracle, lent to the median.
pub(crate) struct Source {
    pub(crate) source: OpenSource,
    pub(crate) oracle: u8,
    /// The median's.
    pub(crate) fault: Arc<Fault>,
    /// Of a source of prices: where it is noted what was read.
    pub(crate) readings: Option<Arc<Readings>>,
}

impl DataSource for Source {
    async fn observe(&self, timestamp: ReportTimestamp) -> Result<Option<BigInt>> {
        self.fault.strike(self.oracle, &format!("in the middle of an observation of oracle {}", self.oracle)).await;
        let number = self.source.observe((timestamp.epoch, timestamp.round)).await;
        if let Some(readings) = &self.readings {
            readings.note(self.oracle, self.source.name(), number.as_ref().ok().cloned());
        }
        number.map(|number| Some(to_wire(&number))).map_err(|why| format!("{}: {why}", self.source.name()).into())
    }
}

/// One oracle's part of the node's error log, lent to the median.
pub(crate) struct Log {
    pub(crate) oracle: u8,
    pub(crate) story: Arc<Story>,
}

impl ErrorLog for Log {
    async fn save_error(&self, message: &str) -> Result<()> {
        self.story.tell(Tone::Warning, "error log", format!("oracle {}: {message}", self.oracle));
        Ok(())
    }
}
