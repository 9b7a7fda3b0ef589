//! Points in time and spans of it.

use std::time::{Duration, SystemTime};

use super::WireError;
use super::message::{LoopMessage, Many, Maybe, One, Value};
use super::read::{Bodies, Field, Fields, Packing};
use super::schema::{FieldType, Schema};
use super::write::{Writer, nested};

pub(super) const NANOS_PER_SECOND: i128 = 1_000_000_000;

/// The content that `google.protobuf.Timestamp` and `google.protobuf.Duration` share.
pub(super) struct Seconds {
    pub(super) seconds: i64,
    pub(super) nanos: i32,
}

impl Seconds {
    pub(super) fn put(&self, n: u32, out: &mut Writer) {
        nested(n, out, |out| {
            self.seconds.put(1, out);
            self.nanos.put(2, out);
        });
    }

    fn read(mut fields: Fields<'_>) -> Result<i128, WireError> {
        let (mut seconds, mut nanos) = (None, None);
        while let Some(field) = fields.next()? {
            match field.number() {
                1 => i64::add(&mut seconds, field)?,
                2 => i32::add(&mut nanos, field)?,
                _ => {}
            }
        }
        Ok(i128::from(seconds.unwrap_or_default()) * NANOS_PER_SECOND + i128::from(nanos.unwrap_or_default()))
    }

    /// Whole seconds rounded down from `total`, and the rest forward from there, as protobuf requires before 1970 too.
    fn of(total: i128) -> Self {
        let seconds = total.div_euclid(NANOS_PER_SECOND);
        let seconds = i64::try_from(seconds).unwrap_or(if seconds < 0 { i64::MIN } else { i64::MAX });
        Self { seconds, nanos: total.rem_euclid(NANOS_PER_SECOND) as i32 }
    }
}

/// `seconds` and `nanos` are summed as Go does, also where protobuf's rules about them are broken.
pub(super) fn total(slot: Bodies<'_>) -> Result<i128, WireError> {
    slot.fields()?.map_or_else(|| Err(WireError::missing()), Seconds::read)
}

/// `google.protobuf.Duration`. A negative one is refused, as std's type has none: [`SignedDuration`](super::SignedDuration)
/// takes it.
impl LoopMessage for Duration {
    type Owned = Self;

    fn put(&self, n: u32, out: &mut Writer) {
        self.put_always(n, out);
    }

    fn put_always(&self, n: u32, out: &mut Writer) {
        let seconds = i64::try_from(self.as_secs()).unwrap_or(i64::MAX);
        Seconds { seconds, nanos: self.subsec_nanos() as i32 }.put(n, out);
    }

    fn field_type(_: &mut Schema) -> FieldType {
        FieldType::Message("google.protobuf.Duration".into())
    }
}

impl Value for Duration {
    type Shape = One;
    type Listed = Many;
    type Slot<'a> = Bodies<'a>;
    const PACKING: Packing = Packing::Delimited;

    fn add<'a>(slot: &mut Bodies<'a>, field: Field<'a>) -> Result<(), WireError> {
        slot.add(&field)
    }

    fn done(slot: Bodies<'_>) -> Result<Self, WireError> {
        span(total(slot)?)
    }
}

fn span(nanos: i128) -> Result<Duration, WireError> {
    let (seconds, rest) = (nanos.div_euclid(NANOS_PER_SECOND), nanos.rem_euclid(NANOS_PER_SECOND));
    u64::try_from(seconds)
        .map(|seconds| Duration::new(seconds, rest as u32))
        .map_err(|_| WireError::refused(format!("{nanos} nanoseconds are negative, and do not fit `Duration`"), nanos))
}

/// `google.protobuf.Timestamp`, before 1970 too: Go's zero time, the first moment of year 1, crosses unchanged.
/// What the platform's `SystemTime` cannot hold is refused.
impl LoopMessage for SystemTime {
    type Owned = Self;

    fn put(&self, n: u32, out: &mut Writer) {
        self.put_always(n, out);
    }

    fn put_always(&self, n: u32, out: &mut Writer) {
        let nanos = |span: Duration| i128::try_from(span.as_nanos()).unwrap_or(i128::MAX);
        let since_1970 = match self.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => nanos(after),
            Err(before) => -nanos(before.duration()),
        };
        Seconds::of(since_1970).put(n, out);
    }

    fn field_type(_: &mut Schema) -> FieldType {
        FieldType::Message("google.protobuf.Timestamp".into())
    }
}

impl Value for SystemTime {
    type Shape = One;
    type Listed = Many;
    type Slot<'a> = Bodies<'a>;
    const PACKING: Packing = Packing::Delimited;

    fn add<'a>(slot: &mut Bodies<'a>, field: Field<'a>) -> Result<(), WireError> {
        slot.add(&field)
    }

    fn done(slot: Bodies<'_>) -> Result<Self, WireError> {
        let nanos = total(slot)?;
        let distance = span(nanos.abs())?;
        let time = if nanos < 0 {
            SystemTime::UNIX_EPOCH.checked_sub(distance)
        } else {
            SystemTime::UNIX_EPOCH.checked_add(distance)
        };
        time.ok_or_else(|| WireError::refused(format!("{nanos} nanoseconds from 1970 do not fit `SystemTime`"), nanos))
    }
}

/// A `Duration`, or an optional one, that is an `int64` of nanoseconds on the wire, like Go's `time.Duration`:
/// the meaning of `#[wire(N, nanos)]`.
///
/// A negative number is refused; a field in which one means something is an `i64` in Rust, or a
/// [`SignedDuration`](super::SignedDuration) where the contract has `google.protobuf.Duration`. More than 292 years are written
/// as the most that the wire can say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Nanos<T = Duration>(
    /// The span.
    pub T,
);

fn nanos(span: Duration) -> i64 {
    i64::try_from(span.as_nanos()).unwrap_or(i64::MAX)
}

impl LoopMessage for Nanos<Duration> {
    type Owned = Self;

    fn put(&self, n: u32, out: &mut Writer) {
        nanos(self.0).put(n, out);
    }

    fn put_always(&self, n: u32, out: &mut Writer) {
        nanos(self.0).put_always(n, out);
    }

    fn field_type(schema: &mut Schema) -> FieldType {
        i64::field_type(schema)
    }
}

impl Value for Nanos<Duration> {
    type Shape = One;
    type Listed = Many;
    type Slot<'a> = Option<i64>;
    const PACKING: Packing = Packing::Varint;

    fn add<'a>(slot: &mut Option<i64>, field: Field<'a>) -> Result<(), WireError> {
        i64::add(slot, field)
    }

    fn done(slot: Option<i64>) -> Result<Self, WireError> {
        span(i64::done(slot)?.into()).map(Self)
    }
}

impl LoopMessage for Nanos<Option<Duration>> {
    type Owned = Self;

    fn put(&self, n: u32, out: &mut Writer) {
        self.0.map(nanos).put(n, out);
    }

    fn put_always(&self, n: u32, out: &mut Writer) {
        self.put(n, out);
    }

    fn field_type(schema: &mut Schema) -> FieldType {
        Option::<i64>::field_type(schema)
    }
}

impl Value for Nanos<Option<Duration>> {
    type Shape = Maybe;
    type Listed = Many;
    type Slot<'a> = Option<i64>;
    const PACKING: Packing = Packing::Delimited;

    fn add<'a>(slot: &mut Option<i64>, field: Field<'a>) -> Result<(), WireError> {
        i64::add(slot, field)
    }

    fn done(slot: Option<i64>) -> Result<Self, WireError> {
        slot.map(|came| span(came.into())).transpose().map(Self)
    }
}
