//! Whole rounds: from observations to a report. What a case leaves out: the contract has no transmission (`ltd`),
//! nobody asked for a round (`lrr`), no observation is dropped, and the contract is asked for both.

use crate::golden::{NOW, big, bytes, digest, int, packed, reports, section};
use crate::numerical::generic_codec;
use crate::numerical::observation::{self, Observation};
use crate::numerical::plugin::MedianError;
use crate::numerical::ports::{ReportTimestamp, Time};
use crate::numerical::report::{Reason, Round};
use crate::numerical::{evm_codec, value};
use crate::ports::{FakeReportCodec, Fakes};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

#[tokio::test]
async fn rounds_are_decided_and_reported_as_in_go() {
    let configs = section("configs", 236);
    let mut counts = BTreeMap::new();
    for (family, case) in reports() {
        let config = &configs[int::<usize>(&case["cfg"])];
        // The type of `f` has no negative numbers; Go's has.
        if config[3] == -1 {
            assert_eq!(case["error"], "cannot handle empty attributed observations");
            continue;
        }
        round(case, config).await;
        *counts.entry(family).or_insert(0) += 1;
    }
    println!("{counts:?}");
    assert!(counts.values().sum::<usize>() >= 900, "{counts:?}");
    assert_eq!(counts.len(), 15, "{counts:?}");
}

async fn round(case: &'static Value, config: &'static Value) {
    let fakes = Fakes {
        codec: FakeReportCodec {
            evm: true,
            build: case.get("codec_build"),
            max_length: case.get("codec_max_report_length"),
        },
        deviation: case["deviation_func"].as_str(),
        ..Default::default()
    };
    {
        let mut state = fakes.shared.state.lock().unwrap();
        let nothing_yet = || json!(["own", 0, 0, "0", [1_699_999_940, 0]]);
        state.details = case.get("ltd").cloned().unwrap_or_else(nothing_yet);
        state.requested = case.get("lrr").cloned().unwrap_or_else(|| json!(["zero", 0, 0]));
    }
    let median = fakes.median(config).await;
    let timestamp = ReportTimestamp {
        config_digest: digest(&case["digest"]),
        epoch: int(&case["at"][0]),
        round: int(&case["at"][1]),
    };
    let query = case.get("query").map(bytes).unwrap_or_default();
    let observations = observations(&case["obs"]);
    let came = median.report(timestamp, &query, &observations).await;

    let log = fakes.take_log();
    let mut calls: Vec<char> = log.calls.chars().collect();
    calls.sort_unstable();
    let expected_calls = case["contract_calls"].as_str().unwrap_or("lr");
    assert_eq!(calls.iter().collect::<String>(), expected_calls, "{case}");
    if expected_calls.contains('r') {
        assert_eq!(log.lookback, Some(median.offchain.delta_c), "{case}");
    }
    assert_eq!(json!(log.judged), case["deviation_args"], "{case}");
    match came {
        Ok(it) => reported(case, &it, &log.built, &observations),
        Err(error) => failed(case, &error),
    }
}

fn failed(case: &Value, error: &MedianError) {
    if case.get("panic").is_none() {
        assert_eq!(case["error"], error.to_string(), "{case}");
    }
}

fn reported(case: &Value, came: &Round, built: &[u8], observations: &[(u8, Vec<u8>)]) {
    assert!(case.get("error").is_none() && case.get("panic").is_none(), "{case}");
    let reason = match came.reason {
        Reason::InitialRound => "initial_round",
        Reason::Deviation => "deviation",
        Reason::Stale => "delta_c",
        Reason::Requested => "requested",
        Reason::Unchanged => "no",
        Reason::OutOfRange => "out_of_range",
    };
    assert_eq!(case["reason"], reason, "{case}");
    assert_eq!(case["dropped"].as_u64().unwrap_or(0), came.dropped as u64, "{case}");
    let Some(report) = &came.report else { return assert!(case.get("order").is_none(), "{case}") };
    assert_eq!(hex(built), case["order"], "{case}");
    assert_eq!(case["len"], report.len(), "{case}");
    if case.get("sha").is_none() {
        return;
    }
    assert_eq!(case["sha"], hex(&Sha256::digest(report)[..8]), "{case}");

    // The parts of the report: superfluous where the whole agrees, and telling where it does not.
    let evm = case.get("evm").unwrap_or(&case["order"]);
    assert_eq!(*evm, hex(&report[32..32 + built.len()]), "{case}");
    assert_eq!(case["med"][3], came.answer.to_string(), "{case}");
    assert_eq!(evm_codec::median(report).unwrap(), came.answer, "{case}");

    let parsed = |order: &u8| {
        let mine = observations.iter().filter(|(observer, _)| observer == order);
        mine.filter_map(|(observer, bytes)| observation::parse(*observer, bytes).ok()).next().unwrap()
    };
    // An observer twice in a round is refused by the protocol before it comes here; the recordings have it.
    let distinct: std::collections::BTreeSet<_> = built.iter().collect();
    if distinct.len() == built.len() {
        let sorted: Vec<_> = built.iter().map(parsed).collect();
        let generic = generic_codec::report(&sorted).unwrap();
        assert_eq!(*case.get("gen").unwrap_or(evm), hex(&generic.observers[..built.len()]), "{case}");
        assert_eq!(case["med"][2], generic.gas_price_subunit.to_string(), "{case}");
        assert_eq!(case["med"][1], generic.juels_per_fee_coin.to_string(), "{case}");
        assert_eq!(case["med"][0], i64::from(generic.timestamp) - NOW.seconds, "{case}");
    }
}

/// `observer timestamp value juels [gas]; ..` for canonical observations, `observer xBYTES` for any others.
fn observations(text: &Value) -> Vec<(u8, Vec<u8>)> {
    let rows = text.as_str().unwrap().split(';').filter(|row| !row.is_empty());
    rows.map(|row| {
        let fields: Vec<&str> = row.split(' ').collect();
        let observer = fields[0].parse().unwrap();
        if let Some(raw) = fields[1].strip_prefix('x') {
            return (observer, bytes(&raw.into()));
        }
        let seconds = NOW.seconds + fields[1].parse::<i64>().unwrap();
        let number = |i: usize| value::encode(&big(fields[i])).unwrap();
        let gas = fields.get(4).map(|_| number(4));
        let message = Observation {
            timestamp: u32::try_from(seconds).unwrap(),
            value: &number(2),
            juels_per_fee_coin: &number(3),
            gas_price_subunits: gas.as_ref().map_or(&[], |gas| gas),
        };
        (observer, message.encode())
    })
    .collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn transmissions_are_needed_until_the_contract_has_them() {
    for case in section("transmit", 121) {
        let it = &case["in"];
        let fakes = Fakes::default();
        fakes.shared.state.lock().unwrap().details = it[2].clone();
        let median = fakes.median(&section("configs", 236)[21]).await;
        let timestamp =
            ReportTimestamp { config_digest: digest(&case["digest"]), epoch: int(&it[0]), round: int(&it[1]) };
        crate::golden::check(case, median.should_transmit(timestamp).await.map(Value::from));
    }
}

#[test]
fn the_notation_of_bytes_is_read_back() {
    for text in ["", "00", "0000", "[3]", "01[24]{25}0000ff"] {
        assert_eq!(packed(&bytes(&text.into())), text);
    }
    assert!(Time::ZERO < NOW);
}
