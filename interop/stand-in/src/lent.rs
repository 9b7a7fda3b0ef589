//! What the tests' host lends to its plugins.

use loop_runtime::{Error, Result};
use loop_services::prelude::*;

use crate::check::same;
use crate::values;

/// A keystore with one account.
#[derive(Debug)]
pub struct Keys;

impl Keystore for Keys {
    async fn accounts(&self) -> Result<Vec<String>> {
        Ok(vec![values::KEYSTORE_ACCOUNT.to_owned()])
    }

    async fn sign(&self, account: &str, data: &[u8]) -> Result<Vec<u8>> {
        takes(account, data)?;
        Ok(values::SIGNED.to_vec())
    }

    async fn decrypt(&self, account: &str, data: &[u8]) -> Result<Vec<u8>> {
        takes(account, data)?;
        Ok(values::DECRYPTED.to_vec())
    }
}

fn takes(account: &str, data: &[u8]) -> Result<()> {
    same("id", values::KEYSTORE_ACCOUNT, account)?;
    same("encoded data", values::ENCODED.as_slice(), data)
}

/// A registry, to be handed on.
#[derive(Debug)]
pub struct NoCapabilities;

impl CapabilitiesRegistry for NoCapabilities {}

/// A data source of one number, in [one round](values::OBSERVED_ROUND).
#[derive(Debug)]
pub struct Source(pub Option<BigInt>);

impl DataSource for Source {
    async fn observe(&self, timestamp: ReportTimestamp) -> Result<Option<BigInt>> {
        same("timestamp", &values::OBSERVED_ROUND, &timestamp)?;
        Ok(self.0.clone())
    }
}

/// A data source that fails.
#[derive(Debug)]
pub struct Broken(pub String);

impl DataSource for Broken {
    async fn observe(&self, _: ReportTimestamp) -> Result<Option<BigInt>> {
        Err(Error::unknown(self.0.clone()))
    }
}

/// An error log for [one error](values::ERROR).
#[derive(Debug)]
pub struct Log;

impl ErrorLog for Log {
    async fn save_error(&self, message: &str) -> Result<()> {
        same("error", values::ERROR, message)
    }
}
