//! The handshake line: what a plugin says about itself on stdout before anything else.
//!
//! `1|<application version>|<unix or tcp>|<address>|grpc|<certificate>|<multiplexing>`, as go-plugin defines it.
//! Old forms that a Go host accepts are accepted here: five fields, blanks around the line, signs and leading
//! zeros in numbers, junk in fields that were not asked for.

use super::{LaunchError, StderrTail};
use crate::transport::{Address, AddressError, Offer, OfferError, Security};

/// The only version of go-plugin's own protocol.
const CORE_VERSION: i64 = 1;
/// How much of a line an error quotes.
const QUOTED_MAX: usize = 200;

/// A handshake line that this host can work with.
#[derive(Clone, Debug)]
pub(crate) struct HandshakeLine {
    /// The application protocol version that the plugin chose, one of the host's.
    pub(crate) version: u32,
    /// Where it listens. Not dialled yet.
    pub(crate) address: Address,
    /// The TLS that follows from its certificate, or from its absence.
    pub(crate) security: Security,
}

/// [`HandshakeLine::parse`], for [`crate::parsers`].
#[cfg(any(test, fuzzing))]
pub(crate) fn parse(line: &[u8], versions: &[u32], offer: &Offer) -> Result<HandshakeLine, LaunchError> {
    HandshakeLine::parse(line, versions, offer)
}

impl HandshakeLine {
    /// For a plugin whose handshake line another host has read.
    pub(super) fn unread(version: u32, address: Address) -> Self {
        Self { version, address, security: Security::None }
    }

    /// Reads a line, with or without its end. `versions` are the host's application protocol versions, `offer` is what
    /// the plugin was offered.
    pub(super) fn parse(line: &[u8], versions: &[u32], offer: &Offer) -> Result<Self, LaunchError> {
        let stderr = StderrTail::default;
        let quoted = || quote(line);
        let unrecognized = |why: String| LaunchError::Unrecognized { line: quoted(), why, stderr: stderr() };

        let text = std::str::from_utf8(line).map_err(|_| unrecognized("it is not UTF-8".into()))?;
        let fields: Vec<&str> = text.trim().split('|').collect();
        let [core, version, network, address, rest @ ..] = fields.as_slice() else {
            return Err(unrecognized(format!("it has {} of at least 4 fields", fields.len())));
        };
        let number = |field: &str, name| {
            field
                .parse::<i64>()
                .map_err(|_| unrecognized(format!("its {name} {} is not a number", quote(field.as_bytes()))))
        };

        let core = number(core, "core protocol version")?;
        if core != CORE_VERSION {
            return Err(LaunchError::CoreVersion { plugin: core, line: quoted(), stderr: stderr() });
        }
        let offered = number(version, "application protocol version")?;
        let version = u32::try_from(offered).ok().filter(|version| versions.contains(version)).ok_or_else(|| {
            LaunchError::ApplicationVersion {
                plugin: offered,
                host: versions.to_vec(),
                line: quoted(),
                stderr: stderr(),
            }
        })?;
        let address = Address::parse(network, address).map_err(|error| match error {
            AddressError::Network(network) => {
                LaunchError::Network { network: inner(&network), line: quoted(), stderr: stderr() }
            }
            other => LaunchError::Address { why: shorten(&other.to_string()), line: quoted(), stderr: stderr() },
        })?;
        // go-plugin spoke net/rpc before it spoke gRPC, and a line without this field means that.
        let protocol = rest.first().copied().unwrap_or("netrpc");
        if protocol != "grpc" {
            return Err(LaunchError::Protocol { protocol: inner(protocol), line: quoted(), stderr: stderr() });
        }
        let security = offer.settle(rest.get(1).copied().unwrap_or_default()).map_err(|why| match why {
            OfferError::Unasked => LaunchError::Certificate { line: quoted(), stderr: stderr() },
            #[cfg(feature = "auto-mtls")]
            OfferError::Missing => LaunchError::NoCertificate { line: quoted(), stderr: stderr() },
            #[cfg(feature = "auto-mtls")]
            OfferError::Invalid(why) => {
                LaunchError::BadCertificate { why: why.to_string(), line: quoted(), stderr: stderr() }
            }
            other => LaunchError::io("set up TLS", std::io::Error::other(other)),
        })?;
        Ok(Self { version, address, security })
    }
}

/// Refuses the plugin unless its line, which is valid, says that it multiplexes. Spellings as in Go.
#[cfg(feature = "mux")]
pub(super) fn demand_multiplexing(line: &[u8]) -> Result<(), LaunchError> {
    let text = String::from_utf8_lossy(line);
    let why = match text.trim().split('|').nth(6) {
        Some("1" | "t" | "T" | "TRUE" | "true" | "True") => return Ok(()),
        Some("0" | "f" | "F" | "FALSE" | "false" | "False") => "its line says so".to_owned(),
        Some(other) => format!("its line says {} where true or false belongs", quote(other.as_bytes())),
        None => "its line does not say".to_owned(),
    };
    Err(LaunchError::NotMultiplexed { why, line: quote(line), stderr: StderrTail::default() })
}

/// In quotation marks, escaped and shortened: untrusted bytes go to terminals and log files.
pub(super) fn quote(bytes: &[u8]) -> String {
    let text = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    match text.get(..QUOTED_MAX) {
        Some(start) if text.len() > QUOTED_MAX => {
            format!("\"{}\".. ({} bytes)", start.escape_ascii(), text.len())
        }
        _ => format!("\"{}\"", text.escape_ascii()),
    }
}

/// [`quote`] for a place that has quotation marks already.
fn inner(text: &str) -> String {
    shorten(&text.escape_default().to_string())
}

fn shorten(text: &str) -> String {
    text.chars().take(QUOTED_MAX).collect()
}

#[cfg(test)]
#[path = "line_tests.rs"]
mod tests;
