//! Spans of time in either direction.

use std::ops::Neg;
use std::time::Duration;

use super::WireError;
use super::message::{LoopMessage, Many, One, Value};
use super::read::{Bodies, Field, Packing};
use super::schema::{FieldType, Schema};
use super::time::{NANOS_PER_SECOND, Seconds, total};
use super::write::Writer;

/// The most that `google.protobuf.Duration` can say, in nanoseconds.
const MAX: i128 = i64::MAX as i128 * NANOS_PER_SECOND + (NANOS_PER_SECOND - 1);
const MIN: i128 = i64::MIN as i128 * NANOS_PER_SECOND - (NANOS_PER_SECOND - 1);

/// `google.protobuf.Duration` with its sign: for fields in which a span of time may be negative.
///
/// A [`Duration`] is written in the same form and refuses what is negative. This one takes all that the form can say: `i64`
/// seconds in either direction, and nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SignedDuration(i128);

impl SignedDuration {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// A span of `nanos` nanoseconds; what is beyond `i64` seconds is cut to the most, or least, that the wire can say.
    pub const fn from_nanos(nanos: i128) -> Self {
        Self(if nanos > MAX {
            MAX
        } else if nanos < MIN {
            MIN
        } else {
            nanos
        })
    }

    /// The span in nanoseconds.
    pub const fn as_nanos(self) -> i128 {
        self.0
    }

    /// Whether it is below zero.
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// The span without its sign.
    pub const fn unsigned_abs(self) -> Duration {
        let nanos = self.0.unsigned_abs();
        let per_second = NANOS_PER_SECOND.unsigned_abs();
        Duration::new((nanos / per_second) as u64, (nanos % per_second) as u32)
    }
}

/// More than `i64` seconds are cut to the most that the wire can say.
impl From<Duration> for SignedDuration {
    fn from(span: Duration) -> Self {
        Self::from_nanos(i128::try_from(span.as_nanos()).unwrap_or(i128::MAX))
    }
}

impl Neg for SignedDuration {
    type Output = Self;

    fn neg(self) -> Self {
        Self::from_nanos(-self.0)
    }
}

impl LoopMessage for SignedDuration {
    type Owned = Self;

    fn put(&self, n: u32, out: &mut Writer) {
        self.put_always(n, out);
    }

    // Both parts have the sign of the whole, as protobuf wants it; in a `Timestamp` the second part counts forward instead.
    fn put_always(&self, n: u32, out: &mut Writer) {
        Seconds { seconds: (self.0 / NANOS_PER_SECOND) as i64, nanos: (self.0 % NANOS_PER_SECOND) as i32 }.put(n, out);
    }

    fn field_type(_: &mut Schema) -> FieldType {
        FieldType::Message("google.protobuf.Duration".into())
    }
}

impl Value for SignedDuration {
    type Shape = One;
    type Listed = Many;
    type Slot<'a> = Bodies<'a>;
    const PACKING: Packing = Packing::Delimited;

    fn add<'a>(slot: &mut Bodies<'a>, field: Field<'a>) -> Result<(), WireError> {
        slot.add(&field)
    }

    fn done(slot: Bodies<'_>) -> Result<Self, WireError> {
        total(slot).map(Self::from_nanos)
    }
}
