//! Whether a price has moved enough.

use super::ports::{Clock, Time};
use num_bigint::{BigInt, BigUint, Sign};
use serde_json::Value;

/// Why a move could not be judged, or a rule not be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeviationError {
    /// The definition names no rule.
    #[error("missing or invalid 'type' field in deviation function definition")]
    NoType,
    /// The definition names a rule that is not known here.
    #[error("unsupported function type in deviation function definition: {0}")]
    UnknownType(String),
    /// `expiresAt` is not a number of seconds.
    #[error("missing or invalid 'expiresAt' field in deviation function definition")]
    NoExpiry,
    /// `multiplier` is a string but not a decimal integer.
    #[error("invalid 'multiplier' field in deviation function definition: {0}")]
    Multiplier(String),
    /// Zero over zero: no move, and a multiplier of zero.
    #[error("division of zero by zero or infinity by infinity")]
    ZeroByZero,
    /// A rule of somebody else's failed.
    #[error("{0}")]
    Other(String),
}

/// Decides whether the way from one price to another counts as a move.
pub trait Deviation: Send + Sync {
    /// `threshold_ppb` is the feed's threshold in parts per billion.
    fn deviates(&self, threshold_ppb: u64, old: &BigInt, new: &BigInt) -> Result<bool, DeviationError>;
}

/// Relative change, by exact arithmetic: `|new - old| / |old| >= threshold`. Any way off zero is a move.
#[derive(Clone, Copy, Debug)]
pub struct RelativeChange;

impl Deviation for RelativeChange {
    fn deviates(&self, threshold_ppb: u64, old: &BigInt, new: &BigInt) -> Result<bool, DeviationError> {
        if old.sign() == Sign::NoSign {
            return Ok(new.sign() != Sign::NoSign);
        }
        let change = (new - old).magnitude() * 1_000_000_000_u64;
        Ok(change >= old.magnitude() * threshold_ppb)
    }
}

const SECONDS_PER_YEAR: f64 = 365.0 * 24.0 * 60.0 * 60.0;
const DEFAULT_MULTIPLIER: u64 = 1_000_000_000_000_000_000;

/// Change of an implied yearly rate, which matters less the nearer the expiry:
/// `|new - old| / multiplier * years > ln(1 + threshold)`. The rest of the network computes in floating point, so
/// this does too. Never a move after the expiry.
pub struct Pendle {
    expires_at: f64,
    multiplier: BigInt,
    clock: Clock,
}

impl Pendle {
    /// `expires_at` in seconds since 1970.
    pub fn new(expires_at: f64, multiplier: BigInt, clock: Clock) -> Self {
        Self { expires_at, multiplier, clock }
    }
}

impl Deviation for Pendle {
    fn deviates(&self, threshold_ppb: u64, old: &BigInt, new: &BigInt) -> Result<bool, DeviationError> {
        let change = (new - old).magnitude().clone();
        let rate = quotient(&change, self.multiplier.magnitude()).ok_or(DeviationError::ZeroByZero)?;
        let rate = if self.multiplier.sign() == Sign::Minus { -rate } else { rate };
        let years = (self.expires_at - seconds((self.clock)())) / SECONDS_PER_YEAR;
        Ok(rate * years > (1.0 + threshold_ppb as f64 / 1e9).ln())
    }
}

/// The rule that a job's JSON definition asks for. A `multiplier` that is not a string is ignored, as in Go.
pub fn from_definition(definition: &Value, clock: Clock) -> Result<Pendle, DeviationError> {
    match definition["type"].as_str().ok_or(DeviationError::NoType)? {
        "pendle" => {}
        other => return Err(DeviationError::UnknownType(other.to_owned())),
    }
    let expires_at = definition["expiresAt"].as_f64().ok_or(DeviationError::NoExpiry)?;
    let multiplier = match definition["multiplier"].as_str() {
        None => DEFAULT_MULTIPLIER.into(),
        Some(text) => decimal(text).ok_or_else(|| DeviationError::Multiplier(text.to_owned()))?,
    };
    Ok(Pendle::new(expires_at, multiplier, clock))
}

/// Digits with an optional sign, nothing else; BigInt's own parser also takes underscores.
fn decimal(text: &str) -> Option<BigInt> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

fn seconds(time: Time) -> f64 {
    time.unix_nanos() as f64 / 1e9
}

/// `a / b`, rounded as Go's big.Float rounds it: to the bits of `a` or 64 if those are more, then to 53, each time to
/// the nearest, ties to even. None for zero by zero.
fn quotient(a: &BigUint, b: &BigUint) -> Option<f64> {
    match (a.bits(), b.bits()) {
        (0, 0) => return None,
        (0, _) => return Some(0.0),
        (_, 0) => return Some(f64::INFINITY),
        _ => {}
    }
    let precision = a.bits().max(64);
    // So many zeros behind `a` that the integer quotient has at least two bits more than are kept.
    let shift = (precision + 2 + b.bits()).saturating_sub(a.bits());
    let dividend = a << shift;
    let (whole, rest) = (&dividend / b, &dividend % b);
    // One more bit stands for all that follows, so that rounding sees that it is not a tie.
    let sticky = (whole << 1_u32) | BigUint::from(u8::from(rest != BigUint::ZERO));
    let (mantissa, dropped) = round(&sticky, precision);
    let (mantissa, dropped) = {
        let (shorter, more) = round(&mantissa, 53);
        (shorter, dropped + more)
    };
    let exponent = i64::try_from(dropped).ok()? - i64::try_from(shift).ok()? - 1;
    // At most 2^53, hence exact.
    let mantissa = u64::try_from(mantissa).ok()? as f64;
    Some(mantissa * 2_f64.powi(i32::try_from(exponent).ok()?))
}

/// The `bits` highest bits of `number`, rounded to nearest even, and how many were dropped.
fn round(number: &BigUint, bits: u64) -> (BigUint, u64) {
    let dropped = number.bits().saturating_sub(bits);
    if dropped == 0 {
        return (number.clone(), 0);
    }
    let kept = number >> dropped;
    let half = number.bit(dropped - 1);
    let above_half = number.trailing_zeros().is_some_and(|zeros| zeros < dropped - 1);
    let up = half && (above_half || kept.bit(0));
    (kept + u8::from(up), dropped)
}
