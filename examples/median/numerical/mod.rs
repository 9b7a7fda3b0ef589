//! The numerical median of Chainlink's OCR2 feeds: what each oracle observes, how a round's observations become a
//! report, and when a report is worth sending.
//!
//! Every node of a network signs the report that it computed itself, and the signatures count only if all of them
//! signed the same bytes. So this module agrees with the Go plugin byte for byte, down to the order in which Go's
//! sort leaves equal values ([`sort`]), the observations that Go's protobuf decoder lets through ([`go_proto`]) and
//! the error texts. `tests/golden` holds it to recordings of the Go plugin.
//!
//! Nothing here knows of processes or sockets: contract, codecs, data sources and clock come in through [`ports`].
#![allow(dead_code, reason = "the golden tests use in process what the plugin reaches through its provider")]
#![allow(unreachable_pub, reason = "an example and a test include this module; `pub` says what it offers to them")]

pub mod contract_reader;
pub mod deviation;
pub mod evm_codec;
pub mod factory;
pub mod generic_codec;
pub mod go_proto;
pub mod observation;
pub mod offchain_config;
pub mod onchain_config;
pub mod plugin;
pub mod ports;
pub mod report;
pub mod sort;
pub mod value;

mod accept;
mod aggregate;
mod observe;
