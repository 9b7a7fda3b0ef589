//! Where a peer listens, as it is announced.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::sys::os::SOCKET_PATH_MAX;

/// An address of one of the two networks that go-plugin knows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Address {
    /// A socket file.
    Unix(PathBuf),
    /// A name in Linux's abstract namespace, written with a leading `@`.
    Abstract(String),
    /// `host:port`. The host is resolved on every dial.
    Tcp { host: String, port: u16 },
}

/// Why an announced address is invalid. The peer's texts are truncated: they may be anything.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AddressError {
    #[error("the network is {0:?}, neither \"unix\" nor \"tcp\"")]
    Network(String),
    #[error("the address is empty")]
    Empty,
    #[error("the address {0:?} contains a zero byte")]
    Zero(String),
    #[error("the socket path {path:?} has {len} bytes, and the system's limit is {SOCKET_PATH_MAX}")]
    TooLong { path: String, len: usize },
    #[error("{0:?} is not host:port")]
    NotTcp(String),
}

impl Address {
    /// Reads the pair that handshake lines and announcements carry.
    ///
    /// `unix` takes a path or `@name`; `tcp` takes `host:port` with a decimal port, where an empty host is this
    /// machine and an IPv6 address stands in brackets.
    pub(crate) fn parse(network: &str, address: &str) -> Result<Self, AddressError> {
        match network {
            "unix" | "tcp" if address.is_empty() => Err(AddressError::Empty),
            "unix" | "tcp" if address.contains('\0') => Err(AddressError::Zero(clip(address))),
            "unix" => match address.strip_prefix('@') {
                Some("") => Err(AddressError::Empty),
                Some(name) => {
                    check_length(Path::new(address))?;
                    Ok(Self::Abstract(name.to_owned()))
                }
                None => {
                    check_length(Path::new(address))?;
                    Ok(Self::Unix(address.into()))
                }
            },
            "tcp" => parse_tcp(address).ok_or_else(|| AddressError::NotTcp(clip(address))),
            _ => Err(AddressError::Network(clip(network))),
        }
    }

    /// The network's name, as it is announced.
    pub(crate) fn network(&self) -> &'static str {
        match self {
            Self::Unix(_) | Self::Abstract(_) => "unix",
            Self::Tcp { .. } => "tcp",
        }
    }
}

/// The address as it is announced, without the network.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => path.display().fmt(f),
            Self::Abstract(name) => write!(f, "@{name}"),
            Self::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "{host}:{port}"),
        }
    }
}

/// The system's error is "path must be shorter than SUN_LEN", without the path.
pub(super) fn check_length(path: &Path) -> Result<(), AddressError> {
    match path.as_os_str().len() {
        0..=SOCKET_PATH_MAX => Ok(()),
        len => Err(AddressError::TooLong { path: clip(&path.to_string_lossy()), len }),
    }
}

fn clip(text: &str) -> String {
    match text.char_indices().nth(250) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn parse_tcp(address: &str) -> Option<Address> {
    let (host, port) = address.rsplit_once(':')?;
    if !port.bytes().all(|it| it.is_ascii_digit()) {
        return None;
    }
    let port = port.parse().ok().filter(|port| *port != 0)?;
    let host = match host.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']').filter(|it| it.contains(':') && !it.contains(['[', ']']))?,
        None if host.contains([':', '[', ']', '/', ' ']) => return None,
        None if host.is_empty() => "localhost",
        None => host,
    };
    Some(Address::Tcp { host: host.to_owned(), port })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn accepted() {
        for (network, text, address) in [
            ("unix", "/tmp/plugin3103085017", Address::Unix("/tmp/plugin3103085017".into())),
            ("unix", "relative.sock", Address::Unix("relative.sock".into())),
            ("unix", "@kv-1", Address::Abstract("kv-1".into())),
            ("tcp", "127.0.0.1:10000", Address::Tcp { host: "127.0.0.1".into(), port: 10000 }),
            ("tcp", "[::1]:65535", Address::Tcp { host: "::1".into(), port: 65535 }),
            ("tcp", "plugins.local:1", Address::Tcp { host: "plugins.local".into(), port: 1 }),
        ] {
            let parsed = Address::parse(network, text).unwrap();
            assert_eq!(parsed, address);
            assert_eq!((parsed.network(), parsed.to_string().as_str()), (network, text));
        }
        assert_eq!(Address::parse("tcp", ":1234").unwrap().to_string(), "localhost:1234");
    }

    #[test]
    fn refused() {
        let long = format!("/tmp/{}", "x".repeat(SOCKET_PATH_MAX - 4));
        let too_long = format!("{} bytes, and the system's limit is {SOCKET_PATH_MAX}", SOCKET_PATH_MAX + 1);
        for (network, text, says) in [
            ("", "/tmp/a", "the network is \"\""),
            ("UNIX", "/tmp/a", "the network is \"UNIX\""),
            ("udp", "127.0.0.1:1", "the network is \"udp\""),
            ("unix", "", "empty"),
            ("unix", "@", "empty"),
            ("tcp", "", "empty"),
            ("unix", "/tmp/a\0b", "zero byte"),
            ("unix", &long, &too_long),
            ("tcp", "localhost", "not host:port"),
            ("tcp", "localhost:", "not host:port"),
            ("tcp", "localhost:0", "not host:port"),
            ("tcp", "localhost:65536", "not host:port"),
            ("tcp", "localhost:+80", "not host:port"),
            ("tcp", "::1:80", "not host:port"),
            ("tcp", "[::1:80", "not host:port"),
            ("tcp", "[host]:80", "not host:port"),
            ("tcp", "/tmp/a:1", "not host:port"),
        ] {
            let error = Address::parse(network, text).unwrap_err().to_string();
            assert!(error.contains(says), "{network} {text:?}: {error}");
        }
        assert!(Address::parse("unix", &long[..SOCKET_PATH_MAX]).is_ok(), "the limit itself is fine");
    }

    proptest! {
        #[test]
        fn what_parses_prints_and_parses_again(network in "unix|tcp|tcp4|", text in "(\\[?[a-z0-9.:@/]{0,12}\\]?:?[0-9]{0,6})|\\PC{0,130}") {
            if let Ok(address) = Address::parse(&network, &text) {
                let again = Address::parse(address.network(), &address.to_string());
                prop_assert_eq!(again, Ok(address));
            }
        }
    }
}
