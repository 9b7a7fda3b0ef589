use proptest::prelude::*;

use super::*;
use crate::sys::os::SOCKET_PATH_MAX;

const VERSIONS: [u32; 2] = [3, 1];

fn parse(line: &str) -> Result<HandshakeLine, LaunchError> {
    HandshakeLine::parse(line.as_bytes(), &VERSIONS, &Offer::Nothing)
}

/// One word for each verdict.
fn verdict(line: &str) -> &'static str {
    match parse(line) {
        Ok(_) => "ok",
        Err(LaunchError::Unrecognized { .. }) => "unrecognized",
        Err(LaunchError::CoreVersion { .. }) => "core",
        Err(LaunchError::ApplicationVersion { .. }) => "application",
        Err(LaunchError::Protocol { .. }) => "protocol",
        Err(LaunchError::Network { .. }) => "network",
        Err(LaunchError::Address { .. }) => "address",
        Err(LaunchError::Certificate { .. }) => "certificate",
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn verdicts() {
    let certificate = format!("1|1|unix|/p|grpc|MII{}", "A".repeat(790));
    let junk = format!("1|1|unix|/p|grpc|{}", "%".repeat(60));
    let long = format!("1|1|unix|/{}|grpc|", "p".repeat(SOCKET_PATH_MAX));
    let just_fits = format!("1|1|unix|/{}|grpc|", "p".repeat(SOCKET_PATH_MAX - 1));
    let table = [
        // As a Go host was seen to judge.
        ("1|1|unix|/p|grpc", "ok"),
        (" +1|01|unix|/p|grpc||extra|more", "ok"),
        ("1|1|unix|/p|grpc|abc|notabool", "ok"),
        ("1|1|unix|/p", "protocol"),
        ("2|1|unix|/p|grpc|", "core"),
        ("1|7|unix|/p|grpc|", "application"),
        ("1|1|udp|/p|grpc|", "network"),
        ("1|1|unix", "unrecognized"),
        ("1|1|tcp|notaport|grpc|", "address"),
        ("1|1|tcp|:1234|grpc|", "ok"),
        // Forms that peers write.
        ("1|3|unix|/p|grpc|", "ok"),
        ("1|1|unix|/p|grpc|\r\n", "ok"),
        ("1|1|unix|/p|grpc||false", "ok"),
        ("1|1|unix|@abstract|grpc|", "ok"),
        ("1|1|tcp|127.0.0.1:10000|grpc|", "ok"),
        ("1|1|tcp|[::1]:10000|grpc|", "ok"),
        ("1|1|tcp|localhost:10000|grpc|", "ok"),
        (&just_fits, "ok"),
        // Too little, or something else altogether.
        ("", "unrecognized"),
        ("|||", "unrecognized"),
        ("Hello, world", "unrecognized"),
        ("a|b|c|d", "unrecognized"),
        ("usage: x [-a|-b|-c|-d]", "unrecognized"),
        ("1.0|1|unix|/p|grpc|", "unrecognized"),
        ("1|one|unix|/p|grpc|", "unrecognized"),
        ("1||unix|/p|grpc|", "unrecognized"),
        ("1|99999999999999999999|unix|/p|grpc|", "unrecognized"),
        // Versions.
        ("0|1|unix|/p|grpc|", "core"),
        ("-1|1|unix|/p|grpc|", "core"),
        ("1|2|unix|/p|grpc|", "application"),
        ("1|-1|unix|/p|grpc|", "application"),
        ("1|4294967297|unix|/p|grpc|", "application"),
        // Protocol and network.
        ("1|1|unix|/p|netrpc|", "protocol"),
        ("1|1|unix|/p|", "protocol"),
        ("1|1|unix|/p|GRPC|", "protocol"),
        ("1|1||/p|grpc|", "network"),
        ("1|1|UNIX|/p|grpc|", "network"),
        // Addresses.
        ("1|1|unix||grpc|", "address"),
        ("1|1|unix|@|grpc|", "address"),
        ("1|1|unix|/p\0q|grpc|", "address"),
        (&long, "address"),
        ("1|1|tcp||grpc|", "address"),
        ("1|1|tcp|127.0.0.1|grpc|", "address"),
        ("1|1|tcp|127.0.0.1:|grpc|", "address"),
        ("1|1|tcp|127.0.0.1:0|grpc|", "address"),
        ("1|1|tcp|127.0.0.1:65536|grpc|", "address"),
        ("1|1|tcp|::1:1234|grpc|", "address"),
        ("1|1|tcp|[zz]:1234|grpc|", "address"),
        // Certificates: a real one means TLS, anything else in its place is ignored.
        (&certificate, "certificate"),
        (&junk, "ok"),
        ("1|1|unix|/p|grpc|MIIshort", "ok"),
    ];
    let wrong: Vec<_> = table
        .iter()
        .map(|(line, expected)| (line, *expected, verdict(line)))
        .filter(|(_, expected, got)| expected != got)
        .collect();
    assert!(wrong.is_empty(), "(line, expected, got): {wrong:#?}");
}

/// A host that asked for TLS.
#[cfg(feature = "auto-mtls")]
#[test]
fn verdicts_on_the_answer_to_an_offer() {
    let offer = crate::transport::TlsMode::Tls.offer().unwrap();
    let (_, field) = crate::transport::answer(offer.client_certificate().map(AsRef::as_ref)).unwrap();
    let judged = |line: &str| HandshakeLine::parse(line.as_bytes(), &VERSIONS, &offer);
    for rest in ["", "|", "||true"] {
        let error = judged(&format!("1|1|unix|/p|grpc{rest}\n")).unwrap_err();
        assert!(matches!(error, LaunchError::NoCertificate { .. }) && error.is_permanent(), "{rest}: {error}");
    }
    for (field, says) in
        [("x", "base64"), ("MIIshort", "X.509"), (&field[..200], "X.509"), (&format!("{field}="), "base64")]
    {
        let error = judged(&format!("1|1|unix|/p|grpc|{field}\n")).unwrap_err();
        assert!(matches!(error, LaunchError::BadCertificate { .. }) && !error.is_permanent(), "{field}: {error}");
        let text = error.to_string();
        assert!(text.contains(says) && text.contains("(handshake line \"1|1|unix|/p|grpc|"), "{text}");
    }
    for rest in ["", "|", "|true", "|junk|more"] {
        let line = judged(&format!("1|1|unix|/p|grpc|{field}{rest}\r\n")).unwrap();
        assert!(matches!(line.security, crate::transport::Security::Tls(_)), "{rest}");
    }
    // Other mistakes are named first.
    assert!(matches!(judged("2|1|unix|/p|grpc|"), Err(LaunchError::CoreVersion { .. })));
}

#[test]
fn values() {
    let line = parse("1|3|unix|/tmp/plugin1|grpc|").unwrap();
    assert_eq!((line.version, line.address), (3, Address::Unix("/tmp/plugin1".into())));
    let line = parse("1|1|tcp|:1234|grpc|\r\n").unwrap();
    assert_eq!((line.version, line.address), (1, Address::Tcp { host: "localhost".into(), port: 1234 }));
}

#[test]
fn errors_quote_the_line_and_say_what_is_wrong() {
    assert_eq!(
        parse("1|7|unix|/p|grpc|").unwrap_err().to_string(),
        "incompatible application protocol version: the plugin speaks 7, and this host [3, 1] (handshake line \
         \"1|7|unix|/p|grpc|\")\nhelp: one of them needs an update: see `Handshake::version` and `Handshake::also_versions`"
    );
    assert_eq!(
        parse("starting up\x1b[31m\n").unwrap_err().to_string(),
        "unrecognized handshake line: \"starting up\\x1b[31m\": it has 1 of at least 4 fields\nhelp: a plugin may write \
         nothing to stdout before that line (logs belong on stderr), and the program must be a plugin of this host"
    );
    let error = HandshakeLine::parse(b"\xff\xfe\0|1|unix|/p", &VERSIONS, &Offer::Nothing).unwrap_err();
    assert!(error.to_string().contains("\"\\xff\\xfe\\x00|1|unix|/p\": it is not UTF-8"), "{error}");
    let error = parse(&"x".repeat(5000)).unwrap_err().to_string();
    assert!(error.contains("\".. (5000 bytes)") && error.len() < 600, "{error}");
}

proptest! {
    #[test]
    fn any_bytes_are_judged(line in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = HandshakeLine::parse(&line, &VERSIONS, &Offer::Nothing);
    }

    /// Closer to the truth, so that later fields are reached.
    #[test]
    fn any_fields_are_judged(fields in prop::collection::vec("[+-]?[0-9]{0,11}|unix|tcp|grpc|/p|.{0,20}", 0..9)) {
        let _ = parse(&format!("1|1|{}", fields.join("|")));
        let _ = parse(&fields.join("|"));
    }

    #[test]
    fn what_a_plugin_writes_is_read(version in prop::sample::select(VERSIONS.to_vec()), path in "/[a-zA-Z0-9/._-]{1,80}") {
        let line = parse(&format!("1|{version}|unix|{path}|grpc|\n")).unwrap();
        prop_assert_eq!((line.version, line.address), (version, Address::Unix(path.into())));
    }
}

#[cfg(feature = "mux")]
#[test]
fn multiplexing_is_demanded_in_gos_words() {
    for (field, says) in [
        ("|true", None),
        ("|1\r\n", None),
        ("|T|more", None),
        ("|True|", None),
        ("", Some("its line does not say")),
        ("|false", Some("its line says so")),
        ("|0", Some("its line says so")),
        ("|", Some("its line says \"\" where")),
        ("|yes", Some("its line says \"yes\" where")),
        ("|tRUE", Some("its line says \"tRUE\" where")),
        ("|\u{1b}[2J", Some("its line says \"\\x1b[2J\" where")),
    ] {
        let line = format!("1|1|unix|/p|grpc|{field}");
        parse(&line).unwrap();
        let verdict = demand_multiplexing(line.as_bytes());
        match says {
            None => verdict.unwrap(),
            Some(says) => {
                let refused = verdict.unwrap_err();
                assert!(matches!(refused, LaunchError::NotMultiplexed { .. }) && refused.is_permanent());
                assert!(refused.to_string().contains(says), "{refused}");
            }
        }
    }
}
