//! Decimal numbers as people and exchanges write them, turned into integers without passing through floating point.

use num_bigint::BigInt;

/// Largest exponent that is accepted, of either sign: beyond it a number would only fill memory.
const EXPONENT_MAX: i64 = 100;

/// `text` times `10^decimals`, and whether digits were truncated (towards zero). None if it is no decimal number.
pub fn scaled(text: &str, decimals: u32) -> Option<(BigInt, bool)> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse().ok()?),
        None => (text, 0_i64),
    };
    let unsigned = mantissa.strip_prefix(['-', '+']).unwrap_or(mantissa);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let digits = || whole.bytes().chain(fraction.bytes());
    if whole.is_empty() && fraction.is_empty() || !digits().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    if !(-EXPONENT_MAX..=EXPONENT_MAX).contains(&exponent) {
        return None;
    }
    let shift = exponent + i64::from(decimals) - i64::try_from(fraction.len()).ok()?;
    let number = BigInt::parse_bytes(&digits().collect::<Vec<u8>>(), 10)?;
    let power = BigInt::from(10).pow(u32::try_from(shift.unsigned_abs()).ok()?);
    let (number, cut) = if shift < 0 {
        let whole = &number / &power;
        let cut = &whole * power != number;
        (whole, cut)
    } else {
        (number * power, false)
    };
    Some((if mantissa.starts_with('-') { -number } else { number }, cut))
}

/// The other way: `number / 10^decimals` in decimal notation, trailing zeros beyond two places left out.
pub fn text(number: &BigInt, decimals: u32) -> String {
    let digits = number.magnitude().to_string();
    let decimals = decimals as usize;
    let digits = format!("{digits:0>width$}", width = decimals + 1);
    let (whole, fraction) = digits.split_at(digits.len() - decimals);
    let kept = fraction.trim_end_matches('0').len().max(fraction.len().min(2));
    let sign = if number.sign() == num_bigint::Sign::Minus { "-" } else { "" };
    let point = if kept > 0 { "." } else { "" };
    format!("{sign}{whole}{point}{}", &fraction[..kept])
}
