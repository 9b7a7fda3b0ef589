//! Whole numbers of any size, as the wire has them: a sign and the bytes of the magnitude.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use loop_runtime::LoopMessage;

/// A whole number of any size.
///
/// It is made to cross the boundary, compare and print; to calculate, convert it: to `i128` where the range is known, or
/// through [`is_negative`](Self::is_negative) and [`magnitude`](Self::magnitude) to the big integer of your choice.
///
/// Numbers that came with leading zeros, or as minus zero, are kept as they came and equal those without.
///
/// ```
/// use loop_services::BigInt;
///
/// let price = BigInt::from(-1042);
/// assert_eq!((price.is_negative(), price.magnitude()), (true, [0x04, 0x12].as_slice()));
/// assert_eq!(price.to_string(), "-1042");
/// assert_eq!(i128::try_from(&price), Ok(-1042));
/// assert!(price < BigInt::from(u128::MAX));
/// ```
#[derive(Clone, Default, LoopMessage)]
#[message(package = "loop")]
pub struct BigInt {
    /// Whether the number is below zero.
    #[wire(1)]
    negative: bool,
    /// The magnitude, big-endian; empty for zero.
    #[wire(2, name = "value")]
    magnitude: Vec<u8>,
}

/// The number does not fit the type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfRange;

impl fmt::Display for OutOfRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the number is out of range")
    }
}

impl std::error::Error for OutOfRange {}

impl BigInt {
    /// The number with this magnitude, big-endian, below zero if `negative`.
    pub fn from_sign_magnitude(negative: bool, magnitude: impl Into<Vec<u8>>) -> Self {
        let mut magnitude = magnitude.into();
        let zeros = leading(&magnitude, 0);
        magnitude.drain(..zeros);
        Self { negative: negative && !magnitude.is_empty(), magnitude }
    }

    /// The number that `bytes` are in big-endian two's complement, of any length; zero for none.
    pub fn from_twos_complement(bytes: &[u8]) -> Self {
        if bytes.first().is_none_or(|first| *first < 0x80) {
            return Self::from_sign_magnitude(false, bytes);
        }
        let mut magnitude: Vec<u8> = bytes.iter().map(|byte| !byte).collect();
        // All ones inverted are all zeros: the carry always finds a place, except in -2^(8n-1), whose highest bit it is.
        for byte in magnitude.iter_mut().rev() {
            *byte = byte.wrapping_add(1);
            if *byte != 0 {
                break;
            }
        }
        Self::from_sign_magnitude(true, magnitude)
    }

    /// The shortest big-endian two's complement of the number; one zero byte for zero.
    pub fn to_twos_complement(&self) -> Vec<u8> {
        let mut bytes = vec![0];
        bytes.extend_from_slice(self.magnitude());
        if self.is_negative() {
            for byte in bytes.iter_mut().rev() {
                *byte = byte.wrapping_sub(1);
                if *byte != u8::MAX {
                    break;
                }
            }
            bytes.iter_mut().for_each(|byte| *byte = !*byte);
        }
        // A sign byte is superfluous if the next byte has the same sign.
        let sign = if self.is_negative() { u8::MAX } else { 0 };
        let repeated = leading(&bytes, sign).min(bytes.len() - 1);
        let needed = bytes.get(repeated).is_some_and(|byte| (byte ^ sign) & 0x80 != 0);
        bytes.drain(..repeated - usize::from(needed));
        bytes
    }

    /// Whether the number is below zero.
    pub fn is_negative(&self) -> bool {
        self.negative && !self.magnitude().is_empty()
    }

    /// The bytes of the magnitude, big-endian, without leading zeros; none for zero.
    pub fn magnitude(&self) -> &[u8] {
        self.magnitude.get(leading(&self.magnitude, 0)..).unwrap_or_default()
    }
}

/// How many bytes `of` there are at the beginning.
fn leading(bytes: &[u8], of: u8) -> usize {
    bytes.iter().take_while(|byte| **byte == of).count()
}

impl PartialEq for BigInt {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for BigInt {}

impl Hash for BigInt {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.is_negative(), self.magnitude()).hash(state);
    }
}

impl PartialOrd for BigInt {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for BigInt {
    fn cmp(&self, other: &Self) -> Ordering {
        let (mine, theirs) = (self.magnitude(), other.magnitude());
        let by_magnitude = || mine.len().cmp(&theirs.len()).then_with(|| mine.cmp(theirs));
        match (self.is_negative(), other.is_negative()) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => by_magnitude(),
            (true, true) => by_magnitude().reverse(),
        }
    }
}

impl From<i128> for BigInt {
    fn from(number: i128) -> Self {
        Self::from_sign_magnitude(number < 0, number.unsigned_abs().to_be_bytes())
    }
}

impl From<u128> for BigInt {
    fn from(number: u128) -> Self {
        Self::from_sign_magnitude(false, number.to_be_bytes())
    }
}

macro_rules! from_smaller {
    ($($ty:ty)*) => {$(
        impl From<$ty> for BigInt {
            fn from(number: $ty) -> Self {
                Self::from(i128::from(number))
            }
        }
    )*};
}

from_smaller! { i8 i16 i32 i64 u8 u16 u32 u64 }

impl TryFrom<&BigInt> for u128 {
    type Error = OutOfRange;

    fn try_from(number: &BigInt) -> Result<Self, OutOfRange> {
        if number.is_negative() { Err(OutOfRange) } else { absolute(number) }
    }
}

impl TryFrom<&BigInt> for i128 {
    type Error = OutOfRange;

    fn try_from(number: &BigInt) -> Result<Self, OutOfRange> {
        let absolute = absolute(number)?;
        let fits = if number.is_negative() { 0_i128.checked_sub_unsigned(absolute) } else { absolute.try_into().ok() };
        fits.ok_or(OutOfRange)
    }
}

fn absolute(number: &BigInt) -> Result<u128, OutOfRange> {
    let magnitude = number.magnitude();
    let mut bytes = [0; 16];
    let unused = bytes.len().checked_sub(magnitude.len()).ok_or(OutOfRange)?;
    bytes.iter_mut().skip(unused).zip(magnitude).for_each(|(byte, from)| *byte = *from);
    Ok(u128::from_be_bytes(bytes))
}

/// Decimal. The time grows with the square of the length: check the length of a number from elsewhere before you print it.
impl fmt::Display for BigInt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad_integral(!self.is_negative(), "", &decimal(self.magnitude()))
    }
}

/// Decimal up to 128 bits, hexadecimal beyond, so that it is cheap for every number.
impl fmt::Debug for BigInt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.magnitude().len() <= 16 {
            return fmt::Display::fmt(self, f);
        }
        f.write_str(if self.is_negative() { "-0x" } else { "0x" })?;
        self.magnitude().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The digits of a big-endian magnitude.
fn decimal(magnitude: &[u8]) -> String {
    /// The greatest power of ten below 2^64, and its zeros.
    const CHUNK: (u128, usize) = (10_000_000_000_000_000_000, 19);
    let mut words: Vec<u64> = magnitude
        .rchunks(8)
        .rev()
        .map(|word| word.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
        .collect();
    let mut chunks = Vec::new();
    while words.iter().any(|word| *word != 0) {
        let mut rest = 0;
        for word in &mut words {
            let dividend = rest << 64 | u128::from(*word);
            *word = (dividend / CHUNK.0) as u64;
            rest = dividend % CHUNK.0;
        }
        let zeros = words.iter().take_while(|word| **word == 0).count();
        words.drain(..zeros);
        chunks.push(rest);
    }
    let mut chunks = chunks.into_iter().rev();
    let mut digits = chunks.next().unwrap_or_default().to_string();
    for chunk in chunks {
        let _ = fmt::Write::write_fmt(&mut digits, format_args!("{chunk:0width$}", width = CHUNK.1));
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_numbers_survive_every_form() {
        for number in
            [0, 1, -1, 9, 10, 127, 128, 129, -127, -128, -129, 255, 256, -255, -256, -257, i128::MAX, i128::MIN]
        {
            let big = BigInt::from(number);
            assert_eq!(i128::try_from(&big), Ok(number));
            assert_eq!(big.to_string(), number.to_string());
            assert_eq!(format!("{big:?}"), number.to_string());
            assert_eq!(BigInt::from_twos_complement(&number.to_be_bytes()), big);
            let shortest = big.to_twos_complement();
            assert_eq!(BigInt::from_twos_complement(&shortest), big, "{number}");
            let bits = if number < 0 { 128 - number.leading_ones() } else { 128 - number.leading_zeros() };
            assert_eq!(shortest.len(), bits as usize / 8 + 1, "{number}");
        }
    }

    #[test]
    fn order_is_that_of_numbers() {
        let numbers = [i128::MIN, -256, -255, -1, 0, 1, 255, 256, i128::MAX];
        for left in numbers {
            for right in numbers {
                assert_eq!(BigInt::from(left).cmp(&BigInt::from(right)), left.cmp(&right), "{left} {right}");
            }
        }
        assert!(BigInt::from(u128::MAX) > BigInt::from(i128::MAX));
    }

    #[test]
    fn what_came_with_leading_zeros_equals_what_did_not() {
        let came = BigInt { negative: true, magnitude: vec![0, 0, 5] };
        assert_eq!(came, BigInt::from(-5));
        assert_eq!(came.magnitude(), [5]);
        let zero = BigInt { negative: true, magnitude: vec![0] };
        assert_eq!((zero.is_negative(), zero.to_string()), (false, "0".to_owned()));
        assert_eq!(zero, BigInt::default());
    }

    #[test]
    fn numbers_beyond_128_bits() {
        let two_to_192 = BigInt::from_sign_magnitude(false, [&[1_u8][..], &[0; 24]].concat());
        assert_eq!(two_to_192.to_string(), "6277101735386680763835789423207666416102355444464034512896");
        assert_eq!(i128::try_from(&two_to_192), Err(OutOfRange));
        assert_eq!(u128::try_from(&BigInt::from(-1)), Err(OutOfRange));
        assert_eq!(u128::try_from(&BigInt::from(u128::MAX)), Ok(u128::MAX));
        assert_eq!(i128::try_from(&BigInt::from(u128::MAX)), Err(OutOfRange));
        let lowest = BigInt::from_twos_complement(&[&[0x80_u8][..], &[0; 23]].concat());
        assert_eq!(lowest.to_string(), "-3138550867693340381917894711603833208051177722232017256448");
        assert_eq!(lowest.to_twos_complement().len(), 24);
        assert_eq!(format!("{two_to_192:?}"), format!("0x01{}", "00".repeat(24)));
    }
}
