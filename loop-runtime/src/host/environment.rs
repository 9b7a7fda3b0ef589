//! The environment of a plugin: explicit, with nothing of the protocol's own leaking in from the host.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;

use super::{Command, LaunchOptions, log_filter};
use crate::Handshake;

/// Passed on from the host without being asked for: what to log, whether a panic has a backtrace, and where temporary
/// files go.
const ALWAYS_PASSED: [&str; 3] = ["RUST_BACKTRACE", "RUST_LOG", "TMPDIR"];

/// Names that mean something to go-plugin. A host that is itself a plugin finds its own host's values in its
/// environment; passing those on makes the child speak TLS or yamux that nobody asked for.
const OWNED: [&str; 7] = [
    "PLUGIN_MIN_PORT",
    "PLUGIN_MAX_PORT",
    "PLUGIN_PROTOCOL_VERSIONS",
    "PLUGIN_MULTIPLEX_GRPC",
    "PLUGIN_CLIENT_CERT",
    "PLUGIN_UNIX_SOCKET_GROUP",
    "PLUGIN_UNIX_SOCKET_DIR",
];

/// The ports that go-plugin proposes to plugins that listen on TCP.
const PORTS: (&str, &str) = ("10000", "25000");

/// Names and values.
pub(super) type Environment = BTreeMap<OsString, OsString>;

/// The whole environment of the plugin, later sources winning: passed on from the host, the command's own, the
/// protocol's.
pub(super) fn build(
    command: &Command,
    handshake: &Handshake,
    options: &LaunchOptions,
    host: impl Fn(&OsStr) -> Option<OsString>,
) -> Environment {
    let mut env = BTreeMap::new();
    for name in ALWAYS_PASSED.iter().map(OsStr::new).chain(options.pass_env.iter().map(OsString::as_os_str)) {
        if !name.as_bytes().starts_with(b"PLUGIN_")
            && let Some(value) = host(name)
        {
            let filter = value.to_str().filter(|_| name == "RUST_LOG");
            let value = filter.map(|filter| log_filter::for_plugin(filter, &options.name).into()).unwrap_or(value);
            env.insert(name.to_owned(), value);
        }
    }
    for (name, value) in &command.env {
        if !OWNED.iter().any(|owned| name == owned) {
            env.insert(name.clone(), value.clone());
        }
    }
    let versions: Vec<String> = handshake.all_versions().iter().map(u32::to_string).collect();
    let mut own = |name: &str, value: &OsStr| env.insert(name.into(), value.to_owned());
    own("PLUGIN_MIN_PORT", PORTS.0.as_ref());
    own("PLUGIN_MAX_PORT", PORTS.1.as_ref());
    own("PLUGIN_PROTOCOL_VERSIONS", versions.join(",").as_ref());
    own("PLUGIN_UNIX_SOCKET_DIR", options.socket_dir.as_os_str());
    if let Some(certificate) = options.offer.client_certificate() {
        own("PLUGIN_CLIENT_CERT", certificate.as_ref());
    }
    #[cfg(feature = "mux")]
    if options.multiplexed {
        own("PLUGIN_MULTIPLEX_GRPC", "true".as_ref());
    }
    own(handshake.cookie_key, handshake.cookie_value.as_ref());
    env
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::Offer;

    const HANDSHAKE: Handshake = Handshake::new("COOKIE", "biscuit").version(2).also_versions(&[1, 3]);

    fn build_from(command: &Command, pass: &[&str], host: &[(&str, &str)]) -> Vec<(String, String)> {
        build_with(Offer::default(), command, pass, host)
    }

    fn build_with(offer: Offer, command: &Command, pass: &[&str], host: &[(&str, &str)]) -> Vec<(String, String)> {
        let pass: Vec<OsString> = pass.iter().map(OsString::from).collect();
        let lookup = |name: &OsStr| host.iter().find(|(n, _)| name == *n).map(|(_, v)| v.into());
        let options = LaunchOptions {
            name: String::new(),
            start_timeout: std::time::Duration::ZERO,
            socket_dir: "/tmp/d".into(),
            pass_env: pass,
            parent_death: false,
            offer,
            #[cfg(feature = "mux")]
            multiplexed: false,
            cancel: tokio_util::sync::CancellationToken::new(),
        };
        build(command, &HANDSHAKE, &options, lookup)
            .into_iter()
            .map(|(n, v)| (n.into_string().unwrap(), v.into_string().unwrap()))
            .collect()
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        let mut all: Vec<_> = [
            ("COOKIE", "biscuit"),
            ("PLUGIN_MAX_PORT", "25000"),
            ("PLUGIN_MIN_PORT", "10000"),
            ("PLUGIN_PROTOCOL_VERSIONS", "3,2,1"),
            ("PLUGIN_UNIX_SOCKET_DIR", "/tmp/d"),
        ]
        .iter()
        .chain(expected)
        .map(|(n, v)| (n.to_string(), v.to_string()))
        .collect();
        all.sort();
        all
    }

    #[test]
    fn holds_the_protocol_and_nothing_else() {
        let host = [("PATH", "/bin"), ("HOME", "/root"), ("SECRET", "s")];
        assert_eq!(build_from(&Command::new("x"), &[], &host), pairs(&[]));
    }

    #[test]
    fn passes_on_what_is_listed() {
        let host = [("PATH", "/bin"), ("RUST_BACKTRACE", "1"), ("RUST_LOG", "debug"), ("TMPDIR", "/t")];
        let expected = pairs(&host);
        assert_eq!(build_from(&Command::new("x"), &["PATH", "ABSENT"], &host), expected);
    }

    #[test]
    fn the_filter_of_the_log_is_put_into_the_plugins_words() {
        let host = [("RUST_LOG", "info,plugin=debug")];
        let expected = pairs(&[("RUST_LOG", "info,debug")]);
        assert_eq!(build_from(&Command::new("x"), &[], &host), expected);
        let command = Command::new("x").env("RUST_LOG", "plugin=debug");
        assert_eq!(build_from(&command, &[], &host), pairs(&[("RUST_LOG", "plugin=debug")]), "as the command has it");
    }

    #[test]
    fn never_inherits_plugin_variables_even_if_listed() {
        let host = [("PLUGIN_CLIENT_CERT", "pem"), ("PLUGIN_MULTIPLEX_GRPC", "true"), ("PLUGIN_X", "1")];
        let pass = ["PLUGIN_CLIENT_CERT", "PLUGIN_MULTIPLEX_GRPC", "PLUGIN_X"];
        assert_eq!(build_from(&Command::new("x"), &pass, &host), pairs(&[]));
    }

    #[cfg(feature = "auto-mtls")]
    #[test]
    fn an_offered_certificate_is_there_in_place_of_an_inherited_one() {
        let offer = crate::transport::TlsMode::Tls.offer().unwrap();
        let pem = offer.client_certificate().unwrap().to_owned();
        let host = [("PLUGIN_CLIENT_CERT", "inherited")];
        let command = Command::new("x").env("PLUGIN_CLIENT_CERT", "the command's");
        let built = build_with(offer, &command, &["PLUGIN_CLIENT_CERT"], &host);
        assert_eq!(built, pairs(&[("PLUGIN_CLIENT_CERT", &pem)]));
    }

    #[test]
    fn the_command_wins_over_the_host_and_the_protocol_over_both() {
        let command = Command::new("x")
            .env("RUST_LOG", "trace")
            .env("PLUGIN_COLOUR", "red")
            .env("PLUGIN_MULTIPLEX_GRPC", "true")
            .env("PLUGIN_MIN_PORT", "1")
            .env("COOKIE", "wrong");
        let host = [("RUST_LOG", "info"), ("COOKIE", "inherited")];
        let expected = pairs(&[("RUST_LOG", "trace"), ("PLUGIN_COLOUR", "red")]);
        assert_eq!(build_from(&command, &["COOKIE"], &host), expected);
    }
}
