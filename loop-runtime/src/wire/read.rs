//! From bytes to fields: tags, varints, lengths, groups to skip. Nothing is copied here.

use bytes::Bytes;

use super::WireError;
use super::write::{DEPTH, WireType, push_varint};

/// The body that a slice is from, and how much deeper it may nest.
#[derive(Clone, Copy)]
struct Origin<'a> {
    whole: &'a Bytes,
    depth: u32,
}

/// One field of a message, as received.
#[derive(Clone, Copy)]
pub struct Field<'a> {
    number: u32,
    payload: Payload<'a>,
    origin: Origin<'a>,
}

#[derive(Clone, Copy)]
enum Payload<'a> {
    Varint(u64),
    Fixed64(u64),
    Fixed32(u32),
    Bytes(&'a [u8]),
    /// Long out of use and never a field of ours: its content and its end, all of which was skipped.
    Group(&'a [u8]),
}

/// How a value appears among the elements of a packed list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// As a varint.
    Varint,
    /// As four bytes.
    Fixed32,
    /// As eight bytes.
    Fixed64,
    /// Never packed: the value is length-delimited.
    Delimited,
}

/// The low three bits of the key that begins a group.
const GROUP: u32 = 3;

const NESTED: &str = "nested deeper than 100 levels";

const WRONG_TYPE: &str = "the wire type is not that of the field";

impl<'a> Field<'a> {
    /// The number of the field.
    #[inline]
    pub fn number(&self) -> u32 {
        self.number
    }

    #[inline]
    pub(super) fn varint(&self) -> Result<u64, WireError> {
        match self.payload {
            Payload::Varint(value) => Ok(value),
            _ => Err(WireError::malformed(WRONG_TYPE)),
        }
    }

    #[inline]
    pub(super) fn fixed32(&self) -> Result<u32, WireError> {
        match self.payload {
            Payload::Fixed32(value) => Ok(value),
            _ => Err(WireError::malformed(WRONG_TYPE)),
        }
    }

    #[inline]
    pub(super) fn fixed64(&self) -> Result<u64, WireError> {
        match self.payload {
            Payload::Fixed64(value) => Ok(value),
            _ => Err(WireError::malformed(WRONG_TYPE)),
        }
    }

    #[inline]
    pub(super) fn bytes(&self) -> Result<&'a [u8], WireError> {
        match self.payload {
            Payload::Bytes(bytes) => Ok(bytes),
            _ => Err(WireError::malformed(WRONG_TYPE)),
        }
    }

    /// The bytes as a slice that shares the received body, without a copy.
    pub(super) fn shared(&self) -> Result<Bytes, WireError> {
        self.bytes().map(|bytes| self.origin.whole.slice_ref(bytes))
    }

    /// Whether `later` replaces this occurrence of the same number: both are fixed or both are varints.
    pub(super) fn outdone_by(&self, later: &Self) -> bool {
        use Payload::{Fixed32, Fixed64, Varint};
        matches!(
            (self.payload, later.payload),
            (Varint(_), Varint(_)) | (Fixed64(_), Fixed64(_)) | (Fixed32(_), Fixed32(_))
        )
    }

    /// The elements of a packed list; `None` if this field is one element by itself.
    #[inline]
    pub(super) fn packed(&self, packing: Packing) -> Option<Packed<'a>> {
        match self.payload {
            Payload::Bytes(rest) if packing != Packing::Delimited => Some(Packed { rest, packing, field: *self }),
            _ => None,
        }
    }

    /// The fields of the one message that this field is.
    #[inline]
    pub(super) fn nested(&self) -> Result<Fields<'a>, WireError> {
        Fields::within(self.origin, self.bytes()?, Vec::new())
    }

    /// Writes the field again, key and content.
    pub(super) fn copy_to(&self, out: &mut Vec<u8>) {
        let key = |wire_type: u32| u64::from(self.number << 3 | wire_type);
        match self.payload {
            Payload::Varint(value) => {
                push_varint(key(WireType::Varint as u32), out);
                push_varint(value, out);
            }
            Payload::Fixed64(value) => {
                push_varint(key(WireType::Fixed64 as u32), out);
                out.extend_from_slice(&value.to_le_bytes());
            }
            Payload::Fixed32(value) => {
                push_varint(key(WireType::Fixed32 as u32), out);
                out.extend_from_slice(&value.to_le_bytes());
            }
            Payload::Bytes(bytes) => {
                push_varint(key(WireType::Delimited as u32), out);
                push_varint(bytes.len() as u64, out);
                out.extend_from_slice(bytes);
            }
            Payload::Group(content) => {
                push_varint(key(GROUP), out);
                out.extend_from_slice(content);
            }
        }
    }

    /// This field with empty content in its place, for what an entry of a map leaves out.
    pub(super) fn emptied(&self) -> Self {
        Self { payload: Payload::Bytes(&[]), ..*self }
    }
}

/// The elements of one packed list.
pub(super) struct Packed<'a> {
    rest: &'a [u8],
    packing: Packing,
    field: Field<'a>,
}

impl<'a> Packed<'a> {
    /// How many elements there are at most; exact unless the bytes are malformed.
    pub(super) fn count(&self) -> usize {
        match self.packing {
            Packing::Varint => self.rest.iter().filter(|byte| **byte < 0x80).count(),
            Packing::Fixed32 => self.rest.len() / 4,
            Packing::Fixed64 => self.rest.len() / 8,
            Packing::Delimited => 0,
        }
    }

    #[inline]
    pub(super) fn next(&mut self) -> Result<Option<Field<'a>>, WireError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let payload = match self.packing {
            Packing::Varint => Payload::Varint(varint(&mut self.rest)?),
            Packing::Fixed32 => Payload::Fixed32(fixed32(&mut self.rest)?),
            Packing::Fixed64 => Payload::Fixed64(fixed64(&mut self.rest)?),
            Packing::Delimited => return Ok(None),
        };
        Ok(Some(Field { payload, ..self.field }))
    }
}

/// The fields of a message, in the order received.
pub struct Fields<'a> {
    rest: &'a [u8],
    /// Further copies of the same message, to be merged with the first.
    more: std::vec::IntoIter<&'a [u8]>,
    origin: Origin<'a>,
}

impl<'a> Fields<'a> {
    /// The fields of the outermost message.
    pub fn of(body: &'a Bytes) -> Self {
        Self { rest: body, more: Vec::new().into_iter(), origin: Origin { whole: body, depth: DEPTH } }
    }

    /// The fields one level deeper than `origin`: of a message that occurs once, or of all its copies.
    #[inline]
    fn within(origin: Origin<'a>, rest: &'a [u8], more: Vec<&'a [u8]>) -> Result<Self, WireError> {
        let depth = origin.depth.checked_sub(1).ok_or_else(too_deep)?;
        Ok(Fields { rest, more: more.into_iter(), origin: Origin { depth, ..origin } })
    }

    /// The next field; `None` at the end.
    #[inline]
    #[allow(clippy::should_implement_trait)] // `?` on a result of options reads better in the loops than the reverse
    pub fn next(&mut self) -> Result<Option<Field<'a>>, WireError> {
        while self.rest.is_empty() {
            match self.more.next() {
                Some(body) => self.rest = body,
                None => return Ok(None),
            }
        }
        let (number, wire_type) = key(&mut self.rest)?;
        let payload = match wire_type {
            0 => Payload::Varint(varint(&mut self.rest)?),
            1 => Payload::Fixed64(fixed64(&mut self.rest)?),
            2 => Payload::Bytes(delimited(&mut self.rest)?),
            3 => {
                let content = self.rest;
                skip_group(&mut self.rest, number, self.origin.depth)?;
                Payload::Group(&content[..content.len() - self.rest.len()])
            }
            5 => Payload::Fixed32(fixed32(&mut self.rest)?),
            _ => return Err(not_a_field(wire_type)),
        };
        Ok(Some(Field { number, payload, origin: self.origin }))
    }
}

/// The copies of one nested message so far. They are read together at the end, since protobuf merges them.
#[derive(Default)]
pub struct Bodies<'a>(Copies<'a>);

#[derive(Default)]
enum Copies<'a> {
    #[default]
    None,
    One(Origin<'a>, &'a [u8]),
    Several(Origin<'a>, Vec<&'a [u8]>),
}

impl<'a> Bodies<'a> {
    /// Adds a copy.
    #[inline]
    pub fn add(&mut self, field: &Field<'a>) -> Result<(), WireError> {
        let body = field.bytes()?;
        self.0 = match std::mem::take(&mut self.0) {
            Copies::None => Copies::One(field.origin, body),
            Copies::One(origin, first) => Copies::Several(origin, vec![first, body]),
            Copies::Several(origin, mut bodies) => {
                bodies.push(body);
                Copies::Several(origin, bodies)
            }
        };
        Ok(())
    }

    /// The fields of all copies, one level deeper; `None` if the message is missing.
    #[inline]
    pub fn fields(self) -> Result<Option<Fields<'a>>, WireError> {
        match self.0 {
            Copies::None => Ok(None),
            Copies::One(origin, body) => Fields::within(origin, body, Vec::new()).map(Some),
            Copies::Several(origin, bodies) => Fields::within(origin, &[], bodies).map(Some),
        }
    }
}

#[cold]
fn too_deep() -> WireError {
    WireError::malformed(NESTED)
}

#[cold]
fn truncated() -> WireError {
    WireError::malformed("the bytes end within a field")
}

#[cold]
fn not_a_field(wire_type: u8) -> WireError {
    WireError::malformed(if wire_type == 4 { "the end of a group that did not begin" } else { "unknown wire type" })
}

#[inline]
fn key(rest: &mut &[u8]) -> Result<(u32, u8), WireError> {
    match rest {
        // A number below 16, and not 0.
        [byte @ 0x08..0x80, tail @ ..] => {
            *rest = tail;
            Ok((u32::from(*byte >> 3), *byte & 7))
        }
        // Below 2048.
        [first @ 0x80..=0xff, second @ 1..0x80, tail @ ..] => {
            *rest = tail;
            let key = u32::from(*first & 0x7f) | u32::from(*second) << 7;
            Ok((key >> 3, (key & 7) as u8))
        }
        _ => long_key(rest),
    }
}

#[cold]
fn long_key(rest: &mut &[u8]) -> Result<(u32, u8), WireError> {
    let key = varint(rest)?;
    let number = u32::try_from(key >> 3).unwrap_or(u32::MAX);
    if number == 0 || number >= 1 << 29 {
        return Err(WireError::malformed("a field number out of range"));
    }
    Ok((number, (key & 7) as u8))
}

#[inline]
fn varint(rest: &mut &[u8]) -> Result<u64, WireError> {
    match rest {
        [byte @ 0..0x80, tail @ ..] => {
            *rest = tail;
            Ok(u64::from(*byte))
        }
        _ => long_varint(rest),
    }
}

fn long_varint(rest: &mut &[u8]) -> Result<u64, WireError> {
    match rest.first_chunk::<10>() {
        // A known length, so that the loop is unrolled and no index is checked.
        Some(bytes) => varint_of(bytes, rest),
        None => varint_of(rest, rest),
    }
}

#[inline(always)]
fn varint_of(bytes: &[u8], rest: &mut &[u8]) -> Result<u64, WireError> {
    let mut value = 0;
    for (index, byte) in bytes.iter().enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if *byte < 0x80 {
            // The tenth byte holds the sixty-fourth bit and no more.
            if index == 9 && *byte > 1 {
                break;
            }
            *rest = rest.get(index + 1..).unwrap_or_default();
            return Ok(value);
        }
    }
    Err(if bytes.len() < 10 { truncated() } else { WireError::malformed("a varint of more than 64 bits") })
}

#[inline]
fn fixed32(rest: &mut &[u8]) -> Result<u32, WireError> {
    let (bytes, tail) = rest.split_first_chunk().ok_or_else(truncated)?;
    *rest = tail;
    Ok(u32::from_le_bytes(*bytes))
}

#[inline]
fn fixed64(rest: &mut &[u8]) -> Result<u64, WireError> {
    let (bytes, tail) = rest.split_first_chunk().ok_or_else(truncated)?;
    *rest = tail;
    Ok(u64::from_le_bytes(*bytes))
}

#[inline]
fn delimited<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], WireError> {
    let length = varint(rest)?;
    let (bytes, tail) =
        usize::try_from(length).ok().and_then(|length| rest.split_at_checked(length)).ok_or_else(truncated)?;
    *rest = tail;
    Ok(bytes)
}

fn skip_group(rest: &mut &[u8], number: u32, depth: u32) -> Result<(), WireError> {
    let depth = depth.checked_sub(1).ok_or_else(too_deep)?;
    loop {
        let (inner, wire_type) = key(rest)?;
        match wire_type {
            0 => drop(varint(rest)?),
            1 => drop(fixed64(rest)?),
            2 => drop(delimited(rest)?),
            3 => skip_group(rest, inner, depth)?,
            4 if inner == number => return Ok(()),
            5 => drop(fixed32(rest)?),
            _ => return Err(not_a_field(wire_type)),
        }
    }
}
