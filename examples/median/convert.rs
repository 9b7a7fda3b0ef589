//! Between the LOOP services and the median's own ports: numbers, times, and handles.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use loop_runtime::{Code, Error};
use loop_services as services;
use num_bigint::Sign;

use crate::cbor;
use crate::numerical::ports::{self, BoxFuture, PortError};

pub(crate) fn to_wire(number: &num_bigint::BigInt) -> services::BigInt {
    let (sign, magnitude) = number.to_bytes_be();
    services::BigInt::from_sign_magnitude(sign == Sign::Minus, magnitude)
}

pub(crate) fn from_wire(number: &services::BigInt) -> num_bigint::BigInt {
    let sign = if number.is_negative() { Sign::Minus } else { Sign::Plus };
    num_bigint::BigInt::from_bytes_be(sign, number.magnitude())
}

fn option_from_wire(number: Option<&services::BigInt>) -> Option<num_bigint::BigInt> {
    number.map(from_wire)
}

pub(crate) fn time_from_wire(time: SystemTime) -> ports::Time {
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => ports::Time { seconds: since.as_secs().cast_signed(), nanos: since.subsec_nanos() },
        Err(before) => {
            let before = before.duration();
            let partial = u32::from(before.subsec_nanos() > 0);
            ports::Time {
                seconds: -before.as_secs().cast_signed() - i64::from(partial),
                nanos: partial * 1_000_000_000 - before.subsec_nanos() * partial,
            }
        }
    }
}

pub(crate) fn time_to_wire(seconds: i64) -> SystemTime {
    let distance = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 { SystemTime::UNIX_EPOCH - distance } else { SystemTime::UNIX_EPOCH + distance }
}

pub(crate) fn timestamp_from_wire(timestamp: services::ReportTimestamp) -> ports::ReportTimestamp {
    ports::ReportTimestamp {
        config_digest: ports::ConfigDigest(timestamp.config_digest.0),
        epoch: timestamp.epoch,
        round: timestamp.round,
    }
}

pub(crate) fn observation_to_wire(it: &ports::ParsedAttributedObservation) -> services::ParsedAttributedObservation {
    services::ParsedAttributedObservation {
        timestamp: it.timestamp,
        value: it.value.as_ref().map(to_wire),
        juels_per_fee_coin: it.juels_per_fee_coin.as_ref().map(to_wire),
        observer: it.observer,
        gas_price_subunits: it.gas_price_subunits.as_ref().map(to_wire),
    }
}

pub(crate) fn observation_from_wire(it: &services::ParsedAttributedObservation) -> ports::ParsedAttributedObservation {
    ports::ParsedAttributedObservation {
        timestamp: it.timestamp,
        value: option_from_wire(it.value.as_ref()),
        juels_per_fee_coin: option_from_wire(it.juels_per_fee_coin.as_ref()),
        observer: it.observer,
        gas_price_subunits: option_from_wire(it.gas_price_subunits.as_ref()),
    }
}

/// A service of the node, or of the relayer behind it, as one of the median's ports.
pub(crate) struct Port<S: ?Sized>(pub(crate) Arc<S>);

impl ports::DataSource for Port<dyn services::DataSource> {
    fn observe(&self, timestamp: ports::ReportTimestamp) -> BoxFuture<'_, Option<num_bigint::BigInt>> {
        let timestamp = services::ReportTimestamp {
            config_digest: services::ConfigDigest(timestamp.config_digest.0),
            epoch: timestamp.epoch,
            round: timestamp.round,
        };
        Box::pin(async move {
            use services::DataSource as _;
            let number = self.0.observe(timestamp).await.map_err(PortError::new)?;
            Ok(option_from_wire(number.as_ref()))
        })
    }
}

impl ports::MedianContract for Port<dyn services::MedianContract> {
    fn latest_transmission_details(&self) -> BoxFuture<'_, ports::TransmissionDetails> {
        Box::pin(async {
            use services::MedianContract as _;
            let details = self.0.latest_transmission_details().await.map_err(PortError::new)?;
            Ok(ports::TransmissionDetails {
                config_digest: ports::ConfigDigest(details.config_digest.0),
                epoch: details.epoch,
                round: details.round,
                latest_answer: option_from_wire(details.latest_answer.as_ref()),
                latest_timestamp: time_from_wire(details.latest_timestamp),
            })
        })
    }

    fn latest_round_requested(&self, lookback: i64) -> BoxFuture<'_, ports::RoundRequested> {
        Box::pin(async move {
            use services::MedianContract as _;
            let requested = self.0.latest_round_requested(lookback).await.map_err(PortError::new)?;
            Ok(ports::RoundRequested {
                config_digest: ports::ConfigDigest(requested.config_digest.0),
                epoch: requested.epoch,
                round: requested.round,
            })
        })
    }
}

impl ports::OnchainConfigCodec for Port<dyn services::OnchainConfigCodec> {
    fn decode<'a>(&'a self, bytes: &'a [u8]) -> BoxFuture<'a, ports::OnchainConfig> {
        Box::pin(async move {
            use services::OnchainConfigCodec as _;
            let config = self.0.decode(bytes).await.map_err(PortError::new)?;
            Ok(ports::OnchainConfig {
                min: option_from_wire(config.min.as_ref()),
                max: option_from_wire(config.max.as_ref()),
            })
        })
    }
}

impl ports::ReportCodec for Port<dyn services::ReportCodec> {
    fn build_report<'a>(&'a self, observations: &'a [ports::ParsedAttributedObservation]) -> BoxFuture<'a, Vec<u8>> {
        Box::pin(async move {
            use services::ReportCodec as _;
            let observations: Vec<_> = observations.iter().map(observation_to_wire).collect();
            self.0.build_report(&observations).await.map_err(PortError::new)
        })
    }

    fn median_from_report<'a>(&'a self, report: &'a [u8]) -> BoxFuture<'a, Option<num_bigint::BigInt>> {
        Box::pin(async move {
            use services::ReportCodec as _;
            let median = self.0.median_from_report(report).await.map_err(PortError::new)?;
            Ok(option_from_wire(median.as_ref()))
        })
    }

    fn max_report_length(&self, n: usize) -> BoxFuture<'_, usize> {
        Box::pin(async move {
            use services::ReportCodec as _;
            let n = n.try_into().map_err(PortError::new)?;
            let length = self.0.max_report_length(n).await.map_err(PortError::new)?;
            length.try_into().map_err(PortError::new)
        })
    }
}

impl ports::ContractReader for Port<dyn services::ContractReader> {
    fn get_latest_value<'a>(
        &'a self,
        identifier: &'a str,
        confidence: ports::Confidence,
        state: &'a mut ports::ContractState,
    ) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            use services::ContractReader as _;
            let ports::Confidence::Unconfirmed = confidence;
            let nothing = services::VersionedBytes::cbor(cbor::NULL);
            let unconfirmed = services::query::Confidence::Unconfirmed;
            let value = self.0.get_latest_value(identifier, unconfirmed, &nothing, false).await;
            let value = value.map_err(|error| not_found_or_other(&error))?;
            cbor::read_contract_state(in_cbor(&value)?, state).map_err(PortError::new)
        })
    }
}

impl ports::Codec for Port<dyn services::Codec> {
    fn encode<'a>(&'a self, report: &'a ports::MedianReport, item_type: &'a str) -> BoxFuture<'a, Vec<u8>> {
        Box::pin(async move {
            use services::Codec as _;
            let report = services::VersionedBytes::cbor(cbor::write_report(report).map_err(PortError::new)?);
            self.0.get_encoding(&report, item_type).await.map_err(PortError::new)
        })
    }

    fn decode<'a>(&'a self, report: &'a [u8], item_type: &'a str) -> BoxFuture<'a, Vec<num_bigint::BigInt>> {
        Box::pin(async move {
            use services::Codec as _;
            let cbor = services::VersionedBytes::CBOR;
            let report = self.0.get_decoding(report, item_type, cbor).await.map_err(PortError::new)?;
            cbor::read_observations(in_cbor(&report)?).map_err(PortError::new)
        })
    }

    fn max_decoding_size<'a>(&'a self, n: usize, item_type: &'a str) -> BoxFuture<'a, usize> {
        Box::pin(async move {
            use services::Codec as _;
            let n = n.try_into().map_err(PortError::new)?;
            let size = self.0.get_max_size(n, item_type, false).await.map_err(PortError::new)?;
            size.try_into().map_err(PortError::new)
        })
    }
}

fn not_found_or_other(error: &Error) -> PortError {
    PortError { message: error.to_string(), not_found: error.code() == Code::NotFound }
}

/// Peers reply in the encoding of the request.
fn in_cbor(value: &services::VersionedBytes) -> Result<&[u8], PortError> {
    match value.version {
        services::VersionedBytes::CBOR => Ok(&value.data),
        other => Err(PortError::new(format_args!("unsupported encoding version {other}"))),
    }
}
