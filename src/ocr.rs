//! What the oracle protocol (OCR2) names everywhere: configurations, rounds, reports.

use std::fmt;

use loop_runtime::LoopMessage;

/// Identifies one configuration of one contract. Shown in lower-case hex.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, LoopMessage)]
#[message(text = "invalid ConfigDigest len {n}: must be 32")]
pub struct ConfigDigest(pub [u8; 32]);

impl fmt::Display for ConfigDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ConfigDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConfigDigest({self})")
    }
}

impl From<[u8; 32]> for ConfigDigest {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

/// A round of a configuration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, LoopMessage)]
#[message(package = "loop")]
pub struct ReportTimestamp {
    /// The configuration.
    #[wire(1, name = "configDigest")]
    pub config_digest: ConfigDigest,
    /// Counts leaders, from 1.
    #[wire(2)]
    pub epoch: u32,
    /// Counts rounds of a leader, from 1; 255 at most.
    #[wire(3, text = "expected uint8 Round (max 255) but got {n}")]
    pub round: u8,
}

/// What is signed together with a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, LoopMessage)]
#[message(package = "loop")]
pub struct ReportContext {
    /// The round.
    #[wire(1, name = "reportTimestamp")]
    pub timestamp: ReportTimestamp,
    /// A hash of what else the oracles agreed on; zero in most protocols.
    #[wire(2, name = "extraHash", text = "invalid ExtraHash len {n}; must be 32")]
    pub extra_hash: [u8; 32],
}
