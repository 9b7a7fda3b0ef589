//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

/// What `--help` prints.
pub const HELP: &str = "\
Runs a price feed as a Chainlink node would: a host, a relayer plugin and a median plugin, each a process of its own.
While it runs it kills each plugin once with SIGKILL, and the feed carries on.

Usage: cargo run --example median -- [options]

Options:
  --rounds N     how many rounds to run, at least 1 (12)
  --job FILE     where prices come from, and what the feed wants of them (examples/median/job.toml)
  --ledger FILE  where the chain's transactions are kept (what the job file says, or else beside the program)
  --oracles N    how many oracles take part, 4 to 31; a third of them may fail (4)
  --no-faults    kill nothing
  --quiet        only the ledger at the end
  --help         this text

For the median plugin alone, when a host of your own starts it:
  --clock TIME   it is always that time, in seconds since 1970 with up to nine decimals

Ctrl-C ends the run early; it leaves no process and no socket. RUST_LOG=info shows the logs of all three processes on
standard error.
Every run continues the ledger of the one before. Where that is, the end of the run says.
It fails if nothing was reported although something was to be: 1 is the code then, after Ctrl-C it is 130.
";

/// What the user asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Args {
    /// Rounds to run, at least 1.
    pub rounds: u32,
    /// The job file; the one that ships with the example if absent.
    pub job: Option<PathBuf>,
    /// Where the chain's transactions are kept, whatever the job file says.
    pub ledger: Option<PathBuf>,
    /// How many oracles take part, 4 to 31.
    pub oracles: u8,
    /// Whether plugins are killed during the run.
    pub faults: bool,
    /// Whether the story is left out.
    pub quiet: bool,
}

impl Default for Args {
    fn default() -> Self {
        Self { rounds: 12, job: None, ledger: None, oracles: 4, faults: true, quiet: false }
    }
}

impl Args {
    /// How many oracles may fail without harm: less than a third.
    pub fn f(&self) -> u8 {
        (self.oracles - 1) / 3
    }
}

/// An invalid command line; says which part, and where help is.
#[derive(Debug, thiserror::Error)]
#[error("{0}\nTry --help for the options.")]
pub struct UsageError(String);

impl From<lexopt::Error> for UsageError {
    fn from(error: lexopt::Error) -> Self {
        Self(error.to_string())
    }
}

/// Reads the arguments, without the program's name. `None` is a request for help.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Option<Args>, UsageError> {
    use lexopt::prelude::*;
    let mut args = Args::default();
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Long("rounds") => args.rounds = number(&mut parser, "--rounds", 1, u32::MAX)?,
            Long("oracles") => args.oracles = number(&mut parser, "--oracles", 4, 31)?,
            Long("job") => args.job = Some(parser.value()?.into()),
            Long("ledger") => args.ledger = Some(parser.value()?.into()),
            Long("no-faults") => args.faults = false,
            Long("quiet") | Short('q') => args.quiet = true,
            Long("help") | Short('h') => return Ok(None),
            _ => return Err(argument.unexpected().into()),
        }
    }
    Ok(Some(args))
}

/// Reads the arguments of the median plugin: the time that it always is, as Unix seconds and nanoseconds, if there is one.
pub fn parse_clock(arguments: impl IntoIterator<Item = OsString>) -> Result<Option<(i64, u32)>, UsageError> {
    use lexopt::prelude::*;
    let mut clock = None;
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Long("clock") => {
                let value = parser.value()?;
                let time = value.to_str().and_then(time);
                let refused = || UsageError(format!("--clock takes seconds since 1970, not {}", value.display()));
                clock = Some(time.ok_or_else(refused)?);
            }
            _ => return Err(argument.unexpected().into()),
        }
    }
    Ok(clock)
}

fn time(text: &str) -> Option<(i64, u32)> {
    let (seconds, decimals) = text.split_once('.').unwrap_or((text, ""));
    if decimals.len() > 9 || !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some((seconds.parse().ok()?, format!("{decimals:0<9}").parse().ok()?))
}

fn number<T>(parser: &mut lexopt::Parser, option: &str, min: T, max: T) -> Result<T, UsageError>
where
    T: std::str::FromStr + PartialOrd + std::fmt::Display,
{
    let value = parser.value()?;
    match value.to_str().and_then(|text| text.parse().ok()) {
        Some(number) if min <= number && number <= max => Ok(number),
        _ => Err(UsageError(format!("{option} takes a number from {min} to {max}, not {}", value.display()))),
    }
}
