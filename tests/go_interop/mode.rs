//! Each case is run once in every mode.

use loop_runtime::host::Host;

/// How the two sides are connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Plain,
    AutoMtls,
    Mux,
    MuxAutoMtls,
}

impl Mode {
    pub(crate) const ALL: [Self; 4] = [Self::Plain, Self::AutoMtls, Self::Mux, Self::MuxAutoMtls];

    /// Of the trials in this mode: `go_host_rust_plugin::calls`, `go_host_rust_plugin::auto_mtls::calls`.
    pub(crate) fn trial(self, cell: &str, case: &str) -> String {
        match self {
            Self::Plain => format!("{cell}::{case}"),
            Self::AutoMtls => format!("{cell}::auto_mtls::{case}"),
            Self::Mux => format!("{cell}::mux::{case}"),
            Self::MuxAutoMtls => format!("{cell}::mux_auto_mtls::{case}"),
        }
    }

    /// The flags of `interop/host`.
    pub(crate) fn flags(self) -> &'static [&'static str] {
        match self {
            Self::Plain => &[],
            Self::AutoMtls => &["-auto-mtls"],
            Self::Mux => &["-mux"],
            Self::MuxAutoMtls => &["-auto-mtls", "-mux"],
        }
    }

    /// The same for a host in Rust.
    pub(crate) fn of(self, host: Host) -> Host {
        match self {
            Self::Plain => host,
            Self::AutoMtls => host.auto_mtls(),
            Self::Mux => host.multiplexed(),
            Self::MuxAutoMtls => host.auto_mtls().multiplexed(),
        }
    }

    /// Whether everything is on one socket.
    pub(crate) fn is_multiplexed(self) -> bool {
        matches!(self, Self::Mux | Self::MuxAutoMtls)
    }
}
