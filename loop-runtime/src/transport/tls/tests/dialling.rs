//! This side dials a peer: a host its plugin, either side what the other lends.

use super::*;

/// The outcome of dialling a peer.
async fn dialled(peer: &Peer, ours: &Tls) -> String {
    let (socket, theirs) = pair();
    let serve = async {
        // It gets an alert, or is disconnected.
        if let Ok(mut stream) = peer.acceptor().accept(theirs).await {
            stream.read_u8().await.unwrap_err();
        }
    };
    let dial = async { text(ours.connect(socket).await) };
    let (outcome, ()) = soon(async { tokio::join!(dial, serve) }).await;
    outcome
}

#[tokio::test]
async fn the_peer_that_was_announced_is_called() {
    for version in VERSIONS {
        let (host, plugin) = (Identity::generate().unwrap(), Identity::generate().unwrap());
        let ours = Tls::new(&host, certificate(&plugin)).unwrap();
        let (socket, theirs) = pair();
        let acceptor = Peer::with(&plugin, version).acceptor();
        let (accepted, dialled) = tokio::join!(acceptor.accept(theirs), ours.connect(socket));
        let accepted = accepted.unwrap();
        let (_, connection) = accepted.get_ref();
        assert_eq!(connection.server_name(), Some("localhost"));
        assert_eq!(connection.alpn_protocol(), Some(b"h2".as_slice()));
        assert_eq!(connection.peer_certificates(), Some(host.key().cert.as_slice()));
        assert_connected(dialled.unwrap(), accepted).await;
    }
}

#[tokio::test]
async fn a_server_with_another_certificate_is_refused() {
    for version in VERSIONS {
        let (plugin, stranger) = (Identity::generate().unwrap(), Identity::generate().unwrap());
        let said = dialled(&Peer::with(&stranger, version), &told_of(&plugin)).await;
        assert!(said.contains("not the one that the other side announced"), "{said}");
    }
}

#[tokio::test]
async fn a_server_without_a_certificate_is_refused() {
    for version in VERSIONS {
        let plugin = Identity::generate().unwrap();
        let said = dialled(&Peer::without_certificate(version), &told_of(&plugin)).await;
        assert!(said.contains("the peer gave up"), "{said}");
    }
}

#[tokio::test]
async fn a_server_with_an_expired_certificate_is_refused() {
    for version in VERSIONS {
        let plugin = expired();
        let said = dialled(&Peer::with(&plugin, version), &told_of(&plugin)).await;
        assert!(said.contains("has expired"), "{said}");
    }
}

#[tokio::test]
async fn a_server_with_a_certificate_of_the_future_is_refused() {
    for version in VERSIONS {
        let plugin = not_yet();
        let said = dialled(&Peer::with(&plugin, version), &told_of(&plugin)).await;
        assert!(said.contains("not valid yet"), "{said}");
    }
}

#[tokio::test]
async fn a_server_with_a_stolen_certificate_and_no_key_is_refused() {
    for version in VERSIONS {
        let plugin = Identity::generate().unwrap();
        let said = dialled(&Peer::thief(&plugin, version), &told_of(&plugin)).await;
        assert!(said.contains("does not have its certificate's key"), "{said}");
    }
}

#[tokio::test]
async fn a_server_that_does_not_choose_http2_is_refused() {
    for version in VERSIONS {
        let plugin = Identity::generate().unwrap();
        let peer = Peer { protocols: vec![], ..Peer::with(&plugin, version) };
        let said = dialled(&peer, &told_of(&plugin)).await;
        assert!(said.contains("ALPN"), "{said}");
    }
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_is_refused() {
    let plugin = Identity::generate().unwrap();
    let (socket, mut theirs) = pair();
    // An empty SETTINGS frame, as HTTP/2 servers begin.
    theirs.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).await.unwrap();
    let said = text(told_of(&plugin).connect(socket).await);
    assert!(said.contains("does not speak TLS"), "{said}");
}
