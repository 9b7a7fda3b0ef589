//! The values that a general reader and a configured codec give and take, in CBOR as LOOP's code in Go writes it: its core
//! deterministic form, with structures as maps by the names of their fields.

use std::convert::Infallible;

use minicbor::data::{IanaTag, Int, Type};
use minicbor::{Decoder, Encoder, decode, encode};
use num_bigint::{BigInt, Sign};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::numerical::ports::{ConfigDigest, ContractState, MedianReport, Time};

/// No value, which stands for the parameters of a read that has none.
pub(crate) const NULL: [u8; 1] = [0xf6];

/// The report as codecs take it. Short names come first, as the deterministic form has it.
pub(crate) fn write_report(report: &MedianReport) -> Result<Vec<u8>, encode::Error<Infallible>> {
    let mut to = Encoder::new(Vec::new());
    to.map(5)?.str("Observers")?.bytes(&report.observers)?;
    to.str("Timestamp")?.u32(report.timestamp)?;
    to.str("Observations")?.array(report.observations.len() as u64)?;
    for observation in &report.observations {
        write_number(observation, &mut to)?;
    }
    write_number(&report.gas_price_subunit, to.str("GasPriceSubunit")?)?;
    write_number(&report.juels_per_fee_coin, to.str("JuelsPerFeeCoin")?)?;
    Ok(to.into_writer())
}

/// The observations of a report, in its order.
pub(crate) fn read_observations(report: &[u8]) -> Result<Vec<BigInt>, decode::Error> {
    let mut observations = Vec::new();
    fields(report, |name, from| {
        if !name.eq_ignore_ascii_case("Observations") {
            return from.skip();
        }
        let mut left = from.array()?;
        while another(&mut left, from)? {
            observations.push(read_number(from)?);
        }
        Ok(())
    })?;
    Ok(observations)
}

/// Reads into `state` what a reader tells of the contract, and leaves the rest as it is.
pub(crate) fn read_contract_state(value: &[u8], state: &mut ContractState) -> Result<(), decode::Error> {
    fields(value, |name, from| {
        match name.to_ascii_lowercase().as_str() {
            "configdigest" => {
                let digest = from.bytes()?.try_into();
                // Go pads what is short and truncates what is long.
                state.config_digest =
                    ConfigDigest(digest.map_err(|_| decode::Error::message("a digest has 32 bytes"))?);
            }
            "epoch" => state.epoch = from.u32()?,
            "round" => state.round = from.u8()?,
            "latestanswer" => state.latest_answer = Some(read_number(from)?),
            "latesttimestamp" => state.latest_timestamp = Some(read_time(from)?),
            _ => from.skip()?,
        }
        Ok(())
    })
}

/// Calls `field` for each field of a structure that has a value.
fn fields<'b>(
    structure: &'b [u8],
    mut field: impl FnMut(&'b str, &mut Decoder<'b>) -> Result<(), decode::Error>,
) -> Result<(), decode::Error> {
    let from = &mut Decoder::new(structure);
    if absent(from)? {
        return Ok(());
    }
    let mut left = from.map()?;
    while another(&mut left, from)? {
        let name = from.str()?;
        if !absent(from)? {
            field(name, from)?;
        }
    }
    Ok(())
}

/// Whether a list or a map goes on; one without a length ends with a mark.
fn another(left: &mut Option<u64>, from: &mut Decoder<'_>) -> Result<bool, decode::Error> {
    match left {
        Some(0) => Ok(false),
        Some(left) => {
            *left -= 1;
            Ok(true)
        }
        None if from.datatype()? == Type::Break => from.skip().map(|()| false),
        None => Ok(true),
    }
}

fn absent(from: &mut Decoder<'_>) -> Result<bool, decode::Error> {
    let absent = matches!(from.datatype()?, Type::Null | Type::Undefined);
    if absent {
        from.skip()?;
    }
    Ok(absent)
}

fn write_number(number: &BigInt, to: &mut Encoder<Vec<u8>>) -> Result<(), encode::Error<Infallible>> {
    let short = i128::try_from(number).ok().and_then(|number| Int::try_from(number).ok());
    match (short, number.sign()) {
        (Some(short), _) => to.int(short)?.ok(),
        (None, Sign::Minus) => to.tag(IanaTag::NegBignum)?.bytes(&(-number - 1_u8).to_bytes_be().1)?.ok(),
        (None, _) => to.tag(IanaTag::PosBignum)?.bytes(&number.to_bytes_be().1)?.ok(),
    }
}

fn read_number(from: &mut Decoder<'_>) -> Result<BigInt, decode::Error> {
    if from.datatype()? != Type::Tag {
        return Ok(i128::from(from.int()?).into());
    }
    match from.tag()?.try_into() {
        Ok(IanaTag::PosBignum) => Ok(BigInt::from_bytes_be(Sign::Plus, from.bytes()?)),
        Ok(IanaTag::NegBignum) => Ok(-BigInt::from_bytes_be(Sign::Plus, from.bytes()?) - 1_u8),
        _ => Err(decode::Error::message("a number is expected")),
    }
}

/// Text as Go writes it, or seconds since 1970, which a contract's own structure may have.
fn read_time(from: &mut Decoder<'_>) -> Result<Time, decode::Error> {
    if from.datatype()? == Type::Tag {
        from.tag()?;
    }
    if from.datatype()? != Type::String {
        return Ok(Time { seconds: from.i64()?, nanos: 0 });
    }
    let time = OffsetDateTime::parse(from.str()?, &Rfc3339).map_err(decode::Error::custom)?;
    Ok(Time { seconds: time.unix_timestamp(), nanos: time.nanosecond() })
}
