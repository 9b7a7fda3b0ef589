//! From the cookie to the handshake line.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use tokio::net::UnixStream;

use crate::client::{Two, two};
use crate::process::Start;

#[tokio::test]
async fn a_person_who_runs_it_reads_three_lines() {
    for start in [Start::new("").without("PROBE_COOKIE"), Start::new("").env("PROBE_COOKIE", "sour")] {
        let mut plugin = start.spawn();
        assert_eq!(plugin.ended().await, (Some(1), String::new()));
        let stderr = plugin.whole_stderr().await;
        assert_eq!(stderr.lines().count(), 3, "{stderr}");
        assert!(stderr.contains("plugin"), "{stderr}");
    }
}

#[tokio::test]
async fn an_empty_cookie_is_a_mistake_of_the_author() {
    let mut plugin = Start::new("no-cookie").spawn();
    assert_eq!(plugin.ended().await, (Some(1), String::new()));
    assert!(plugin.whole_stderr().await.contains("misconfigured plugin"));
}

#[tokio::test]
async fn one_line_and_a_socket_that_answers() {
    let mut plugin = Start::new("").up().await;
    assert_eq!(plugin.line, format!("1|1|unix|{}|grpc|\n", plugin.socket));
    let echo: Two = plugin.client().await.call("/probe.Probe/Echo", two("hello", "")).await.unwrap();
    assert_eq!(echo.one, b"hello");
    plugin.shut_down().await;
    // What it prints before, while and after it serves does not appear.
    assert_eq!(plugin.ended().await, (Some(0), String::new()));
}

#[tokio::test]
async fn the_highest_common_version_is_chosen() {
    for (offered, chosen) in [("3,1", "3"), ("1,2,3", "3"), ("1", "1"), ("2", "1"), (" 3", "1"), ("", "1")] {
        let plugin = Start::new("").env("PLUGIN_PROTOCOL_VERSIONS", offered).up().await;
        assert_eq!(plugin.line.split('|').nth(1), Some(chosen), "{offered:?}");
    }
    let plugin = Start::new("").without("PLUGIN_PROTOCOL_VERSIONS").up().await;
    assert_eq!(plugin.line.split('|').nth(1), Some("1"));
}

#[tokio::test]
async fn who_asks_for_multiplexing_is_told_the_truth() {
    let plugin = Start::new("").env("PLUGIN_MULTIPLEX_GRPC", "true").up().await;
    let answer = if cfg!(feature = "mux") { "|grpc||true\n" } else { "|grpc||false\n" };
    assert!(plugin.line.ends_with(answer), "{}", plugin.line);
    let plugin = Start::new("").env("PLUGIN_MULTIPLEX_GRPC", "").up().await;
    assert!(plugin.line.ends_with("|grpc|\n"), "{}", plugin.line);
}

#[tokio::test]
async fn the_socket_is_private() {
    let plugin = Start::new("").up().await;
    let dir = Path::new(&plugin.socket).parent().unwrap();
    assert_eq!(dir.parent().unwrap(), plugin.temporary.path().join("tmp"));
    assert_eq!(dir.metadata().unwrap().mode() & 0o777, 0o700);
}

#[tokio::test]
async fn the_hosts_directory_and_group_are_honoured() {
    let host = tempfile::tempdir().unwrap();
    let group = host.path().metadata().unwrap().gid();
    let start = Start::new("").env("PLUGIN_UNIX_SOCKET_DIR", host.path().to_str().unwrap());
    let mut plugin = start.env("PLUGIN_UNIX_SOCKET_GROUP", group.to_string()).up().await;
    assert_eq!(Path::new(&plugin.socket).parent(), Some(host.path()));
    let seen = std::fs::metadata(&plugin.socket).unwrap();
    assert_eq!((seen.mode() & 0o777, seen.gid()), (0o660, group));
    plugin.shut_down().await;
    assert_eq!(plugin.ended().await.0, Some(0));
    assert_eq!(std::fs::read_dir(host.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_group_that_nobody_knows_fails_the_start() {
    let mut plugin = Start::new("").env("PLUGIN_UNIX_SOCKET_GROUP", "nobody at all").spawn();
    assert_eq!(plugin.ended().await, (Some(1), String::new()));
    let stderr = plugin.whole_stderr().await;
    assert!(stderr.contains("[ERROR] plugin: cannot start: ") && stderr.contains("nobody at all"), "{stderr}");
    assert_eq!(plugin.sockets_left(), 0);
}

#[tokio::test]
async fn a_service_that_cannot_be_made_fails_the_start_in_one_line() {
    let mut plugin = Start::new("broken").spawn();
    assert_eq!(plugin.ended().await, (Some(1), String::new()));
    let stderr = plugin.whole_stderr().await;
    assert!(stderr.contains("[ERROR] plugin: cannot start: version 1 has no disk\n"), "{stderr}");
    assert_eq!(plugin.sockets_left(), 0);
}

/// An offer of TLS that cannot be answered ends the start: otherwise the host would see only a refused connection.
#[tokio::test]
async fn an_offer_of_tls_that_cannot_be_answered_fails_the_start() {
    let says = match cfg!(feature = "auto-mtls") {
        true => "PLUGIN_CLIENT_CERT is set: the certificate of the other side cannot be used",
        false => "PLUGIN_CLIENT_CERT is set: the host asks for TLS, and this plugin was built without it",
    };
    let mut plugin = Start::new("").env("PLUGIN_CLIENT_CERT", "no certificate").spawn();
    assert_eq!(plugin.ended().await, (Some(1), String::new()));
    let stderr = plugin.whole_stderr().await;
    assert!(stderr.contains("[ERROR] plugin: cannot start: ") && stderr.contains(says), "{stderr}");
    assert_eq!(plugin.sockets_left(), 0);

    let mut plugin = Start::new("").env("PLUGIN_CLIENT_CERT", "").up().await;
    assert!(plugin.line.ends_with("|grpc|\n"), "empty is unset: {}", plugin.line);
    plugin.shut_down().await;
    assert_eq!(plugin.ended().await.0, Some(0));
}

#[tokio::test]
async fn a_mistake_in_the_nodes_environment_is_named() {
    let mut plugin = Start::new("loop").env("CL_GRPC_SERVER_MAX_RECV_MSG_SIZE", "many").spawn();
    assert_eq!(plugin.ended().await, (Some(1), String::new()));
    assert!(plugin.whole_stderr().await.contains("CL_GRPC_SERVER_MAX_RECV_MSG_SIZE holds \"many\""));
}

#[tokio::test]
async fn a_connection_without_a_byte_does_no_harm() {
    let plugin = Start::new("").up().await;
    for _ in 0..10 {
        drop(UnixStream::connect(&plugin.socket).await.unwrap());
    }
    let echo: Two = plugin.client().await.call("/probe.Probe/Echo", two("still here", "")).await.unwrap();
    assert_eq!(echo.one, b"still here");
}
