//! Durations as Go writes them: `1h2m3.5s`.

use std::time::Duration;

/// Reads a sequence of decimal numbers with units. Negative durations are refused: no setting of a node means one.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let wrong = || "not a duration such as 1h30m or 250ms".to_owned();
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest == "0" {
        return Ok(Duration::ZERO);
    }
    if rest.is_empty() {
        return Err(wrong());
    }
    let mut nanos: u64 = 0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| c != '.' && !c.is_ascii_digit()).ok_or_else(wrong)?;
        let (number, after) = rest.split_at(end);
        let (unit, after) = after.split_at(after.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(after.len()));
        let scale: u64 = match unit {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => return Err(wrong()),
        };
        let part = scaled(number, scale).ok_or_else(wrong)?;
        // Go's durations end here, at 292 years.
        nanos = nanos.checked_add(part).filter(|sum| i64::try_from(*sum).is_ok()).ok_or("too long")?;
        rest = after;
    }
    Ok(Duration::from_nanos(nanos))
}

/// `number`, with or without a fraction, times `scale`; digits below a nanosecond are cut off.
fn scaled(number: &str, scale: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
        return None;
    }
    let digits = |text: &str| if text.is_empty() { Some(0) } else { text.parse::<u64>().ok() };
    // Eighteen digits of fraction fit, and more than that is below any unit's nanosecond.
    let fraction = &fraction[..fraction.len().min(18)];
    let below = u128::from(digits(fraction)?) * u128::from(scale) / 10u128.pow(fraction.len() as u32);
    digits(whole)?.checked_mul(scale)?.checked_add(u64::try_from(below).ok()?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn gos_spellings_are_read() {
        let cases = [
            ("0", 0),
            ("10s", 10_000_000_000),
            ("1h30m", 5_400_000_000_000),
            ("1.5h", 5_400_000_000_000),
            (".5s", 500_000_000),
            ("1.s", 1_000_000_000),
            ("250ms", 250_000_000),
            ("3us", 3_000),
            ("3µs", 3_000),
            ("+2ns", 2),
            ("0.3333333333333333333h", 1_199_999_999_999),
        ];
        for (text, nanos) in cases {
            assert_eq!(parse(text), Ok(Duration::from_nanos(nanos)), "{text}");
        }
        for bad in ["", "+", "5", "s", ".s", "1d", "-1s", "1s ", "1..5s", "9999999h", "99999999999999999999s"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn sums_of_units_come_back(h in 0u64..1000, m in 0u64..60, s in 0u64..60, ns in 0u64..1_000_000_000) {
            let text = format!("{h}h{m}m{s}.{ns:09}s");
            prop_assert_eq!(parse(&text), Ok(Duration::new(h * 3600 + m * 60 + s, ns as u32)));
        }

        #[test]
        fn any_text_is_survived(text in ".*") {
            let _ = parse(&text);
        }
    }
}
