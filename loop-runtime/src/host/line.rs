//! The handshake line: what a plugin says about itself on stdout before anything else.
//!
//! `1|<application version>|<unix or tcp>|<address>|grpc|<certificate>|<multiplexing>`, as go-plugin defines it.
//! Old forms that a Go host accepts are accepted here: five fields, blanks around the line, signs and leading
//! zeros in numbers, junk in fields that were not asked for.

use super::LaunchError;
use super::launch_error::StderrTail;
use crate::transport::{Address, AddressError};

/// The only version of go-plugin's own protocol.
const CORE_VERSION: i64 = 1;
/// Some third-party plugins put short data of their own where the certificate goes.
const CERTIFICATE_MIN: usize = 50;
/// How much of a line an error quotes.
const QUOTED_MAX: usize = 200;

/// A handshake line that this host can work with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HandshakeLine {
    /// The application protocol version that the plugin chose, one of the host's.
    pub(crate) version: u32,
    /// Where it listens. Not dialled yet.
    pub(crate) address: Address,
}

/// [`HandshakeLine::parse`], for [`crate::parsers`].
#[cfg(any(test, fuzzing))]
pub(crate) fn parse(line: &[u8], versions: &[u32]) -> Result<HandshakeLine, LaunchError> {
    HandshakeLine::parse(line, versions)
}

impl HandshakeLine {
    /// For a plugin that wrote its line to somebody else.
    pub(super) fn unread(version: u32, address: Address) -> Self {
        Self { version, address }
    }

    /// Reads a line, with or without its end. `versions` are the host's application protocol versions.
    pub(super) fn parse(line: &[u8], versions: &[u32]) -> Result<Self, LaunchError> {
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
                .map_err(|_| unrecognized(format!("its {name} {} is no number", quote(field.as_bytes()))))
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
        if rest.get(1).is_some_and(|field| is_certificate(field)) {
            return Err(LaunchError::Certificate { line: quoted(), stderr: stderr() });
        }
        Ok(Self { version, address })
    }
}

/// A certificate is DER of more than 255 bytes in base64, and so begins with `MII`.
fn is_certificate(field: &str) -> bool {
    field.len() > CERTIFICATE_MIN
        && field.starts_with("MII")
        && field.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='))
}

/// In quotation marks, escaped and shortened: the bytes of a stranger go to terminals and log files.
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
