//! The values in the types that prost generates.

use std::collections::HashMap;

use prost_types::value::Kind;
use prost_types::{ListValue, Struct, Value};

use crate::bytes::{DIGEST, HASH, UUID};
use crate::wire::codec::VersionedBytes;
use crate::wire::r#loop::chain::common::expression::Evaluator;
use crate::wire::r#loop::chain::common::primitive::Primitive as One;
use crate::wire::r#loop::chain::common::*;
use crate::wire::r#loop::*;

pub(crate) fn price() -> BigInt {
    // 2^70 + 1
    BigInt { negative: false, value: vec![0x40, 0, 0, 0, 0, 0, 0, 0, 1] }
}

pub(crate) fn loss() -> BigInt {
    BigInt { negative: true, value: vec![0x04, 0x12] }
}

pub(crate) fn health() -> HealthReportReply {
    let parts = [("Relayer", ""), ("Relayer.HeadTracker", "behind by 3")];
    HealthReportReply { health_report: parts.map(|(name, error)| (name.into(), error.into())).into() }
}

pub(crate) fn relay_args(new: bool) -> Option<RelayArgs> {
    Some(RelayArgs {
        external_job_id: UUID.into(),
        job_id: -7,
        contract_id: "0xfeed".into(),
        new,
        relay_config: b"{\"chainID\":1}".into(),
        provider_type: "median".into(),
    })
}

pub(crate) fn plugin_args() -> Option<PluginArgs> {
    Some(PluginArgs { transmitter_id: "0xtransmitter".into(), plugin_config: b"{}".into() })
}

pub(crate) fn ccip_args() -> CcipProviderArgs {
    CcipProviderArgs {
        external_job_id: UUID.into(),
        contract_reader_config: b"reader".into(),
        chain_writer_config: b"writer".into(),
        off_ramp_address: vec![0, 255, 1],
        plugin_type: 2,
        synced_addresses: HashMap::from([("a".to_owned(), vec![1]), ("b".to_owned(), vec![])]),
        transmitter_address: "0xtransmitter".into(),
        extra_data_codec_bundle_id: 9,
    }
}

pub(crate) fn head() -> Head {
    Head { height: "12345678901234567890123".into(), hash: HASH.into(), timestamp: 1 << 60 }
}

pub(crate) fn chain_status() -> ChainStatus {
    ChainStatus { id: "1".into(), enabled: true, config: "[chain]".into() }
}

pub(crate) fn chain_info() -> ChainInfo {
    ChainInfo {
        family_name: "evm".into(),
        chain_id: "11155111".into(),
        network_name: "ethereum".into(),
        network_name_full: "ethereum-testnet-sepolia".into(),
    }
}

pub(crate) fn nodes() -> ListNodeStatusesReply {
    let node = |name: &str, state: &str| NodeStatus {
        chain_id: "1".into(),
        name: name.into(),
        config: "[node]".into(),
        state: state.into(),
    };
    let nodes = vec![node("first", "Alive"), node("second", "")];
    ListNodeStatusesReply { nodes, total: 7, next_page_token: "page 3".into() }
}

pub(crate) fn json() -> Struct {
    let value = |kind| Value { kind: Some(kind) };
    let object = |fields: Vec<(&str, Kind)>| Struct {
        fields: fields.into_iter().map(|(name, kind)| (name.to_owned(), value(kind))).collect(),
    };
    let list = [Kind::BoolValue(true), Kind::NumberValue(-0.5), Kind::ListValue(ListValue::default())];
    object(vec![
        ("nothing", Kind::NullValue(0)),
        ("text", Kind::StringValue("täxt".into())),
        ("list", Kind::ListValue(ListValue { values: list.map(value).into() })),
        ("object", Kind::StructValue(object(vec![("deep", Kind::BoolValue(false))]))),
    ])
}

pub(crate) fn versioned(version: u32) -> Option<VersionedBytes> {
    Some(VersionedBytes { version, data: vec![version as u8, 0, 255] })
}

pub(crate) fn meta() -> Option<TransactionMeta> {
    Some(TransactionMeta { workflow_execution_id: "workflow".into(), gas_limit: Some(price()) })
}

pub(crate) fn bound(name: &str) -> BoundContract {
    BoundContract { address: format!("0x{name}"), name: name.into() }
}

pub(crate) fn batches() -> Vec<ContractBatch> {
    let read = |name: &str, version| BatchRead {
        read_name: name.into(),
        params: versioned(version),
        return_val: versioned(version + 1),
    };
    vec![
        ContractBatch { contract: Some(bound("a")), reads: vec![read("x", 1), read("y", 2)] },
        ContractBatch { contract: Some(bound("b")), reads: vec![] },
    ]
}

pub(crate) fn batch_results() -> Vec<ContractBatchResult> {
    let good = BatchReadResult { read_name: "x".into(), return_val: versioned(3), error: String::new() };
    let bad = BatchReadResult { read_name: "y".into(), return_val: None, error: "reverted".into() };
    vec![ContractBatchResult { contract: Some(bound("a")), results: vec![good, bad] }]
}

pub(crate) fn filter() -> Option<QueryKeyFilter> {
    let single = |one| Expression { evaluator: Some(Evaluator::Primitive(Primitive { primitive: Some(one) })) };
    let joined = |operator: BooleanOperator, expression| Expression {
        evaluator: Some(Evaluator::BooleanExpression(BooleanExpression {
            boolean_operator: operator as i32,
            expression,
        })),
    };
    let compare = |version, operator: ComparisonOperator| ValueComparator {
        value: versioned(version),
        operator: operator as i32,
    };
    let amount = Comparator {
        name: "amount".into(),
        value_comparators: vec![compare(1, ComparisonOperator::Gte), compare(2, ComparisonOperator::Neq)],
    };
    let block = Block { block_number: "99".into(), operator: ComparisonOperator::Lt as i32 };
    let time = Timestamp { timestamp: 1_700_000_000, operator: ComparisonOperator::Eq as i32 };
    let recent = joined(
        BooleanOperator::And,
        vec![
            single(One::Confidence(Confidence::Unconfirmed as i32)),
            single(One::Timestamp(time)),
            single(One::TxHash(TxHash { tx_hash: "0xhash".into() })),
        ],
    );
    let either = joined(BooleanOperator::Or, vec![single(One::Block(block)), recent]);
    Some(QueryKeyFilter { key: "Transfer".into(), expression: vec![single(One::Comparator(amount)), either] })
}

pub(crate) fn limit_and_sort() -> Option<LimitAndSort> {
    let by = |kind: SortType, direction: SortDirection| SortBy { sort_type: kind as i32, direction: direction as i32 };
    let direction = Some(CursorDirection::Preceding as i32);
    Some(LimitAndSort {
        sort_by: vec![by(SortType::SortBlock, SortDirection::Desc), by(SortType::SortTimestamp, SortDirection::Asc)],
        limit: Some(Limit { cursor: Some(String::new()), direction, count: 10 }),
    })
}

pub(crate) fn limit_without_cursor() -> Option<LimitAndSort> {
    Some(LimitAndSort { sort_by: vec![], limit: Some(Limit { cursor: None, direction: None, count: 3 }) })
}

pub(crate) fn sequence() -> Sequence {
    Sequence { sequence_cursor: "cursor".into(), head: Some(head()), data: versioned(2), tx_hash: HASH.into() }
}

pub(crate) fn key_filter() -> ContractKeyFilter {
    ContractKeyFilter { contract: Some(bound("a")), filter: filter(), as_value_type: true }
}

pub(crate) fn sequence_with_key() -> SequenceWithKey {
    SequenceWithKey {
        sequence_cursor: "cursor".into(),
        head: Some(head()),
        data: versioned(2),
        key: "Transfer".into(),
        tx_hash: HASH.into(),
    }
}

pub(crate) fn contract_config() -> Option<ContractConfig> {
    Some(ContractConfig {
        config_digest: DIGEST.into(),
        config_count: u64::MAX,
        signers: vec![vec![1, 2], vec![], vec![3]],
        transmitters: vec!["0xa".into(), String::new()],
        f: 255,
        onchain_config: vec![0],
        offchain_config_version: 2,
        offchain_config: vec![9; 300],
    })
}

pub(crate) fn timestamp(round: u32) -> Option<ReportTimestamp> {
    Some(ReportTimestamp { config_digest: DIGEST.into(), epoch: u32::MAX, round })
}

pub(crate) fn context() -> Option<ReportContext> {
    Some(ReportContext { report_timestamp: timestamp(255), extra_hash: HASH.into() })
}

pub(crate) fn signatures() -> Vec<AttributedOnchainSignature> {
    [0, 255].map(|signer| AttributedOnchainSignature { signature: vec![signer as u8, 1], signer }).into()
}

pub(crate) fn parsed() -> Vec<ParsedAttributedObservation> {
    let full = ParsedAttributedObservation {
        timestamp: u32::MAX,
        value: Some(loss()),
        jules_per_fee_coin: Some(price()),
        observer: 30,
        gas_price_subunits: Some(BigInt::default()),
    };
    vec![full, ParsedAttributedObservation::default()]
}

pub(crate) fn transmission() -> LatestTransmissionDetailsReply {
    LatestTransmissionDetailsReply {
        config_digest: DIGEST.into(),
        epoch: 3,
        round: 4,
        latest_answer: Some(loss()),
        latest_timestamp: Some(prost_types::Timestamp { seconds: 1_700_000_000, nanos: 123_456_789 }),
    }
}

pub(crate) fn requested() -> LatestRoundRequestedReply {
    LatestRoundRequestedReply { config_digest: DIGEST.into(), epoch: 3, round: 4 }
}

pub(crate) fn onchain_config() -> Option<OnchainConfig> {
    Some(OnchainConfig { min: Some(loss()), max: Some(price()) })
}

pub(crate) fn plugin_config() -> Option<ReportingPluginConfig> {
    Some(ReportingPluginConfig {
        config_digest: DIGEST.into(),
        oracle_id: 255,
        n: 31,
        f: 10,
        onchain_config: vec![1],
        offchain_config: vec![2, 2],
        estimated_round_interval: 3_600_000_000_000,
        max_duration_query: 1,
        max_duration_observation: 250_000_000,
        max_duration_report: 0,
        max_duration_should_accept_finalized_report: 2_000_000_000,
        max_duration_should_transmit_accepted_report: 3_000_000_000,
    })
}

pub(crate) fn plugin_info() -> Option<ReportingPluginInfo> {
    let limits = ReportingPluginLimits { max_query_length: 1, max_observation_length: 1 << 40, max_report_length: 3 };
    Some(ReportingPluginInfo { name: "median".into(), unique_reports: true, reporting_plugin_limits: Some(limits) })
}

pub(crate) fn observations() -> Vec<AttributedObservation> {
    vec![
        AttributedObservation { observation: b"one".into(), observer: 1 },
        AttributedObservation { observation: vec![], observer: 255 },
    ]
}
