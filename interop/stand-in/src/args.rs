//! The command line, in the notation of Go's `flag`: `-name=value`, `-name value`, and `-name` for a switch.

use std::fmt;
use std::num::NonZeroU32;

/// The role of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// `-cmd=median`
    Median,
    /// `-cmd=relayer`
    Relayer,
}

/// The arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Args {
    /// `-cmd`, which is required.
    pub role: Role,
    /// `-limit`: with which call on the main connection the process ends. 0 is no limit.
    pub limit: Option<NonZeroU32>,
    /// `-static-checks`: whether the relayer compares its arguments.
    pub static_checks: bool,
}

/// The arguments are invalid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageError(String);

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UsageError {}

/// Reads the arguments, without the program's name.
///
/// # Errors
///
/// There is no `-cmd`, or it names neither plugin; a flag is unknown, or its value is invalid.
pub fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Args, UsageError> {
    let (mut role, mut limit, mut static_checks) = (None, None, false);
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        let flag = argument.strip_prefix("--").or_else(|| argument.strip_prefix('-'));
        let flag = flag.ok_or_else(|| UsageError(format!("{argument:?} is no flag")))?;
        let (name, value) = match flag.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (flag, None),
        };
        let refused = |value: &str| UsageError(format!("invalid value {value:?} for flag -{name}"));
        let mut needed = || {
            let value = value.clone().or_else(|| arguments.next());
            value.ok_or_else(|| UsageError(format!("flag needs an argument: -{name}")))
        };
        match name {
            "cmd" => {
                role = Some(match needed()?.as_str() {
                    "median" => Role::Median,
                    "relayer" => Role::Relayer,
                    unknown => return Err(UsageError(format!("unknown command: {unknown:?}"))),
                });
            }
            "limit" => {
                let value = needed()?;
                limit = NonZeroU32::new(value.parse().map_err(|_| refused(&value))?);
            }
            "static-checks" => {
                let value = value.unwrap_or_else(|| "true".to_owned());
                static_checks = value.parse().map_err(|_| refused(&value))?;
            }
            _ => return Err(UsageError(format!("flag provided but not defined: -{name}"))),
        }
    }
    let role = role.ok_or_else(|| UsageError("no command: -cmd=median or -cmd=relayer".to_owned()))?;
    Ok(Args { role, limit, static_checks })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Args, UsageError> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn flags_are_written_as_in_go() {
        let median = Args { role: Role::Median, limit: None, static_checks: false };
        assert_eq!(parsed("-cmd=median"), Ok(median));
        assert_eq!(parsed("--cmd median -limit=0 -static-checks=false"), Ok(median));
        let limited = Args { role: Role::Relayer, limit: NonZeroU32::new(3), static_checks: true };
        assert_eq!(parsed("-static-checks -limit 3 -cmd=relayer"), Ok(limited));
    }

    #[test]
    fn nonsense_is_refused() {
        for line in ["", "median", "-cmd", "-cmd=mercury", "-cmd=median -limit=x", "-cmd=median -static-checks=2", "-x"]
        {
            parsed(line).unwrap_err();
        }
    }
}
