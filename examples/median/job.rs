//! The job file: what a feed is about, and where its numbers come from.

use crate::decimal;
use crate::prices::{self, Place, Source};
use num_bigint::BigInt;
use serde::Deserialize;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;
use toml::Spanned;

/// A feed as the user described it.
#[derive(Clone, Debug)]
pub struct Job {
    /// What the feed is about.
    pub name: String,
    /// The answer is the price times ten to this power.
    pub decimals: u32,
    /// Change that is worth a report, in parts per billion.
    pub deviation_ppb: u64,
    /// Age from which an answer is stale.
    pub heartbeat: Duration,
    /// Least answer that may be reported.
    pub min: BigInt,
    /// Greatest answer that may be reported.
    pub max: BigInt,
    /// Another rule of deviation, as the median plugin takes it: a JSON object.
    pub deviation_function: Option<serde_json::Value>,
    /// Where transactions are kept, if not beside the program.
    pub ledger: Option<PathBuf>,
    /// Prices; oracles take them in turn. Never empty.
    pub prices: Vec<Source>,
    /// Price of the coin that pays fees, in juels.
    pub juels_per_fee_coin: Source,
    /// Gas price.
    pub gas_price: Source,
}

/// A job file that cannot be run: where the mistake is, and what to do about it.
#[derive(Debug)]
pub struct JobError {
    path: PathBuf,
    /// From 1; absent if it is about the file as a whole.
    line: Option<usize>,
    problem: String,
    help: String,
}

impl fmt::Display for JobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}\n  help: {}", self.problem, self.help)
    }
}

impl std::error::Error for JobError {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct JobFile {
    name: String,
    decimals: Spanned<u32>,
    deviation: Spanned<String>,
    heartbeat: Spanned<String>,
    min: Spanned<String>,
    max: Spanned<String>,
    deviation_function: Option<serde_json::Value>,
    ledger: Option<PathBuf>,
    price: Spanned<Vec<Spanned<SourceTable>>>,
    juels_per_fee_coin: Spanned<SourceTable>,
    gas_price: Spanned<SourceTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceTable {
    name: Option<String>,
    file: Option<Spanned<PathBuf>>,
    column: Option<Spanned<String>>,
    url: Option<Spanned<String>>,
    path: Option<Spanned<String>>,
    timeout: Option<Spanned<String>>,
    fixed: Option<Spanned<String>>,
    decimals: Option<Spanned<u32>>,
}

/// The largest power of ten that prices may be multiplied by: beyond it nothing fits into an answer.
const DECIMALS_MAX: u32 = 38;
const TIMEOUT: Duration = Duration::from_secs(5);

/// Reads a job file and the price files that it names, which are looked for beside it.
pub fn load(path: &Path) -> Result<Job, JobError> {
    let text = std::fs::read_to_string(path).map_err(|error| JobError {
        path: path.to_owned(),
        line: None,
        problem: format!("cannot be read: {error}"),
        help: "--job takes a TOML file such as examples/median/job.toml".to_owned(),
    })?;
    parse(path, &text, &|file| std::fs::read_to_string(file))
}

/// Parses `text`, which came from `path`; price files are read by `read`.
pub fn parse(path: &Path, text: &str, read: &ReadFile) -> Result<Job, JobError> {
    Reader { path, text, read }.job()
}

/// Returns the text of a file.
pub type ReadFile = dyn Fn(&Path) -> std::io::Result<String>;

struct Reader<'a> {
    path: &'a Path,
    text: &'a str,
    read: &'a ReadFile,
}

impl Reader<'_> {
    fn job(&self) -> Result<Job, JobError> {
        let file: JobFile = toml::from_str(self.text).map_err(|error| {
            let help = "the keys and their meaning are shown in examples/median/job.toml";
            // What the parser says may be several lines; the first has the substance.
            let problem = error.message().lines().next().unwrap_or_default();
            match error.span() {
                Some(span) => self.mistake(span, problem, help),
                None => JobError { line: None, ..self.mistake(0..0, problem, help) },
            }
        })?;
        let decimals = self.decimals(&file.decimals)?;
        if file.price.as_ref().is_empty() {
            return Err(self.mistake(file.price.span(), "the feed has no prices", "add a [[price]] table"));
        }
        let (min, max) = (self.bound(&file.min, decimals)?, self.bound(&file.max, decimals)?);
        if min > max {
            return Err(self.mistake(file.min.span(), "min is greater than max", "swap the two"));
        }
        let prices = file.price.as_ref().iter();
        Ok(Job {
            name: file.name,
            decimals,
            deviation_ppb: self.percentage(&file.deviation)?,
            heartbeat: self.duration(&file.heartbeat)?,
            min,
            max,
            deviation_function: file.deviation_function,
            ledger: file.ledger.map(|ledger| self.beside(&ledger)),
            prices: prices.map(|table| self.source(table, "price", decimals)).collect::<Result<_, _>>()?,
            juels_per_fee_coin: self.source(&file.juels_per_fee_coin, "juels_per_fee_coin", decimals)?,
            gas_price: self.source(&file.gas_price, "gas_price", decimals)?,
        })
    }

    fn source(&self, table: &Spanned<SourceTable>, key: &str, decimals: u32) -> Result<Source, JobError> {
        let it = table.as_ref();
        let name = it.name.clone().unwrap_or_else(|| key.to_owned());
        let decimals = it.decimals.as_ref().map_or(Ok(decimals), |own| self.decimals(own))?;
        let needs = |what: &str, example: &str| {
            self.mistake(table.span(), &format!("{name:?} has no {what}"), &format!("add a line such as {example}"))
        };
        match (&it.file, &it.url, &it.fixed) {
            (Some(file), None, None) => {
                self.refuse(&it.timeout, "timeout", "only addresses take time: remove it")?;
                let place = match (&it.column, &it.path) {
                    (Some(column), None) => Place::Column(column.as_ref().clone()),
                    (None, Some(path)) => Place::Path(self.json_path(path)?),
                    (None, None) => return Err(needs("column", "column = \"price\" (or path = .. for JSON lines)")),
                    (Some(_), Some(path)) => {
                        let help = "a CSV file has columns, a file of JSON lines has paths: keep one of them";
                        return Err(self.mistake(path.span(), &format!("{name:?} has a column and a path"), help));
                    }
                };
                let file_path = self.beside(file.as_ref());
                let rows = prices::rows(&file_path, (self.read)(&file_path), &place);
                let rows = rows.map_err(|error| {
                    let span = it.column.as_ref().map_or(file.span(), Spanned::span);
                    self.mistake(
                        if error.is_about_the_file() { file.span() } else { span },
                        &error.to_string(),
                        error.help(),
                    )
                })?;
                Ok(Source::file(name, rows, decimals))
            }
            (None, Some(url), None) => {
                self.refuse(&it.column, "column", "an address answers JSON: use path")?;
                let path = it.path.as_ref().ok_or_else(|| needs("path", "path = \"data.price\""))?;
                let timeout = it.timeout.as_ref().map_or(Ok(TIMEOUT), |timeout| self.duration(timeout))?;
                let url = url.as_ref();
                if !url.starts_with("http://") && !url.starts_with("https://") {
                    let help = "addresses begin with http:// or https://";
                    return Err(self.mistake(table.span(), &format!("{url:?} is no address"), help));
                }
                Ok(Source::http(name, url.clone(), self.json_path(path)?, timeout, decimals))
            }
            (None, None, Some(fixed)) => {
                let number = self.number(fixed, decimals)?;
                Ok(Source::fixed(name, number))
            }
            (None, None, None) => Err(needs("source", "file = \"prices.csv\" or url = \"https://..\"")),
            _ => Err(self.mistake(
                table.span(),
                &format!("{name:?} has more than one source"),
                "keep one of file, url and fixed",
            )),
        }
    }

    fn refuse<T>(&self, key: &Option<Spanned<T>>, name: &str, help: &str) -> Result<(), JobError> {
        match key {
            None => Ok(()),
            Some(it) => Err(self.mistake(it.span(), &format!("{name} has no meaning here"), help)),
        }
    }

    fn decimals(&self, value: &Spanned<u32>) -> Result<u32, JobError> {
        if *value.as_ref() <= DECIMALS_MAX {
            return Ok(*value.as_ref());
        }
        Err(self.mistake(value.span(), "too many decimals", &format!("use 0 to {DECIMALS_MAX}")))
    }

    fn number(&self, text: &Spanned<String>, decimals: u32) -> Result<BigInt, JobError> {
        let number = decimal::scaled(text.as_ref().trim(), decimals);
        number.map(|(number, _)| number).ok_or_else(|| {
            self.mistake(text.span(), &format!("{:?} is no decimal number", text.as_ref()), "write it like \"1883.40\"")
        })
    }

    fn bound(&self, text: &Spanned<String>, decimals: u32) -> Result<BigInt, JobError> {
        let bound = self.number(text, decimals)?;
        // 24 bytes of two's complement, as the contract keeps it.
        if bound.bits() < 192 {
            return Ok(bound);
        }
        Err(self.mistake(text.span(), "this does not fit into the contract's 192 bits", "use a smaller number"))
    }

    fn percentage(&self, text: &Spanned<String>) -> Result<u64, JobError> {
        let number = text.as_ref().trim().strip_suffix('%').and_then(|number| decimal::scaled(number.trim_end(), 7));
        match number {
            Some((ppb, false)) => u64::try_from(ppb).ok(),
            _ => None,
        }
        .ok_or_else(|| {
            let problem = format!("{:?} is no percentage", text.as_ref());
            self.mistake(text.span(), &problem, "write it like \"0.5%\", with at most 7 digits after the point")
        })
    }

    fn duration(&self, text: &Spanned<String>) -> Result<Duration, JobError> {
        duration(text.as_ref().trim()).ok_or_else(|| {
            let problem = format!("{:?} is no duration", text.as_ref());
            self.mistake(text.span(), &problem, "write it like \"500ms\", \"90s\", \"15m\" or \"1h30m\"")
        })
    }

    fn json_path(&self, text: &Spanned<String>) -> Result<prices::JsonPath, JobError> {
        prices::JsonPath::parse(text.as_ref()).ok_or_else(|| {
            let problem = format!("{:?} is no path", text.as_ref());
            self.mistake(text.span(), &problem, "write names and positions, like \"data.prices[0].usd\"")
        })
    }

    fn beside(&self, file: &Path) -> PathBuf {
        self.path.parent().unwrap_or(Path::new("")).join(file)
    }

    fn mistake(&self, span: Range<usize>, problem: &str, help: &str) -> JobError {
        let before = self.text.get(..span.start).unwrap_or_default();
        JobError {
            path: self.path.to_owned(),
            line: Some(1 + before.matches('\n').count()),
            problem: problem.to_owned(),
            help: help.to_owned(),
        }
    }
}

/// Numbers with units, largest unit first or not: `1h30m`. At most 2^63 - 1 nanoseconds, which is what Go can hold.
fn duration(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, after) = rest.split_at(digits);
        let unit = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(unit);
        let nanoseconds: u64 = match unit {
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => return None,
        };
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(nanoseconds)?)?;
        rest = after;
    }
    let bounded = !text.is_empty() && i64::try_from(total).is_ok();
    bounded.then_some(Duration::from_nanos(total))
}
