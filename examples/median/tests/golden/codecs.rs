//! Bytes of reports and of values, and the rules of deviation.

use crate::golden::{big, bytes, check, digest, int, long, number, packed, section, time};
use crate::numerical::contract_reader::ContractReaderContract;
use crate::numerical::deviation::{self, Deviation, Pendle, RelativeChange};
use crate::numerical::evm_codec;
use crate::numerical::generic_codec::{self, GenericReportCodec};
use crate::numerical::ports::{MedianContract, ParsedAttributedObservation, ReportCodec, Time};
use crate::numerical::value;
use crate::ports::{FakeCodec, FakeReader, clock};
use serde_json::{Value, json};
use std::sync::Arc;

#[test]
fn values_are_encoded() {
    for case in section("value_encode", 53) {
        check(case, value::encode_present(number(&case["in"]).as_ref()).map(|bytes| packed(&bytes)));
    }
}

#[test]
fn values_are_decoded() {
    for case in section("value_decode", 35) {
        check(case, value::decode(&bytes(&case["in"])).map(|value| value.to_string().into()));
    }
}

#[test]
fn moves_are_exact() {
    for case in section("deviation", 472) {
        let moved = RelativeChange.deviates(long(&case[0]), &big_of(&case[1]), &big_of(&case[2]));
        assert_eq!(Ok(case[3].as_bool().unwrap()), moved, "{case}");
    }
}

#[test]
fn pendle_is_defined_by_json() {
    for case in section("pendle_new", 19) {
        let definition = serde_json::from_str(case["in"].as_str().unwrap()).unwrap();
        check(case, deviation::from_definition(&definition, clock(Time::ZERO)).map(|_| true.into()));
    }
}

#[test]
fn pendle_moves_are_as_in_floating_point() {
    let mut judged = 0;
    for case in section("pendle", 223) {
        let [now, expiry, multiplier, ppb, old, new] = fields(&case["in"]);
        let rule = Pendle::new(long(expiry), big_of(multiplier), clock(time(now)));
        // Go refuses a missing price; here the type does.
        let (Some(old), Some(new)) = (number(old), number(new)) else {
            assert_eq!(case["error"], "oldVal and newVal must be non-nil");
            continue;
        };
        check(case, rule.deviates(long(ppb), &old, &new).map(Value::from));
        judged += 1;
    }
    assert!(judged >= 220);
}

#[test]
fn evm_reports_are_built() {
    for case in section("evm_build", 63) {
        check(case, evm_codec::build(&observations(&case["in"])).map(|report| packed(&report)));
    }
}

#[test]
fn evm_reports_are_read() {
    for case in section("evm_median", 99) {
        check(case, evm_codec::median(&bytes(&case["in"])).map(|median| median.to_string().into()));
    }
}

#[test]
fn evm_reports_have_a_known_length() {
    for case in section("evm_max_report_length", 34) {
        assert_eq!(case["out"], evm_codec::max_report_length(int(&case["in"])));
    }
}

#[test]
fn generic_reports_are_structures() {
    for case in section("generic_build", 50) {
        let report = generic_codec::report(&observations(&case["in"])).map(|it| {
            let values: Vec<String> = it.observations.iter().map(ToString::to_string).collect();
            let observers = packed(&it.observers);
            let (juels, gas) = (it.juels_per_fee_coin.to_string(), it.gas_price_subunit.to_string());
            json!([it.timestamp, observers, values.join(" "), juels, gas])
        });
        check(case, report);
    }
}

#[tokio::test]
async fn generic_reports_are_read_through_the_codec() {
    for case in section("generic_median", 8) {
        let decoded = match case["in"].as_array() {
            Some(values) => Ok(values.iter().map(big_of).collect()),
            None => Err(case["in"]["err"].as_str().unwrap()),
        };
        let codec = GenericReportCodec::new(Arc::new(FakeCodec { decoded, max_size: 0 }));
        check(case, codec.median_from_report(b"report").await.map(|median| median.unwrap().to_string().into()));
    }
    for case in section("generic_max_report_length", 1) {
        let codec = FakeCodec { decoded: Ok(Vec::new()), max_size: int(&case["in"][1]) };
        let codec = GenericReportCodec::new(Arc::new(codec));
        check(case, codec.max_report_length(int(&case["in"][0])).await.map(Value::from));
    }
}

#[tokio::test]
async fn a_contract_reader_stands_in_for_the_contract() {
    for case in section("contract_reader", 24) {
        let [method, sets, error, not_found] = fields(&case["in"]);
        let reader = FakeReader {
            identifier: format!("0xabc-median-{}", method.as_str().unwrap()),
            sets,
            error: error.as_str(),
            not_found: not_found.as_bool().unwrap(),
        };
        let contract = ContractReaderContract::new("0xabc".to_owned(), Arc::new(reader));
        let names = ["own", "other", "zero"].map(Value::from);
        let name = |it| names.iter().find(|name| digest(name) == it).cloned().unwrap();
        let came = if method == "LatestRoundRequested" {
            let requested = contract.latest_round_requested(1).await;
            requested.map(|it| json!([name(it.config_digest), it.epoch, it.round]))
        } else {
            contract.latest_transmission_details().await.map(|it| {
                let at = it.latest_timestamp;
                let answer = it.latest_answer.unwrap().to_string();
                json!([name(it.config_digest), it.epoch, it.round, answer, [at.seconds, i64::from(at.nanos)]])
            })
        };
        check(case, came);
    }
}

fn big_of(value: &Value) -> num_bigint::BigInt {
    big(value.as_str().unwrap())
}

fn fields<const N: usize>(case: &Value) -> [&Value; N] {
    std::array::from_fn(|i| &case[i])
}

/// `timestamp value juels gas observer; ..`, where `-` is a number that is missing.
fn observations(text: &Value) -> Vec<ParsedAttributedObservation> {
    let rows = text.as_str().unwrap().split(';').filter(|row| !row.is_empty());
    rows.map(|row| {
        let fields: Vec<&str> = row.split(' ').collect();
        let number = |i: usize| (fields[i] != "-").then(|| big(fields[i]));
        ParsedAttributedObservation {
            timestamp: fields[0].parse().unwrap(),
            value: number(1),
            juels_per_fee_coin: number(2),
            gas_price_subunits: number(3),
            observer: fields[4].parse().unwrap(),
        }
    })
    .collect()
}
