//! Bytes of both configs, and what a factory makes of them.

use crate::golden::{bytes, check, digest, int, long, number, packed, section};
use crate::numerical::offchain_config::{Alpha, OffchainConfig};
use crate::numerical::onchain_config;
use crate::numerical::ports::{OnchainConfig, ReportingPluginConfig};
use crate::ports::{FakeReportCodec, Fakes};
use serde_json::{Value, json};

#[test]
fn offchain_configs_are_encoded() {
    for case in section("offchain_encode", 68) {
        let it = &case["in"];
        let config = OffchainConfig {
            alpha_report: Alpha { infinite: it[0].as_bool().unwrap(), ppb: long(&it[1]) },
            alpha_accept: Alpha { infinite: it[2].as_bool().unwrap(), ppb: long(&it[3]) },
            delta_c: long(&it[4]),
        };
        assert_eq!(case["out"], packed(&config.encode()), "{case}");
    }
}

#[test]
fn offchain_configs_are_decoded_as_go_does() {
    for case in section("offchain_decode", 178) {
        let config = OffchainConfig::decode(&bytes(&case["in"])).map(|it| {
            let (report, accept) = (it.alpha_report, it.alpha_accept);
            let text = |ppb: u64| ppb.to_string();
            json!([report.infinite, text(report.ppb), accept.infinite, text(accept.ppb), it.delta_c.to_string()])
        });
        check(case, config);
    }
}

#[test]
fn onchain_configs_are_encoded() {
    for case in section("onchain_encode", 52) {
        let config = OnchainConfig { min: number(&case["in"][0]), max: number(&case["in"][1]) };
        check(case, onchain_config::encode(&config).map(|bytes| packed(&bytes)));
    }
}

#[test]
fn onchain_configs_are_decoded() {
    for case in section("onchain_decode", 56) {
        let config = onchain_config::decode(&bytes(&case["in"]));
        check(case, config.map(|it| json!([it.min.unwrap().to_string(), it.max.unwrap().to_string()])));
    }
}

#[tokio::test]
async fn factories_check_both_configs() {
    for case in section("factory", 43) {
        let it = &case["in"];
        let fakes = Fakes {
            codec: FakeReportCodec { max_length: it.get("codec_max_report_length"), ..Default::default() },
            onchain_error: it["onchain_codec"]["err"].as_str(),
            ..Default::default()
        };
        let config = ReportingPluginConfig {
            config_digest: digest(&Value::Null),
            n: int(&it["n"]),
            f: int(&it["f"]),
            onchain_config: bytes(&it["onchain"]),
            offchain_config: bytes(&it["offchain"]),
        };
        let made = fakes.factory().new_reporting_plugin(&config).await;
        let info = made.map(|(median, info)| {
            assert_eq!(median.query(), b"");
            assert_eq!((info.name.as_str(), info.unique_reports), ("NumericalMedian", false));
            assert_eq!((info.max_query_length, info.max_observation_length), (0, 92));
            info.max_report_length.into()
        });
        check(case, info);
    }
}
