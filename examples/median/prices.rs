//! Where numbers come from: price files and addresses.
//!
//! A number that is missing or malformed is an error of that one observation. The oracle then sits the round out,
//! which a feed bears up to `f` times a round; that is what it has several oracles for.

use crate::decimal;
use num_bigint::BigInt;
use serde_json::value::RawValue;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Largest response that is read from an address, in bytes.
const ANSWER_MAX: u64 = 1 << 20;

/// Why there is no number.
#[derive(Debug, thiserror::Error)]
pub enum PriceError {
    /// The price file could not be read.
    #[error("{} cannot be read: {source}", file.display())]
    Unreadable {
        /// Which file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The price file has no rows.
    #[error("{} has no rows", .0.display())]
    Empty(PathBuf),
    /// The price file is no CSV.
    #[error("{} is no CSV file: {reason}", file.display())]
    Csv {
        /// Which file.
        file: PathBuf,
        /// Why.
        reason: String,
    },
    /// The price file lacks a column.
    #[error("{} has no column {column:?}, only {}", file.display(), columns.join(", "))]
    NoColumn {
        /// Which file.
        file: PathBuf,
        /// What was looked for.
        column: String,
        /// What there is.
        columns: Vec<String>,
    },
    /// What is there is no number.
    #[error("{place} holds {text:?}, which is no decimal number")]
    Malformed {
        /// File and line, or address.
        place: String,
        /// What was found there, cut off after a while.
        text: String,
    },
    /// Nothing is there.
    #[error("{place} has nothing at {path:?}")]
    Missing {
        /// File and line, or address.
        place: String,
        /// Column or path.
        path: String,
    },
    /// The address did not answer, or answered with an error.
    #[error("{url}: {reason}")]
    Http {
        /// The address.
        url: String,
        /// What went wrong.
        reason: String,
    },
}

impl PriceError {
    /// Whether the file is to blame, rather than what is looked for in it.
    pub fn is_about_the_file(&self) -> bool {
        !matches!(self, Self::NoColumn { .. })
    }

    /// What the author of a job file can do.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "paths are taken from where the job file is",
            Self::NoColumn { .. } => "name one of the columns in the file's first line",
            Self::Empty(_) => "a price file has a line per round, in CSV after a line of column names",
            _ => "check the file's contents",
        }
    }
}

/// Where in a row the number is.
#[derive(Clone, Debug)]
pub enum Place {
    /// Under this heading of a CSV file.
    Column(String),
    /// At this path of a line of JSON.
    Path(JsonPath),
}

/// Steps into JSON: `data.prices[0].usd`, also with a leading `$.`.
#[derive(Clone, Debug)]
pub struct JsonPath {
    text: String,
    steps: Vec<Step>,
}

#[derive(Clone, Debug)]
enum Step {
    Name(String),
    Position(usize),
}

impl JsonPath {
    /// None if the text is no path.
    pub fn parse(text: &str) -> Option<Self> {
        let mut steps = Vec::new();
        for part in text.strip_prefix("$.").unwrap_or(text).split('.') {
            let (name, positions) = part.split_at(part.find('[').unwrap_or(part.len()));
            if name.is_empty() || name.contains(']') {
                return None;
            }
            steps.push(Step::Name(name.to_owned()));
            for position in positions.split_terminator(']') {
                steps.push(Step::Position(position.strip_prefix('[')?.parse().ok()?));
            }
            if !positions.is_empty() && !positions.ends_with(']') {
                return None;
            }
        }
        Some(Self { text: text.to_owned(), steps })
    }

    /// The number at this path, be it a JSON number or a string. Its text is kept as it stands: as a float it would
    /// lose digits.
    fn find<'a>(&self, json: &'a str, place: &str) -> Result<&'a str, PriceError> {
        let missing = || PriceError::Missing { place: place.to_owned(), path: self.text.clone() };
        let mut here: &RawValue = serde_json::from_str(json).map_err(|_| malformed(place, json))?;
        for step in &self.steps {
            here = match step {
                Step::Name(name) => {
                    let object: Option<HashMap<std::borrow::Cow<'_, str>, &RawValue>> =
                        serde_json::from_str(here.get()).ok();
                    object.and_then(|object| object.get(name.as_str()).copied())
                }
                Step::Position(position) => {
                    let list: Option<Vec<&RawValue>> = serde_json::from_str(here.get()).ok();
                    list.and_then(|list| list.get(*position).copied())
                }
            }
            .ok_or_else(missing)?;
        }
        let text = here.get();
        Ok(text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text))
    }
}

fn malformed(place: &str, text: &str) -> PriceError {
    PriceError::Malformed { place: place.to_owned(), text: text.chars().take(40).collect() }
}

/// The rows of a price file, not yet looked at as numbers.
#[derive(Clone, Debug)]
pub struct Rows {
    file: PathBuf,
    place: Place,
    /// Line number and text of the cell, or the line of JSON.
    rows: Arc<[(u64, String)]>,
}

/// The rows of a price file, whose text was read: CSV with a line of headings, or JSON lines.
pub fn rows(file: &Path, text: std::io::Result<String>, place: &Place) -> Result<Rows, PriceError> {
    let text = text.map_err(|source| PriceError::Unreadable { file: file.to_owned(), source })?;
    let rows: Vec<(u64, String)> = match place {
        Place::Path(_) => {
            let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
            lines.map(|(number, line)| (number, line.to_owned())).collect()
        }
        Place::Column(column) => cells(file, &text, column)?,
    };
    if rows.is_empty() {
        return Err(PriceError::Empty(file.to_owned()));
    }
    Ok(Rows { file: file.to_owned(), place: place.clone(), rows: rows.into() })
}

fn cells(file: &Path, text: &str, column: &str) -> Result<Vec<(u64, String)>, PriceError> {
    let csv = |error: csv::Error| PriceError::Csv { file: file.to_owned(), reason: error.to_string() };
    let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
    let headings = reader.headers().map_err(csv)?;
    let index = headings.iter().position(|heading| heading == column).ok_or_else(|| PriceError::NoColumn {
        file: file.to_owned(),
        column: column.to_owned(),
        columns: headings.iter().map(str::to_owned).collect(),
    })?;
    let rows = reader.into_records().map(|record| {
        let record = record.map_err(csv)?;
        let line = record.position().map_or(0, csv::Position::line);
        Ok((line, record.get(index).unwrap_or_default().to_owned()))
    });
    rows.collect()
}

impl Rows {
    fn number(&self, index: usize, decimals: u32) -> Result<BigInt, PriceError> {
        // The file starts over where it ends.
        let (line, text) = &self.rows[index % self.rows.len()];
        let place = format!("{}:{line}", self.file.display());
        let text = match &self.place {
            Place::Column(column) if text.is_empty() => {
                return Err(PriceError::Missing { place, path: column.clone() });
            }
            Place::Column(_) => text,
            Place::Path(path) => path.find(text, &place)?,
        };
        number(text, decimals, &place)
    }
}

fn number(text: &str, decimals: u32, place: &str) -> Result<BigInt, PriceError> {
    match decimal::scaled(text, decimals) {
        Some((number, _)) => Ok(number),
        None => Err(malformed(place, text)),
    }
}

/// One source of numbers, described but not yet in use.
#[derive(Clone, Debug)]
pub struct Source {
    /// For people.
    pub name: String,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    File { rows: Rows, decimals: u32 },
    Http { url: String, path: JsonPath, decimals: u32, agent: ureq::Agent },
    Fixed(BigInt),
}

impl Source {
    /// Rows of a file, one after the other; numbers are multiplied by `10^decimals`.
    pub fn file(name: String, rows: Rows, decimals: u32) -> Self {
        Self { name, kind: Kind::File { rows, decimals } }
    }

    /// The number at `path` in the JSON that `url` answers within `timeout`, all redirects included.
    pub fn http(name: String, url: String, path: JsonPath, timeout: Duration, decimals: u32) -> Self {
        let config = ureq::Agent::config_builder().timeout_global(Some(timeout)).build();
        Self { name, kind: Kind::Http { url, path, decimals, agent: config.into() } }
    }

    /// Always this number.
    pub fn fixed(name: String, number: BigInt) -> Self {
        Self { name, kind: Kind::Fixed(number) }
    }

    /// Puts the source into use, for one oracle. A file begins at row `start`, from 0.
    pub fn open(&self, start: usize) -> OpenSource {
        OpenSource { source: self.clone(), row: Mutex::new((start, None)) }
    }
}

/// A source in use.
#[derive(Debug)]
pub struct OpenSource {
    source: Source,
    /// The next row of a file, and the round that the row before belongs to.
    row: Mutex<(usize, Option<(u32, u8)>)>,
}

impl OpenSource {
    /// Which source this is.
    pub fn name(&self) -> &str {
        &self.source.name
    }

    /// The number for a round, given by epoch and round. Two calls in a row for the same round read the same row
    /// of a file: the call may be retried when a plugin died before it had the reply.
    ///
    /// A caller that gives up leaves a request to an address running until its timeout.
    pub async fn observe(&self, round: (u32, u8)) -> Result<BigInt, PriceError> {
        match &self.source.kind {
            Kind::Fixed(number) => Ok(number.clone()),
            Kind::File { rows, decimals } => rows.number(self.row(round), *decimals),
            Kind::Http { url, path, decimals, agent } => {
                let (agent, address) = (agent.clone(), url.clone());
                let answer = tokio::task::spawn_blocking(move || get(&agent, &address)).await;
                let failed = |reason| PriceError::Http { url: url.clone(), reason };
                let answer = answer.map_err(|error| failed(error.to_string()))?.map_err(failed)?;
                number(path.find(&answer, url)?, *decimals, url)
            }
        }
    }

    fn row(&self, round: (u32, u8)) -> usize {
        let mut row = self.row.lock().unwrap_or_else(PoisonError::into_inner);
        if row.1 != Some(round) {
            *row = (row.0 + 1, Some(round));
        }
        row.0 - 1
    }
}

fn get(agent: &ureq::Agent, url: &str) -> Result<String, String> {
    let answer = match agent.get(url).header("accept", "application/json").call() {
        Ok(answer) => answer,
        Err(ureq::Error::StatusCode(status)) => return Err(format!("answered with status {status}")),
        Err(error) => return Err(format!("no answer: {error}")),
    };
    let body = answer.into_body().into_with_config().limit(ANSWER_MAX).read_to_string();
    body.map_err(|error| format!("the answer cannot be read: {error}"))
}
