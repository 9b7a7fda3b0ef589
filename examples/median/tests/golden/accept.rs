//! Sequences of acceptances on one median, which remembers. In a step that names no report, so many zero bytes are
//! one, and the codec finds in it what the step says.

use crate::golden::{bytes, digest, int, section};
use crate::numerical::ports::ReportTimestamp;
use crate::ports::{FakeReportCodec, Fakes};
use serde_json::{Value, json};

#[tokio::test]
async fn sequences_of_acceptances_run_as_in_go() {
    let configs = section("configs", 236);
    let mut steps = 0;
    for case in section("accept_sequences", 123) {
        let fakes = Fakes {
            codec: FakeReportCodec {
                evm: case["codec"] == "evm",
                build: None,
                max_length: case.get("codec_max_report_length"),
            },
            deviation: case["deviation_func"].as_str(),
            ..Default::default()
        };
        let median = fakes.median(&configs[int::<usize>(&case["cfg"])]).await;
        for step in case["steps"].as_array().unwrap() {
            {
                let mut state = fakes.shared.state.lock().unwrap();
                state.details = step["c"].clone();
                state.median = step["m"].clone();
            }
            let timestamp = ReportTimestamp {
                config_digest: digest(&step["digest"]),
                epoch: int(&step["at"][0]),
                round: int(&step["at"][1]),
            };
            let report = step.get("report").map(bytes).unwrap_or_else(|| vec![0; int(&step["len"])]);
            let came = median.should_accept(timestamp, &report).await;
            let log = fakes.take_log();
            crate::golden::check(step, came.map(Value::from));
            assert_eq!(log.calls, step["calls"].as_str().unwrap_or_default(), "{step}");
            assert_eq!(json!(log.judged), step["dev"], "{step}");
            steps += 1;
        }
    }
    println!("{steps} steps");
    assert!(steps >= 500, "only {steps} steps");
}
