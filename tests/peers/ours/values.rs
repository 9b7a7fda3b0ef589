//! The values in the types of `loop-services`.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use loop_runtime::wire::{Struct, StructValue};
use loop_services::contract_reader::*;
use loop_services::contract_writer::TransactionMeta;
use loop_services::prelude::*;
use loop_services::query::*;
use loop_services::relayer::*;

use crate::bytes::{DIGEST, HASH, UUID};

pub(crate) fn price() -> BigInt {
    BigInt::from((1_i128 << 70) + 1)
}

pub(crate) fn loss() -> BigInt {
    BigInt::from(-1042)
}

pub(crate) fn health() -> BTreeMap<String, String> {
    [("Relayer", ""), ("Relayer.HeadTracker", "behind by 3")].map(|(name, error)| (name.into(), error.into())).into()
}

pub(crate) fn relay_args(new: bool) -> RelayArgs {
    RelayArgs {
        external_job_id: UUID,
        job_id: -7,
        contract_id: "0xfeed".into(),
        new,
        relay_config: b"{\"chainID\":1}".to_vec(),
        provider_type: "median".into(),
    }
}

pub(crate) fn plugin_args() -> PluginArgs {
    PluginArgs { transmitter_id: "0xtransmitter".into(), plugin_config: b"{}".to_vec() }
}

pub(crate) fn ccip_args() -> CcipProviderArgs {
    CcipProviderArgs {
        external_job_id: UUID,
        contract_reader_config: b"reader".to_vec(),
        chain_writer_config: b"writer".to_vec(),
        off_ramp_address: vec![0, 255, 1],
        plugin_type: 2,
        synced_addresses: [("a".to_owned(), vec![1]), ("b".to_owned(), vec![])].into(),
        transmitter_address: "0xtransmitter".into(),
        extra_data_codec_bundle_id: 9,
    }
}

pub(crate) fn head() -> Head {
    Head { height: "12345678901234567890123".into(), hash: HASH.to_vec(), timestamp: 1 << 60 }
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

pub(crate) fn nodes() -> Vec<NodeStatus> {
    let node = |name: &str, state: &str| NodeStatus {
        chain_id: "1".into(),
        name: name.into(),
        config: "[node]".into(),
        state: state.into(),
    };
    vec![node("first", "Alive"), node("second", "")]
}

pub(crate) fn json() -> Struct {
    let object = |fields: Vec<(&str, StructValue)>| Struct {
        fields: fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
    };
    let list = vec![StructValue::Bool(true), StructValue::Number(-0.5), StructValue::List(vec![])];
    object(vec![
        ("nothing", StructValue::Null),
        ("text", StructValue::String("täxt".into())),
        ("list", StructValue::List(list)),
        ("object", StructValue::Struct(object(vec![("deep", StructValue::Bool(false))]))),
    ])
}

pub(crate) fn versioned(version: u32) -> VersionedBytes {
    VersionedBytes { version, data: vec![version as u8, 0, 255] }
}

pub(crate) fn meta() -> TransactionMeta {
    TransactionMeta { workflow_execution_id: "workflow".into(), gas_limit: Some(price()) }
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
        ContractBatch { contract: bound("a"), reads: vec![read("x", 1), read("y", 2)] },
        ContractBatch { contract: bound("b"), reads: vec![] },
    ]
}

pub(crate) fn batch_results() -> Vec<ContractBatchResult> {
    let good = BatchReadResult { read_name: "x".into(), return_val: Some(versioned(3)), error: String::new() };
    let bad = BatchReadResult { read_name: "y".into(), return_val: None, error: "reverted".into() };
    vec![ContractBatchResult { contract: bound("a"), results: vec![good, bad] }]
}

pub(crate) fn filter() -> QueryKeyFilter {
    use Expression::{BooleanExpression as Joined, Primitive as Single};
    let joined = |boolean_operator, expression| Joined(BooleanExpression { boolean_operator, expression });
    let compare = |version, operator| ValueComparator { value: versioned(version), operator };
    let amount = Comparator {
        name: "amount".into(),
        value_comparators: vec![compare(1, ComparisonOperator::Gte), compare(2, ComparisonOperator::Neq)],
    };
    let block = Block { block_number: "99".into(), operator: ComparisonOperator::Lt };
    let time = Timestamp { timestamp: 1_700_000_000, operator: ComparisonOperator::Eq };
    let recent = joined(
        BooleanOperator::And,
        vec![
            Single(Primitive::Confidence(Confidence::Unconfirmed)),
            Single(Primitive::Timestamp(time)),
            Single(Primitive::TxHash(TxHash { tx_hash: "0xhash".into() })),
        ],
    );
    let either = joined(BooleanOperator::Or, vec![Single(Primitive::Block(block)), recent]);
    QueryKeyFilter { key: "Transfer".into(), expression: vec![Single(Primitive::Comparator(amount)), either] }
}

pub(crate) fn limit_and_sort() -> LimitAndSort {
    LimitAndSort {
        sort_by: vec![
            SortBy { sort_type: SortType::Block, direction: SortDirection::Desc },
            SortBy { sort_type: SortType::Timestamp, direction: SortDirection::Asc },
        ],
        limit: Some(Limit { cursor: Some(String::new()), direction: Some(CursorDirection::Preceding), count: 10 }),
    }
}

pub(crate) fn limit_without_cursor() -> LimitAndSort {
    LimitAndSort { sort_by: vec![], limit: Some(Limit { cursor: None, direction: None, count: 3 }) }
}

pub(crate) fn sequence() -> Sequence {
    Sequence { sequence_cursor: "cursor".into(), head: head(), data: versioned(2), tx_hash: HASH.to_vec() }
}

pub(crate) fn key_filter() -> ContractKeyFilter {
    ContractKeyFilter { contract: bound("a"), filter: filter(), as_value_type: true }
}

pub(crate) fn sequence_with_key() -> SequenceWithKey {
    SequenceWithKey {
        sequence_cursor: "cursor".into(),
        head: head(),
        data: versioned(2),
        key: "Transfer".into(),
        tx_hash: HASH.to_vec(),
    }
}

pub(crate) fn contract_config() -> ContractConfig {
    ContractConfig {
        config_digest: DIGEST.into(),
        config_count: u64::MAX,
        signers: vec![vec![1, 2], vec![], vec![3]],
        transmitters: vec!["0xa".into(), String::new()],
        f: 255,
        onchain_config: vec![0],
        offchain_config_version: 2,
        offchain_config: vec![9; 300],
    }
}

pub(crate) fn timestamp(round: u8) -> ReportTimestamp {
    ReportTimestamp { config_digest: DIGEST.into(), epoch: u32::MAX, round }
}

pub(crate) fn context() -> ReportContext {
    ReportContext { timestamp: timestamp(255), extra_hash: HASH }
}

pub(crate) fn signatures() -> Vec<AttributedOnchainSignature> {
    [0, 255].map(|signer| AttributedOnchainSignature { signature: vec![signer, 1], signer }).into()
}

pub(crate) fn parsed() -> Vec<ParsedAttributedObservation> {
    let full = ParsedAttributedObservation {
        timestamp: u32::MAX,
        value: Some(loss()),
        juels_per_fee_coin: Some(price()),
        observer: 30,
        gas_price_subunits: Some(BigInt::from(0)),
    };
    vec![full, ParsedAttributedObservation::default()]
}

pub(crate) fn transmission() -> TransmissionDetails {
    TransmissionDetails {
        config_digest: DIGEST.into(),
        epoch: 3,
        round: 4,
        latest_answer: Some(loss()),
        latest_timestamp: SystemTime::UNIX_EPOCH + Duration::new(1_700_000_000, 123_456_789),
    }
}

pub(crate) fn requested() -> RoundRequested {
    RoundRequested { config_digest: DIGEST.into(), epoch: 3, round: 4 }
}

pub(crate) fn onchain_config() -> OnchainConfig {
    OnchainConfig { min: Some(loss()), max: Some(price()) }
}

pub(crate) fn plugin_config() -> ReportingPluginConfig {
    ReportingPluginConfig {
        config_digest: DIGEST.into(),
        oracle_id: 255,
        n: 31,
        f: 10,
        onchain_config: vec![1],
        offchain_config: vec![2, 2],
        estimated_round_interval: Duration::from_secs(3600),
        max_duration_query: Duration::from_nanos(1),
        max_duration_observation: Duration::from_millis(250),
        max_duration_report: Duration::ZERO,
        max_duration_should_accept_finalized_report: Duration::from_secs(2),
        max_duration_should_transmit_accepted_report: Duration::from_secs(3),
    }
}

pub(crate) fn plugin_info() -> ReportingPluginInfo {
    ReportingPluginInfo {
        name: "median".into(),
        unique_reports: true,
        limits: ReportingPluginLimits { max_query_length: 1, max_observation_length: 1 << 40, max_report_length: 3 },
    }
}

pub(crate) fn observations() -> Vec<AttributedObservation> {
    vec![
        AttributedObservation { observation: b"one".to_vec(), observer: 1 },
        AttributedObservation { observation: vec![], observer: 255 },
    ]
}
