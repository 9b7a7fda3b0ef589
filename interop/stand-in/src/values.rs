//! The static values.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use loop_services::prelude::*;
use loop_services::relayer::{ChainInfo, ChainStatus, NodeStatus};

/// Zeros, some of which are `set` to other values.
pub const fn bytes<const N: usize>(set: &[(usize, u8)]) -> [u8; N] {
    let mut bytes = [0; N];
    let mut at = 0;
    while at < set.len() {
        bytes[set[at].0] = set[at].1;
        at += 1;
    }
    bytes
}

/// The configuration of the chain.
pub const CONFIG_TOML: &str = "[Foo]\nBar = \"Baz\"\n";
/// The keystore's only account.
pub const KEYSTORE_ACCOUNT: &str = "testaccount";
/// What the keystore signs and decrypts.
pub const ENCODED: [u8; 6] = bytes(&[(5, 11)]);
/// What it makes of that by signing.
pub const SIGNED: [u8; 14] = bytes(&[(13, 37)]);
/// What it makes of it by decrypting.
pub const DECRYPTED: [u8; 18] = bytes(&[(17, 41)]);

/// The feed's contract.
pub const CONTRACT_ID: &str = "0x42";
/// What the data source gives.
pub const VALUE: i32 = 999;
/// What the data source of the fee coin gives.
pub const JUELS_PER_FEE_COIN: i32 = 1234;
/// What the data source of gas prices gives. Zero is as good: it stands for a feed without gas prices.
pub const GAS_PRICE_SUBUNITS: i32 = 777;
/// What the error log takes.
pub const ERROR: &str = "an error";

/// The round in which data sources are asked.
pub const OBSERVED_ROUND: ReportTimestamp =
    ReportTimestamp { config_digest: ConfigDigest(bytes(&[(1, 7), (31, 3)])), epoch: 79, round: 17 };

/// The digest of [`contract_config`].
pub const CONFIG_DIGEST: ConfigDigest = ConfigDigest(bytes(&[(1, 7), (13, 11), (31, 23)]));
/// The prefix of digests.
pub const CONFIG_DIGEST_PREFIX: u16 = 99;
/// The block that set the configuration.
pub const CHANGED_IN_BLOCK: u64 = 14;
/// The newest block.
pub const BLOCK_HEIGHT: u64 = 1337;

/// The contract's configuration.
pub fn contract_config() -> ContractConfig {
    ContractConfig {
        config_digest: CONFIG_DIGEST,
        config_count: 42,
        signers: vec![bytes::<16>(&[(15, 1)]).to_vec()],
        transmitters: vec!["foo".to_owned(), "bar".to_owned()],
        f: 11,
        onchain_config: bytes::<32>(&[(2, 11), (14, 22), (31, 1)]).to_vec(),
        offchain_config_version: 2,
        offchain_config: bytes::<13>(&[(1, 99), (12, 55)]).to_vec(),
    }
}

/// The account that transmits.
pub const ACCOUNT: &str = "some-account";
/// The epoch of the newest report in the contract.
pub const EPOCH: u32 = 88;
/// What is transmitted.
pub const TRANSMITTED: [u8; 42] = bytes(&[(41, 131)]);

/// The round of the transmission, and the hash that is signed with it.
pub const REPORT_CONTEXT: ReportContext = ReportContext {
    timestamp: ReportTimestamp { config_digest: CONFIG_DIGEST, epoch: EPOCH, round: 74 },
    extra_hash: bytes(&[(1, 3), (3, 5), (7, 11)]),
};

/// Who signed it.
pub fn signatures() -> Vec<AttributedOnchainSignature> {
    vec![AttributedOnchainSignature { signature: bytes::<10>(&[(7, 6), (9, 8)]).to_vec(), signer: 54 }]
}

/// What a report is built from.
pub fn observations() -> Vec<ParsedAttributedObservation> {
    vec![ParsedAttributedObservation {
        timestamp: 123,
        value: Some(31.into()),
        juels_per_fee_coin: Some(54.into()),
        observer: 99,
        gas_price_subunits: Some(77.into()),
    }]
}

/// The report, of the codec and of the reporting plugin.
pub const REPORT: [u8; 43] = bytes(&[(42, 101)]);
/// Its median.
pub const MEDIAN: i32 = -1042;
/// Of how many observations the length of a report is asked.
pub const MAX_OBSERVATIONS: i64 = 12;
/// That length, in bytes.
pub const MAX_REPORT_LENGTH: i64 = 101;

/// How far back a request for a round may be, in nanoseconds.
pub const LOOKBACK: i64 = 64_000_000_000;

/// The last request for a round.
pub const ROUND_REQUESTED: RoundRequested =
    RoundRequested { config_digest: ConfigDigest(bytes(&[(1, 1), (11, 8)])), epoch: 7, round: 11 };

/// The last report that reached the contract.
pub fn transmission_details() -> TransmissionDetails {
    TransmissionDetails {
        config_digest: ROUND_REQUESTED.config_digest,
        epoch: ROUND_REQUESTED.epoch,
        round: ROUND_REQUESTED.round,
        latest_answer: Some(123.into()),
        latest_timestamp: moment(),
    }
}

fn moment() -> SystemTime {
    UNIX_EPOCH + Duration::new(1_234_567_890, 987_654_321)
}

/// The bounds of an answer.
pub fn onchain_config() -> OnchainConfig {
    OnchainConfig { min: Some((-12).into()), max: Some(1_234_567_890_987_654_321_i64.into()) }
}

/// Their bytes.
pub const ONCHAIN_CONFIG: [u8; 6] = ENCODED;

/// What is read of a contract.
pub const READ_IDENTIFIER: &str = "0x24-anyContract-anyMethod";

/// With which parameters it is read, and what comes of it: in CBOR, in JSON.
pub const READS: [(&[u8], &[u8]); 2] = [
    (b"\xa2\x66param1\x66value1\x66param2\x66value2", b"\xa2\x64ret1\x6clatestValue1\x64ret2\x6clatestValue2"),
    (br#"{"param1":"value1","param2":"value2"}"#, br#"{"ret1":"latestValue1","ret2":"latestValue2"}"#),
];

/// The configuration of a contract reader.
pub const READER_CONFIG: &[u8] = b"test";

/// What a reporting plugin is made from.
pub fn reporting_plugin_config() -> ReportingPluginConfig {
    ReportingPluginConfig {
        config_digest: ConfigDigest::default(),
        oracle_id: 10,
        n: 12,
        f: 42,
        onchain_config: bytes::<18>(&[(17, 11)]).to_vec(),
        offchain_config: bytes::<33>(&[(32, 64)]).to_vec(),
        estimated_round_interval: Duration::from_secs(1),
        max_duration_query: Duration::from_secs(3600),
        max_duration_observation: Duration::from_millis(1),
        max_duration_report: Duration::from_micros(1),
        max_duration_should_accept_finalized_report: Duration::from_secs(10),
        max_duration_should_transmit_accepted_report: Duration::from_secs(60),
    }
}

/// What the oracle protocol is told of it.
pub fn reporting_plugin_info() -> ReportingPluginInfo {
    ReportingPluginInfo {
        name: "test".to_owned(),
        unique_reports: true,
        limits: ReportingPluginLimits { max_query_length: 42, max_observation_length: 13, max_report_length: 17 },
    }
}

/// The round in which a reporting plugin is asked.
pub const ROUND: ReportTimestamp =
    ReportTimestamp { config_digest: ConfigDigest(bytes(&[(2, 10), (12, 16)])), epoch: 88, round: 74 };
/// Its query.
pub const QUERY: [u8; 43] = bytes(&[(42, 42)]);
/// Its observation.
pub const OBSERVATION: [u8; 22] = bytes(&[(21, 19)]);

/// The observations that it makes a report of.
pub fn attributed_observations() -> Vec<AttributedObservation> {
    vec![AttributedObservation { observation: OBSERVATION.to_vec(), observer: 99 }]
}

/// The job of a provider of type `provider_type`.
pub fn relay_args(provider_type: &str) -> RelayArgs {
    let id = 0x1051_429b_aa66_11ed_b0d2_5cff_35df_be67_u128;
    RelayArgs {
        external_job_id: id.to_be_bytes(),
        job_id: 123,
        contract_id: "testcontract".to_owned(),
        new: true,
        relay_config: bytes::<43>(&[(42, 11)]).to_vec(),
        provider_type: provider_type.to_owned(),
    }
}

/// The job of a mercury provider, which is another one.
pub fn mercury_relay_args() -> RelayArgs {
    let id = 0xf192_8153_d0b4_474b_9fd7_fd09_85d0_e7ca_u128;
    RelayArgs {
        external_job_id: id.to_be_bytes(),
        job_id: 42,
        contract_id: "mercury-testcontract".to_owned(),
        new: true,
        relay_config: bytes::<37>(&[(1, 4), (36, 101)]).to_vec(),
        provider_type: "mercury".to_owned(),
    }
}

/// What a provider needs beside the job.
pub fn plugin_args() -> PluginArgs {
    PluginArgs { transmitter_id: "testtransmitter".to_owned(), plugin_config: bytes::<101>(&[(100, 88)]).to_vec() }
}

/// The state of the chain.
pub fn chain_status() -> ChainStatus {
    ChainStatus { id: "some_chain".to_owned(), enabled: true, config: String::new() }
}

/// The names of the chain.
pub fn chain_info() -> ChainInfo {
    ChainInfo {
        family_name: "someFamily".to_owned(),
        chain_id: "123".to_owned(),
        network_name: "someNetwork".to_owned(),
        network_name_full: "someNetwork-test".to_owned(),
    }
}

/// How many of the chain's nodes are asked for.
pub const PAGE_SIZE: i32 = 137;

/// The chain's nodes.
pub fn nodes() -> Vec<NodeStatus> {
    let node = |name: &str, url: &str| NodeStatus {
        chain_id: "foo".to_owned(),
        name: String::new(),
        config: format!("Name = '{name}'\nURL = '{url}'\n"),
        state: "Alive".to_owned(),
    };
    vec![node("bar", "http://example.com"), node("baz", "https://test.url")]
}

/// Who sends a transaction.
pub const FROM: &str = "me";
/// Who gets it.
pub const TO: &str = "you";
/// How much.
pub const AMOUNT: i32 = 97;
