//! An oracle's own observation, and which observations of others are taken.

use crate::golden::{bytes, check, int, packed, section};
use crate::numerical::factory::Sources;
use crate::numerical::observation;
use crate::numerical::ports::{ReportTimestamp, Time};
use crate::ports::{FakeSource, Fakes, clock};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

#[tokio::test]
async fn all_sources_are_asked_and_their_failures_are_joined() {
    let config: &'static Value = &section("configs", 200)[21];
    for case in section("observation", 224) {
        let it = &case["in"];
        let asked: [Arc<Mutex<usize>>; 3] = Default::default();
        let source = |i: usize| Arc::new(FakeSource { answer: it[1 + i].clone(), asked: asked[i].clone() });
        let mut median = Fakes::default().median(config).await;
        median.ports.sources =
            Sources { value: source(0), juels_per_fee_coin: source(1), gas_price_subunits: source(2) };
        median.ports.include_gas_price = it[4].as_bool().unwrap();
        median.ports.clock = clock(Time { seconds: int(&it[0]), nanos: 999_999_999 });
        let query = case.get("query").map(bytes).unwrap_or_default();
        check(case, median.observation(ReportTimestamp::default(), &query).await.map(|bytes| packed(&bytes)));
        let calls = asked.map(|count| *count.lock().unwrap());
        assert_eq!(calls, [usize::from(query.is_empty()); 3], "{case}");
    }
}

#[test]
fn observations_are_taken_exactly_when_go_takes_them() {
    for case in section("observation_decode", 334) {
        let parsed = observation::parse(7, &bytes(&case["in"])).map(|it| {
            assert_eq!(it.observer, 7);
            let text = |number: Option<num_bigint::BigInt>| number.unwrap().to_string();
            json!([it.timestamp, text(it.value), text(it.juels_per_fee_coin), text(it.gas_price_subunits)])
        });
        check(case, parsed);
    }
}
