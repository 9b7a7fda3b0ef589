//! Signatures: every oracle signs the report that it agrees with, and the chain's account signs the transaction that
//! carries it.

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// A key pair of ed25519.
pub struct Key(SigningKey);

impl Key {
    /// The key of somebody in this example, the same in every run, so that a second run is the same network.
    /// Anyone can compute it; a real oracle's key is random and kept in a keystore.
    pub fn of(owner: &str) -> Self {
        let seed = Sha256::new_with_prefix(b"loop-services median example: ").chain_update(owner).finalize();
        Self(SigningKey::from_bytes(&seed.into()))
    }

    /// The public half, 32 bytes: by this the contract knows an oracle.
    pub fn public(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }

    /// The public half as hex: by this the chain knows an account.
    pub fn account(&self) -> String {
        self.public().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// 64 bytes.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

/// Which report of which round; all of it is signed.
#[derive(Clone, Copy, Debug)]
pub struct Signed<'a> {
    /// The configuration's digest.
    pub config_digest: &'a [u8; 32],
    /// Epoch.
    pub epoch: u32,
    /// Round.
    pub round: u8,
    /// Of the report's context.
    pub extra_hash: &'a [u8; 32],
    /// The report.
    pub report: &'a [u8],
}

impl Signed<'_> {
    /// What is signed: all parts have a fixed length, so no two of these have the same bytes.
    pub fn message(&self) -> [u8; 32] {
        Sha256::new()
            .chain_update(self.config_digest)
            .chain_update(self.epoch.to_be_bytes())
            .chain_update([self.round])
            .chain_update(self.extra_hash)
            .chain_update(Sha256::digest(self.report))
            .finalize()
            .into()
    }
}

/// Why the chain does not take a report or a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// With so few, faulty oracles could sign among themselves.
    #[error("the report has {got} signatures, but needs {needed}")]
    TooFew {
        /// Signatures that came.
        got: usize,
        /// Least number of signatures.
        needed: usize,
    },
    /// The configuration has no such oracle.
    #[error("oracle {0} is not in the contract's configuration")]
    Unknown(u8),
    /// An oracle counts once.
    #[error("oracle {0} signed twice")]
    Twice(u8),
    /// Not that oracle's signature of this report.
    #[error("the signature of oracle {0} does not fit the report")]
    Invalid(u8),
    /// Not the account's signature of this transaction.
    #[error("the signature of the transaction is not its account's")]
    Transaction,
}

/// Whether a report may go on the chain: at least `f + 1` oracles have signed it, and every signature holds.
/// `signers` are the oracles' public keys in the order of the configuration.
pub fn check_report(
    signed: &Signed<'_>,
    signatures: &[(u8, Vec<u8>)],
    signers: &[Vec<u8>],
    f: u8,
) -> Result<(), SignatureError> {
    let needed = usize::from(f) + 1;
    if signatures.len() < needed {
        return Err(SignatureError::TooFew { got: signatures.len(), needed });
    }
    let message = signed.message();
    let mut seen = BTreeSet::new();
    for (oracle, signature) in signatures {
        let signer = signers.get(usize::from(*oracle)).ok_or(SignatureError::Unknown(*oracle))?;
        if !seen.insert(oracle) {
            return Err(SignatureError::Twice(*oracle));
        }
        if !holds(signer, &message, signature) {
            return Err(SignatureError::Invalid(*oracle));
        }
    }
    Ok(())
}

/// Whether `account` (see [`Key::account`]) signed a transaction.
pub fn check_transaction(account: &str, transaction: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
    let digits = account.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).ok());
    let bytes = digits.map(|pair| pair.and_then(|pair| u8::from_str_radix(pair, 16).ok()));
    let public: Option<Vec<u8>> = bytes.collect();
    if public.is_some_and(|public| holds(&public, transaction, signature)) {
        Ok(())
    } else {
        Err(SignatureError::Transaction)
    }
}

fn holds(public: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let public = public.try_into().ok().and_then(|bytes| VerifyingKey::from_bytes(bytes).ok());
    let signature = Signature::from_slice(signature).ok();
    public.zip(signature).is_some_and(|(public, signature)| public.verify_strict(message, &signature).is_ok())
}

/// What the account signs: the signed report and who stands for it.
pub fn transaction(signed: &Signed<'_>, signatures: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = signed.message().to_vec();
    for (oracle, signature) in signatures {
        bytes.push(*oracle);
        // A hash instead of the signature itself, so that every entry is as long as every other.
        bytes.extend(Sha256::digest(signature));
    }
    bytes
}
