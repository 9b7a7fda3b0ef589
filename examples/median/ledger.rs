//! The chain of this example: an append-only ledger on disk, written by the relayer.
//!
//! A transaction is on the disk before [`Ledger::append`] answers, together with the state that follows from it, or
//! not at all: the process may be killed at any moment. All calls block for as long as the disk takes.

use num_bigint::BigInt;
use redb::{Database, DatabaseError, ReadableTable, TableDefinition, TableError};
use std::path::{Path, PathBuf};

/// A configuration's digest.
pub type Digest = [u8; 32];

/// The fields of a [`Transaction`] in order.
type Row = (Digest, u32, u8, &'static str, i64, Vec<(u8, &'static [u8])>, &'static str, &'static [u8]);

/// By number, from 1 without gaps.
const TRANSACTIONS: TableDefinition<'_, u64, Row> = TableDefinition::new("transactions");
/// Epoch and round of the last transaction under each configuration.
const ROUNDS: TableDefinition<'_, Digest, (u32, u8)> = TableDefinition::new("rounds");

/// A report that went on the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// Configuration under which it was made.
    pub config_digest: Digest,
    /// Epoch.
    pub epoch: u32,
    /// Round.
    pub round: u8,
    /// The answer that it set.
    pub answer: BigInt,
    /// Seconds since 1970 at which it was taken.
    pub at: i64,
    /// Oracles and their signatures of the report.
    pub signatures: Vec<(u8, Vec<u8>)>,
    /// Who paid.
    pub account: String,
    /// The account's signature of the transaction.
    pub signature: Vec<u8>,
}

/// What the chain knows of a feed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// Epoch of the last transaction under the configuration that was asked for, 0 if there is none.
    pub epoch: u32,
    /// Its round.
    pub round: u8,
    /// The last answer under any configuration, and when it was taken.
    pub latest: Option<(BigInt, i64)>,
    /// How many transactions there are.
    pub transactions: u64,
}

/// Why a call of the ledger failed.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The chain has this round or a later one.
    #[error("epoch {}, round {} is not newer than epoch {}, round {} on the chain", .came.0, .came.1, .has.0, .has.1)]
    NotNewer {
        /// Epoch and round that came.
        came: (u32, u8),
        /// Epoch and round on the chain.
        has: (u32, u8),
    },
    /// One process at a time writes.
    #[error("{} is in use by another process", .0.display())]
    InUse(PathBuf),
    /// The file is no ledger, or the disk failed.
    #[error("{}: {source}", path.display())]
    Disk {
        /// The ledger.
        path: PathBuf,
        /// What the store says.
        source: Box<redb::Error>,
    },
    /// What is stored is no answer.
    #[error("{} holds {text:?} as an answer", path.display())]
    Answer {
        /// The ledger.
        path: PathBuf,
        /// What is stored.
        text: String,
    },
}

/// An open ledger.
#[derive(Debug)]
pub struct Ledger {
    path: PathBuf,
    store: Database,
}

impl Ledger {
    /// Opens the ledger at `path`, or creates one. What a killed process left half-written is rolled back.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        match Database::create(path) {
            Ok(store) => Ok(Self { path: path.to_owned(), store }),
            Err(DatabaseError::DatabaseAlreadyOpen) => Err(LedgerError::InUse(path.to_owned())),
            Err(error) => Err(LedgerError::Disk { path: path.to_owned(), source: Box::new(error.into()) }),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds a transaction and returns its number. Under one configuration, each must be of a later round than the
    /// one before: so a report that is sent twice is written once.
    pub fn append(&self, transaction: &Transaction) -> Result<u64, LedgerError> {
        let came = (transaction.epoch, transaction.round);
        let writing = self.disk(self.store.begin_write())?;
        let number = {
            let mut rounds = self.disk(writing.open_table(ROUNDS))?;
            let has = self.disk(rounds.get(transaction.config_digest))?.map_or((0, 0), |has| has.value());
            if came <= has {
                return Err(LedgerError::NotNewer { came, has });
            }
            let mut transactions = self.disk(writing.open_table(TRANSACTIONS))?;
            let number = 1 + self.disk(transactions.last())?.map_or(0, |(number, _)| number.value());
            let answer = transaction.answer.to_string();
            let signatures = transaction.signatures.iter().map(|(oracle, bytes)| (*oracle, bytes.as_slice()));
            let row = (
                transaction.config_digest,
                transaction.epoch,
                transaction.round,
                answer.as_str(),
                transaction.at,
                signatures.collect(),
                transaction.account.as_str(),
                transaction.signature.as_slice(),
            );
            self.disk(transactions.insert(number, row))?;
            self.disk(rounds.insert(transaction.config_digest, came))?;
            number
        };
        self.disk(writing.commit())?;
        Ok(number)
    }

    /// The number of the newest block: the first one configured the feed, then there is one for each transaction.
    pub fn height(&self) -> Result<u64, LedgerError> {
        let Some((transactions, _)) = self.tables()? else { return Ok(1) };
        Ok(1 + self.disk(transactions.last())?.map_or(0, |(number, _)| number.value()))
    }

    /// What the chain knows now, as seen from a configuration.
    pub fn state(&self, config_digest: &Digest) -> Result<State, LedgerError> {
        let Some((transactions, rounds)) = self.tables()? else { return Ok(State::default()) };
        let (epoch, round) = self.disk(rounds.get(config_digest))?.map_or((0, 0), |has| has.value());
        let Some((number, row)) = self.disk(transactions.last())? else { return Ok(State::default()) };
        let last = self.transaction(row.value())?;
        Ok(State { epoch, round, latest: Some((last.answer, last.at)), transactions: number.value() })
    }

    /// The last `count` transactions with their numbers, oldest first.
    pub fn tail(&self, count: usize) -> Result<Vec<(u64, Transaction)>, LedgerError> {
        let Some((transactions, _)) = self.tables()? else { return Ok(Vec::new()) };
        let mut tail = Vec::new();
        for entry in self.disk(transactions.iter())?.rev().take(count) {
            let (number, row) = self.disk(entry)?;
            tail.push((number.value(), self.transaction(row.value())?));
        }
        tail.reverse();
        Ok(tail)
    }

    /// Both tables as of now; None before the first transaction.
    #[allow(clippy::type_complexity, reason = "named nowhere else")]
    fn tables(
        &self,
    ) -> Result<Option<(redb::ReadOnlyTable<u64, Row>, redb::ReadOnlyTable<Digest, (u32, u8)>)>, LedgerError> {
        let reading = self.disk(self.store.begin_read())?;
        match reading.open_table(TRANSACTIONS) {
            Err(TableError::TableDoesNotExist(_)) => Ok(None),
            transactions => Ok(Some((self.disk(transactions)?, self.disk(reading.open_table(ROUNDS))?))),
        }
    }

    fn transaction(&self, row: <Row as redb::Value>::SelfType<'_>) -> Result<Transaction, LedgerError> {
        let (config_digest, epoch, round, answer, at, signatures, account, signature) = row;
        let malformed = |_| LedgerError::Answer { path: self.path.clone(), text: answer.to_owned() };
        Ok(Transaction {
            config_digest,
            epoch,
            round,
            answer: answer.parse().map_err(malformed)?,
            at,
            signatures: signatures.into_iter().map(|(oracle, bytes)| (oracle, bytes.to_vec())).collect(),
            account: account.to_owned(),
            signature: signature.to_vec(),
        })
    }

    fn disk<T, E: Into<redb::Error>>(&self, result: Result<T, E>) -> Result<T, LedgerError> {
        result.map_err(|error| LedgerError::Disk { path: self.path.clone(), source: Box::new(error.into()) })
    }
}
