//! Stand-ins for all that the median asks, which answer as a case says and record what they were asked.

use crate::golden::{NOW, bytes, digest, int, number, time};
use crate::numerical::deviation::{Deviation, DeviationError, RelativeChange};
use crate::numerical::evm_codec::{self, EvmReportCodec};
use crate::numerical::factory::{NumericalMedianFactory, Sources};
use crate::numerical::onchain_config;
use crate::numerical::plugin::NumericalMedian;
use crate::numerical::ports::*;
use num_bigint::BigInt;
use serde_json::Value;
use std::sync::{Arc, Mutex};

pub(crate) fn clock(now: Time) -> Clock {
    Arc::new(move || now)
}

fn failure(message: &str) -> PortError {
    PortError { message: message.to_owned(), not_found: false }
}

/// What the contract answers now; a sequence of calls changes it.
#[derive(Clone, Default)]
pub(crate) struct State {
    /// `[digest, epoch, round, answer, timestamp]` or `{err}`.
    pub(crate) details: Value,
    /// `[digest, epoch, round]` or `{err}`.
    pub(crate) requested: Value,
    /// What the report codec finds in a report.
    pub(crate) median: Value,
}

/// One letter for each call, in the order of calls, and the arguments of the last judged move.
#[derive(Clone, Default)]
pub(crate) struct Log {
    pub(crate) calls: String,
    pub(crate) lookback: Option<i64>,
    pub(crate) built: Vec<u8>,
    pub(crate) judged: Option<[String; 3]>,
}

#[derive(Clone, Default)]
pub(crate) struct Shared {
    pub(crate) state: Arc<Mutex<State>>,
    pub(crate) log: Arc<Mutex<Log>>,
}

impl Shared {
    fn call(&self, letter: char) -> State {
        self.log.lock().unwrap().calls.push(letter);
        self.state.lock().unwrap().clone()
    }
}

#[derive(Clone, Default)]
pub(crate) struct FakeReportCodec {
    /// The EVM codec reads the reports.
    pub(crate) evm: bool,
    /// What is built: the EVM report if absent, `{err}`, or `{zero_bytes}`.
    pub(crate) build: Option<&'static Value>,
    /// The longest report: that of the EVM codec if absent, `{err}`, or a number.
    pub(crate) max_length: Option<&'static Value>,
}

/// Everything around one median.
#[derive(Clone, Default)]
pub(crate) struct Fakes {
    pub(crate) shared: Shared,
    pub(crate) codec: FakeReportCodec,
    pub(crate) onchain_error: Option<&'static str>,
    /// The default rule if absent, else `true`, `false` or `err`.
    pub(crate) deviation: Option<&'static str>,
}

impl Fakes {
    pub(crate) fn factory(&self) -> NumericalMedianFactory {
        let source = Arc::new(FakeSource { answer: Value::Null, asked: Arc::default() });
        let all = Arc::new(self.clone());
        NumericalMedianFactory {
            sources: Sources { value: source.clone(), juels_per_fee_coin: source.clone(), gas_price_subunits: source },
            include_gas_price: true,
            contract: all.clone(),
            onchain_config_codec: all.clone(),
            report_codec: all.clone(),
            deviation: all,
            clock: clock(NOW),
        }
    }

    /// A median of the recorded table of configs.
    pub(crate) async fn median(&self, config: &'static Value) -> NumericalMedian {
        let config = ReportingPluginConfig {
            config_digest: digest(&Value::Null),
            n: int(&config[2]),
            f: int(&config[3]),
            onchain_config: bytes(&config[1]),
            offchain_config: bytes(&config[0]),
        };
        self.factory().new_reporting_plugin(&config).await.expect("median").0
    }

    pub(crate) fn take_log(&self) -> Log {
        std::mem::take(&mut self.shared.log.lock().unwrap())
    }
}

impl MedianContract for Fakes {
    fn latest_transmission_details(&self) -> BoxFuture<'_, TransmissionDetails> {
        Box::pin(async {
            let it = self.shared.call('l').details;
            if let Some(error) = it["err"].as_str() {
                return Err(failure(error));
            }
            Ok(TransmissionDetails {
                config_digest: digest(&it[0]),
                epoch: int(&it[1]),
                round: int(&it[2]),
                latest_answer: number(&it[3]),
                latest_timestamp: if it[4].is_array() { time(&it[4]) } else { Time::ZERO },
            })
        })
    }

    fn latest_round_requested(&self, lookback: i64) -> BoxFuture<'_, RoundRequested> {
        Box::pin(async move {
            let it = self.shared.call('r').requested;
            self.shared.log.lock().unwrap().lookback = Some(lookback);
            match it["err"].as_str() {
                Some(error) => Err(failure(error)),
                None => Ok(RoundRequested { config_digest: digest(&it[0]), epoch: int(&it[1]), round: int(&it[2]) }),
            }
        })
    }
}

impl ReportCodec for Fakes {
    fn build_report<'a>(&'a self, observations: &'a [ParsedAttributedObservation]) -> BoxFuture<'a, Vec<u8>> {
        self.shared.log.lock().unwrap().built = observations.iter().map(|it| it.observer).collect();
        Box::pin(async move {
            let Some(build) = self.codec.build else { return EvmReportCodec.build_report(observations).await };
            match build["err"].as_str() {
                Some(error) => Err(failure(error)),
                None => Ok(vec![0; int(&build["zero_bytes"])]),
            }
        })
    }

    fn median_from_report<'a>(&'a self, report: &'a [u8]) -> BoxFuture<'a, Option<BigInt>> {
        Box::pin(async move {
            let median = self.shared.call('m').median;
            match median["err"].as_str() {
                _ if self.codec.evm => EvmReportCodec.median_from_report(report).await,
                Some(error) => Err(failure(error)),
                None => Ok(number(&median)),
            }
        })
    }

    fn max_report_length(&self, n: usize) -> BoxFuture<'_, usize> {
        Box::pin(async move {
            let Some(length) = self.codec.max_length else { return Ok(evm_codec::max_report_length(n)) };
            length["err"].as_str().map_or_else(|| Ok(int(length)), |error| Err(failure(error)))
        })
    }
}

impl OnchainConfigCodec for Fakes {
    fn decode<'a>(&'a self, bytes: &'a [u8]) -> BoxFuture<'a, OnchainConfig> {
        Box::pin(async move {
            match self.onchain_error {
                Some(error) => Err(failure(error)),
                None => onchain_config::decode(bytes).map_err(PortError::new),
            }
        })
    }
}

impl Deviation for Fakes {
    fn deviates(&self, threshold_ppb: u64, old: &BigInt, new: &BigInt) -> Result<bool, DeviationError> {
        let judged = [threshold_ppb.to_string(), old.to_string(), new.to_string()];
        match self.deviation {
            None => return RelativeChange.deviates(threshold_ppb, old, new),
            Some(_) => self.shared.log.lock().unwrap().judged = Some(judged),
        }
        match self.deviation {
            Some("err") => Err(DeviationError::Other("fake error".to_owned())),
            answer => Ok(answer == Some("true")),
        }
    }
}

/// Answers a number, null or `{err}`, and counts how often it was asked.
pub(crate) struct FakeSource {
    pub(crate) answer: Value,
    pub(crate) asked: Arc<Mutex<usize>>,
}

impl DataSource for FakeSource {
    fn observe(&self, _: ReportTimestamp) -> BoxFuture<'_, Option<BigInt>> {
        Box::pin(async {
            *self.asked.lock().unwrap() += 1;
            match self.answer["err"].as_str() {
                Some(error) => Err(failure(error)),
                None => Ok(number(&self.answer)),
            }
        })
    }
}

pub(crate) struct FakeCodec {
    pub(crate) decoded: Result<Vec<BigInt>, &'static str>,
    pub(crate) max_size: usize,
}

impl Codec for FakeCodec {
    fn encode<'a>(&'a self, _: &'a MedianReport, _: &'a str) -> BoxFuture<'a, Vec<u8>> {
        Box::pin(async { Err(failure("not asked here")) })
    }

    fn decode<'a>(&'a self, _: &'a [u8], item_type: &'a str) -> BoxFuture<'a, Vec<BigInt>> {
        assert_eq!(item_type, "MedianReport");
        Box::pin(async { self.decoded.clone().map_err(failure) })
    }

    fn max_decoding_size<'a>(&'a self, n: usize, item_type: &'a str) -> BoxFuture<'a, usize> {
        assert_eq!((n, item_type), (7, "MedianReport"));
        Box::pin(async { Ok(self.max_size) })
    }
}

/// Writes what a case says, and then perhaps fails.
pub(crate) struct FakeReader {
    pub(crate) identifier: String,
    pub(crate) sets: &'static Value,
    pub(crate) error: Option<&'static str>,
    pub(crate) not_found: bool,
}

impl ContractReader for FakeReader {
    fn get_latest_value<'a>(
        &'a self,
        identifier: &'a str,
        confidence: Confidence,
        state: &'a mut ContractState,
    ) -> BoxFuture<'a, ()> {
        assert_eq!((identifier, confidence), (self.identifier.as_str(), Confidence::Unconfirmed));
        for (name, value) in self.sets.as_object().unwrap() {
            match name.as_str() {
                "ConfigDigest" => state.config_digest = digest(value),
                "Epoch" => state.epoch = int(value),
                "Round" => state.round = int(value),
                "LatestAnswer" => state.latest_answer = number(value),
                "LatestTimestamp" => state.latest_timestamp = Some(time(value)),
                other => panic!("unknown field {other}"),
            }
        }
        Box::pin(async move {
            let failed = self.error.map(|message| PortError { message: message.into(), not_found: self.not_found });
            failed.map_or(Ok(()), Err)
        })
    }
}
