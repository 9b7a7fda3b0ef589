//! The magic cookies of LOOP's kinds of plugin. All are at application protocol version 0.
//!
//! The services of a median plugin and of a relayer are in this crate. The other kinds are here for those who declare
//! their services with [`loop_runtime::loop_service`] themselves.

use loop_runtime::Handshake;

/// A relayer: one process for one chain, serving [`PluginRelayer`](crate::PluginRelayer).
pub const RELAYER: Handshake = Handshake::new(
    "CL_PLUGIN_RELAYER_MAGIC_COOKIE",
    "dae753d4542311b33cf041b930db0150647e806175c2818a0c88a9ab745e45aa",
);

/// A median plugin, serving [`PluginMedian`](crate::PluginMedian).
pub const MEDIAN: Handshake =
    Handshake::new("CL_PLUGIN_MEDIAN_MAGIC_COOKIE", "b12a697e19748cd695dd1690c09745ee7cc03717179958e8eadd5a7ca4646728");

/// A keystore as a plugin, whose service is another one than [`Keystore`](crate::Keystore).
pub const KEYSTORE: Handshake =
    Handshake::new("CL_PLUGIN_KEYSTORE_MAGIC_COOKIE", "fe81b132-0d3d-4c16-9f13-c2f7bfd3c361");

/// A mercury plugin.
pub const MERCURY: Handshake = Handshake::new("CL_PLUGIN_MERCURY_MAGIC_COOKIE", "c3478720-a7a6-4d39-b506-0dd432c9be9a");

/// The commit plugin of CCIP.
pub const CCIP_COMMIT: Handshake =
    Handshake::new("CL_PLUGIN_CCIP_COMMIT_MAGIC_COOKIE", "5a2d1527-6c0f-4c7e-8c96-00aa4bececd2");

/// The execution plugin of CCIP.
pub const CCIP_EXECUTION: Handshake =
    Handshake::new("CL_PLUGIN_CCIP_EXEC_MAGIC_COOKIE", "5a2d1527-6c0f-4c7e-8c96-00aa4bececd2");

/// A generic reporting plugin, for OCR2 as for OCR3.
pub const REPORTING_PLUGIN: Handshake =
    Handshake::new("CL_PLUGIN_GENERIC_MAGIC_COOKIE", "2ad981747cd86c4ab3e23170970020fd");

/// Standard capabilities.
pub const STANDARD_CAPABILITIES: Handshake =
    Handshake::new("CL_PLUGIN_STANDARD_CAPABILITIES_MAGIC_COOKIE", "f4df86d3-3552-4231-8206-be0d245b6c67");
