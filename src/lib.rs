//! The services of Chainlink's LOOP plugins, each declared once as a Rust trait.
//!
//! A LOOP (local out-of-process plugin) is a part of a Chainlink node in a process of its own: a relayer speaks to one
//! chain, a median plugin makes the reports of one feed. The contract between them is a set of gRPC services, which this
//! crate declares with [`loop_runtime::loop_service`]: names, numbers, types, checks and the texts of refusals are those
//! of the Go implementation, so either side may be Go.
//!
//! # Writing a plugin, hosting one
//!
//! A relayer plugin implements [`PluginRelayer`], a median plugin [`PluginMedian`], with plain `async fn`s, and serves it
//! under [`handshake::RELAYER`] or [`handshake::MEDIAN`]. A host launches the binary under the same handshake and
//! dispenses the same trait:
//!
//! ```no_run
//! use loop_runtime::host::{Command, Host};
//! use loop_services::prelude::*;
//!
//! # async fn host() -> Result<(), Box<dyn std::error::Error>> {
//! let plugin = Host::new(handshake::RELAYER).launch(Command::new("./relayer")).await?;
//! let relayer: Arc<dyn PluginRelayer> = plugin.dispense().await?;
//! relayer.ready().await?;
//! # Ok(())
//! # }
//! ```
//!
//! Calls go through `Arc<dyn Trait>`, and the trait must be in scope: [`prelude`] brings all of them.
//!
//! # Modules
//!
//! * [`lifecycle`]: what every long-lived object has
//! * [`relayer`], [`keystore`], [`capabilities`]: the relayer plugin, and what it is lent
//! * [`provider`]: what a relayer makes for one job, with the components [`config`], [`transmitter`], [`report_codec`],
//!   [`median_contract`]
//! * [`median`], [`data_source`], [`error_log`]: the median plugin, and what it is lent
//! * [`reporting`]: the reporting plugin that the oracle protocol drives
//! * [`contract_reader`], [`query`], [`contract_writer`], [`codec`]: contracts by name, of any chain
//! * [`big_int`], [`ocr`]: shared types
//!
//! # What is refused
//!
//! Ranges and lengths are checked where Go's adapters check them, and answered with the same code and text, such as
//! `expected uint8 Round (max 255) but got 256`. Where Go lets nonsense pass (a config digest of 31 bytes that is filled
//! up with a zero, oracle id 266 taken as 10, a field of another wire type taken as absent, a message that is missing and
//! ends the process), it is refused here.

#![forbid(unsafe_code)]
#![warn(unreachable_pub)]
#![deny(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

pub mod big_int;
pub mod capabilities;
pub mod codec;
pub mod config;
pub mod contract_reader;
pub mod contract_writer;
pub mod data_source;
pub mod error_log;
pub mod handshake;
pub mod keystore;
pub mod lifecycle;
pub mod median;
pub mod median_contract;
pub mod ocr;
pub mod prelude;
pub mod provider;
pub mod query;
pub mod relayer;
pub mod report_codec;
pub mod reporting;
pub mod transmitter;

pub use big_int::BigInt;
pub use capabilities::CapabilitiesRegistry;
pub use codec::{Codec, VersionedBytes};
pub use config::{ContractConfig, ContractConfigTracker, OffchainConfigDigester};
pub use contract_reader::{ContractReader, ContractReaderService};
pub use contract_writer::ContractWriter;
pub use data_source::DataSource;
pub use error_log::ErrorLog;
pub use keystore::Keystore;
pub use lifecycle::Lifecycle;
pub use median::PluginMedian;
pub use median_contract::{MedianContract, OnchainConfig, OnchainConfigCodec, RoundRequested, TransmissionDetails};
pub use ocr::{ConfigDigest, ReportContext, ReportTimestamp};
pub use provider::{CcipProvider, ConfigProvider, MedianProvider};
pub use relayer::{PluginArgs, PluginRelayer, RelayArgs, Relayer};
pub use report_codec::{ParsedAttributedObservation, ReportCodec};
pub use reporting::{
    AttributedObservation, ReportingPlugin, ReportingPluginConfig, ReportingPluginFactory, ReportingPluginInfo,
    ReportingPluginLimits,
};
pub use transmitter::{AttributedOnchainSignature, ContractTransmitter};
