//! Protobuf as lenient as Go's decoder.
//!
//! Which observations survive decides the median and the list of observers, so a message is accepted here exactly
//! when Go accepts it. Go is laxer than most: a known field with the wrong wire type is an unknown field, numbers are
//! cut off rather than refused, varints and tags may be padded, and groups nested thousands deep are skipped.

/// What Go says of bytes that are not protobuf.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("proto: cannot parse invalid wire-format data")]
pub struct Malformed;

/// One field of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field<'a> {
    /// Wire type 0.
    Varint(u64),
    /// Wire type 2.
    Bytes(&'a [u8]),
    /// Any other wire type: fixed-size numbers and groups, which no message here has.
    Other,
}

/// Highest field number that Go's decoder takes at the top of a message.
const MAX_NUMBER: u64 = (1 << 29) - 1;
/// Highest field number within a group, which Go reads by other code.
const MAX_NUMBER_IN_GROUP: u64 = i32::MAX as u64;
/// How deep groups may be nested.
const MAX_DEPTH: usize = 10_001;

/// Calls `each` with every field of `message` in order, duplicates included: the last one wins by coming last.
pub fn fields<'a>(message: &'a [u8], mut each: impl FnMut(u64, Field<'a>)) -> Result<(), Malformed> {
    let mut rest = message;
    while !rest.is_empty() {
        let (number, wire_type) = tag(&mut rest, MAX_NUMBER)?;
        let field = match wire_type {
            0 => Field::Varint(varint(&mut rest)?),
            2 => Field::Bytes(length_delimited(&mut rest)?),
            3 => {
                skip_group(&mut rest, number)?;
                Field::Other
            }
            _ => {
                skip_fixed(&mut rest, wire_type)?;
                Field::Other
            }
        };
        each(number, field);
    }
    Ok(())
}

/// Skips to the end of the group `number`. A list instead of recursion: the depth is the sender's choice.
fn skip_group(rest: &mut &[u8], number: u64) -> Result<(), Malformed> {
    let mut open = vec![number];
    while let Some(&innermost) = open.last() {
        let (number, wire_type) = tag(rest, MAX_NUMBER_IN_GROUP)?;
        match wire_type {
            0 => drop(varint(rest)?),
            2 => drop(length_delimited(rest)?),
            3 if open.len() < MAX_DEPTH => open.push(number),
            4 if number == innermost => drop(open.pop()),
            _ => skip_fixed(rest, wire_type)?,
        }
    }
    Ok(())
}

fn tag(rest: &mut &[u8], max: u64) -> Result<(u64, u64), Malformed> {
    let tag = varint(rest)?;
    let number = tag >> 3;
    if (1..=max).contains(&number) { Ok((number, tag & 7)) } else { Err(Malformed) }
}

/// Up to ten bytes; of the tenth only the lowest bit has room.
fn varint(rest: &mut &[u8]) -> Result<u64, Malformed> {
    let mut value = 0;
    for position in 0..10 {
        let byte = *rest.get(position).ok_or(Malformed)?;
        if position == 9 && byte > 1 {
            return Err(Malformed);
        }
        value |= u64::from(byte & 0x7f) << (7 * position);
        if byte < 0x80 {
            *rest = &rest[position + 1..];
            return Ok(value);
        }
    }
    Err(Malformed)
}

fn length_delimited<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], Malformed> {
    let length = usize::try_from(varint(rest)?).map_err(|_| Malformed)?;
    let (bytes, after) = rest.split_at_checked(length).ok_or(Malformed)?;
    *rest = after;
    Ok(bytes)
}

fn skip_fixed(rest: &mut &[u8], wire_type: u64) -> Result<(), Malformed> {
    let length = match wire_type {
        1 => 8,
        5 => 4,
        _ => return Err(Malformed),
    };
    *rest = rest.get(length..).ok_or(Malformed)?;
    Ok(())
}

/// Appends a varint field, left out when zero.
pub fn put_varint(out: &mut Vec<u8>, number: u32, value: u64) {
    if value != 0 {
        push_varint(out, u64::from(number) << 3);
        push_varint(out, value);
    }
}

/// Appends a bytes field, left out when empty.
pub fn put_bytes(out: &mut Vec<u8>, number: u32, value: &[u8]) {
    if !value.is_empty() {
        push_varint(out, u64::from(number) << 3 | 2);
        push_varint(out, value.len() as u64);
        out.extend_from_slice(value);
    }
}

fn push_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
