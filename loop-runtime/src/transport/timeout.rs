//! The `grpc-timeout` header: how much time the caller gives the callee.

use std::time::Duration;

use http::{HeaderMap, HeaderValue};

pub(super) const GRPC_TIMEOUT: &str = "grpc-timeout";

const MOST_DIGITS: usize = 8;
const UNITS: [(u8, u128); 6] = [
    (b'n', 1),
    (b'u', 1_000),
    (b'm', 1_000_000),
    (b'S', 1_000_000_000),
    (b'M', 60_000_000_000),
    (b'H', 3_600_000_000_000),
];

/// The header's value for `timeout`: in the finest unit that needs at most 8 digits, rounded up, so that the callee
/// never gives up before the caller. Longer durations than 99,999,999 hours are clamped to that.
pub(super) fn format(timeout: Duration) -> HeaderValue {
    let nanos = timeout.as_nanos();
    for (unit, scale) in UNITS {
        let count = nanos.div_ceil(scale);
        if count < 10_u128.pow(MOST_DIGITS as u32) {
            let mut text = count.to_string().into_bytes();
            text.push(unit);
            if let Ok(value) = HeaderValue::from_maybe_shared(bytes::Bytes::from(text)) {
                return value;
            }
        }
    }
    HeaderValue::from_static("99999999H")
}

/// The timeout of a received request: `None` without the header.
///
/// # Errors
///
/// The offending text, if it is not 1 to 8 digits and one of the units `H M S m u n`.
pub(crate) fn received(headers: &HeaderMap) -> Result<Option<Duration>, String> {
    let Some(value) = headers.get(GRPC_TIMEOUT) else { return Ok(None) };
    parse(value.as_bytes()).map(Some).ok_or_else(|| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

fn parse(text: &[u8]) -> Option<Duration> {
    let (unit, digits) = text.split_last()?;
    if digits.is_empty() || digits.len() > MOST_DIGITS || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let count = digits.iter().fold(0_u64, |n, digit| n * 10 + u64::from(digit - b'0'));
    Some(match unit {
        b'n' => Duration::from_nanos(count),
        b'u' => Duration::from_micros(count),
        b'm' => Duration::from_millis(count),
        b'S' => Duration::from_secs(count),
        b'M' => Duration::from_secs(count * 60),
        b'H' => Duration::from_secs(count * 3600),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(timeout: Duration) -> String {
        format(timeout).to_str().unwrap().to_owned()
    }

    #[test]
    fn finest_unit_that_fits_rounded_up() {
        assert_eq!(text(Duration::ZERO), "0n");
        assert_eq!(text(Duration::from_nanos(99_999_999)), "99999999n");
        assert_eq!(text(Duration::from_nanos(100_000_000)), "100000u");
        assert_eq!(text(Duration::from_nanos(100_000_001)), "100001u");
        assert_eq!(text(Duration::from_secs(2)), "2000000u");
        assert_eq!(text(Duration::from_secs(100)), "100000m");
        assert_eq!(text(Duration::from_secs(100_000)), "100000S");
        assert_eq!(text(Duration::from_secs(100_000_000)), "1666667M");
        assert_eq!(text(Duration::MAX), "99999999H");
    }

    #[test]
    fn only_the_grammar_is_accepted() {
        for bad in ["", "1", "S", "123456789S", "-1S", "1s", "1 S", "1.5S", "+1S", "1SS", "１S", "0x1S"] {
            assert_eq!(parse(bad.as_bytes()), None, "{bad:?}");
        }
        assert_eq!(parse(b"1999981u"), Some(Duration::from_micros(1_999_981)), "as grpc-go sends it");
        assert_eq!(parse(b"99999999H"), Some(Duration::from_secs(99_999_999 * 3600)));
    }

    proptest! {
        #[test]
        fn round_trip_never_shortens(secs in 0..400_000_000_000_u64, nanos in 0..1_000_000_000_u32) {
            let sent = Duration::new(secs, nanos);
            let came = parse(format(sent).as_bytes());
            if secs < 99_999_999 * 3600 {
                let came = came.unwrap();
                prop_assert!(came >= sent);
                // eight digits mean an error of at most one in ten million, or one unit
                prop_assert!((came - sent).as_secs_f64() <= (sent.as_secs_f64() / 1e6).max(1e-9));
            } else {
                prop_assert_eq!(came, Some(Duration::from_secs(99_999_999 * 3600)));
            }
        }

        #[test]
        fn no_bytes_crash_it(text in proptest::collection::vec(any::<u8>(), 0..12)) {
            if let Some(parsed) = parse(&text) {
                prop_assert!(text.len() >= 2 && text.len() <= 9);
                prop_assert!(parsed <= Duration::from_secs(99_999_999 * 3600));
            }
        }
    }
}
