//! The part of a feed's configuration that only the oracles see: how much a price must move, and how old an answer
//! may become, before a new report is worth its fee.

use super::go_proto::{self, Field, Malformed};
use std::fmt::Write;

/// A threshold on relative change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Alpha {
    /// Change never counts; `ppb` is of no meaning.
    pub infinite: bool,
    /// Parts per billion from which on a change counts.
    pub ppb: u64,
}

/// Configuration of one feed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OffchainConfig {
    /// Change between contract and answer that is worth a report.
    pub alpha_report: Alpha,
    /// Change between two reports that is worth a second one while the first is not on the chain yet.
    pub alpha_accept: Alpha,
    /// Nanoseconds after which an answer is stale, whether it moved or not.
    pub delta_c: i64,
}

/// Why an offchain config was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OffchainConfigError {
    /// Not protobuf.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// An answer cannot be stale before it is there. Holds the duration in Go's notation.
    #[error("DeltaC ({0}) must be non-negative")]
    NegativeDeltaC(String),
}

impl OffchainConfig {
    /// The canonical bytes. A negative `delta_c` is encoded; only [`OffchainConfig::decode`] refuses it, as in Go.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        go_proto::put_varint(&mut out, 1, u64::from(self.alpha_report.infinite));
        go_proto::put_varint(&mut out, 2, self.alpha_report.ppb);
        go_proto::put_varint(&mut out, 3, u64::from(self.alpha_accept.infinite));
        go_proto::put_varint(&mut out, 4, self.alpha_accept.ppb);
        go_proto::put_varint(&mut out, 5, self.delta_c as u64);
        out
    }

    /// Whatever Go would take for an offchain config.
    pub fn decode(bytes: &[u8]) -> Result<Self, OffchainConfigError> {
        let mut it = Self::default();
        go_proto::fields(bytes, |number, field| match (number, field) {
            (1, Field::Varint(flag)) => it.alpha_report.infinite = flag != 0,
            (2, Field::Varint(ppb)) => it.alpha_report.ppb = ppb,
            (3, Field::Varint(flag)) => it.alpha_accept.infinite = flag != 0,
            (4, Field::Varint(ppb)) => it.alpha_accept.ppb = ppb,
            (5, Field::Varint(nanoseconds)) => it.delta_c = nanoseconds as i64,
            _ => {}
        })?;
        if it.delta_c < 0 {
            return Err(OffchainConfigError::NegativeDeltaC(duration_text(it.delta_c)));
        }
        Ok(it)
    }
}

/// A duration of so many nanoseconds as Go writes it: `1h0m0.5s`, `-1.5ms`, `0s`.
pub fn duration_text(nanoseconds: i64) -> String {
    let total = nanoseconds.unsigned_abs();
    let mut text = String::new();
    if nanoseconds < 0 {
        text.push('-');
    }
    let (unit, per_unit) = match total {
        0 => return "0s".to_owned(),
        1..1_000 => ("ns", 1),
        1_000..1_000_000 => ("µs", 1_000),
        1_000_000..1_000_000_000 => ("ms", 1_000_000),
        _ => ("s", 1_000_000_000),
    };
    let mut whole = total / per_unit;
    let minutes = if unit == "s" { whole / 60 } else { 0 };
    if minutes > 0 {
        whole %= 60;
        let (hours, minutes) = (minutes / 60, minutes % 60);
        // Writing into a String cannot fail.
        let _ = if hours > 0 { write!(text, "{hours}h{minutes}m") } else { write!(text, "{minutes}m") };
    }
    let _ = write!(text, "{whole}");
    let fraction = total % per_unit;
    if fraction > 0 {
        let digits = format!("{:0width$}", fraction, width = per_unit.ilog10() as usize);
        let _ = write!(text, ".{}", digits.trim_end_matches('0'));
    }
    text.push_str(unit);
    text
}

#[cfg(test)]
mod tests {
    use super::duration_text;

    #[test]
    fn durations_read_as_in_go() {
        for (nanoseconds, text) in [
            (0, "0s"),
            (1, "1ns"),
            (-999, "-999ns"),
            (1_100, "1.1µs"),
            (2_200_000, "2.2ms"),
            (3_300_000_000, "3.3s"),
            (60_000_000_000, "1m0s"),
            (245_000_000_000, "4m5s"),
            (245_001_000_000, "4m5.001s"),
            (3_600_000_000_000, "1h0m0s"),
            (18_367_001_000_000, "5h6m7.001s"),
            (480_000_000_001, "8m0.000000001s"),
            (i64::MAX, "2562047h47m16.854775807s"),
            (i64::MIN, "-2562047h47m16.854775808s"),
        ] {
            assert_eq!(duration_text(nanoseconds), text);
        }
    }
}
