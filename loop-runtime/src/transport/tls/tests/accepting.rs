//! A peer dials this side: a host its plugin's main socket, either side what the other lends.

use super::*;

/// Our answer to a peer that dials, and whether it is disconnected.
async fn answer_to(peer: &Peer, ours: &Tls) -> String {
    let (socket, theirs) = pair();
    let dial = async {
        let server = ServerName::try_from(SERVER).unwrap();
        // Under TLS 1.3 the dialling side is done first: it sees the reason for a refusal when it reads.
        let mut stream = peer.connector().connect(server, theirs).await?;
        stream.read_u8().await.map(|_| ())
    };
    let serve = async { text(ours.accept(socket).await) };
    let (cut_off, outcome) = soon(async { tokio::join!(dial, serve) }).await;
    cut_off.unwrap_err();
    outcome
}

#[tokio::test]
async fn the_peer_that_was_announced_is_served() {
    for version in VERSIONS {
        let (host, plugin) = (Identity::generate().unwrap(), Identity::generate().unwrap());
        let ours = Tls::new(&plugin, certificate(&host)).unwrap();
        let (socket, theirs) = pair();
        let server = ServerName::try_from(SERVER).unwrap();
        let (theirs, accepted) =
            tokio::join!(Peer::with(&host, version).connector().connect(server, theirs), ours.accept(socket));
        let theirs = theirs.unwrap();
        let (_, connection) = theirs.get_ref();
        assert_eq!(connection.alpn_protocol(), Some(b"h2".as_slice()));
        assert_eq!(connection.protocol_version(), Some(version.version));
        assert_eq!(connection.peer_certificates(), Some(plugin.key().cert.as_slice()));
        assert_connected(accepted.unwrap(), theirs).await;
    }
}

#[tokio::test]
async fn a_client_with_another_certificate_is_refused() {
    for version in VERSIONS {
        let (host, stranger) = (Identity::generate().unwrap(), Identity::generate().unwrap());
        let said = answer_to(&Peer::with(&stranger, version), &told_of(&host)).await;
        assert!(said.contains("not the one that the other side announced"), "{said}");
    }
}

#[tokio::test]
async fn a_client_without_a_certificate_is_refused() {
    for version in VERSIONS {
        let host = Identity::generate().unwrap();
        let said = answer_to(&Peer::without_certificate(version), &told_of(&host)).await;
        assert!(said.contains("shows no certificate"), "{said}");
    }
}

#[tokio::test]
async fn a_client_with_an_expired_certificate_is_refused() {
    for version in VERSIONS {
        let host = expired();
        let said = answer_to(&Peer::with(&host, version), &told_of(&host)).await;
        assert!(said.contains("has expired"), "{said}");
    }
}

#[tokio::test]
async fn a_client_with_a_certificate_of_the_future_is_refused() {
    for version in VERSIONS {
        let host = not_yet();
        let said = answer_to(&Peer::with(&host, version), &told_of(&host)).await;
        assert!(said.contains("not valid yet"), "{said}");
    }
}

#[tokio::test]
async fn a_client_with_a_stolen_certificate_and_no_key_is_refused() {
    for version in VERSIONS {
        let host = Identity::generate().unwrap();
        let said = answer_to(&Peer::thief(&host, version), &told_of(&host)).await;
        assert!(said.contains("does not have its certificate's key"), "{said}");
    }
}

#[tokio::test]
async fn a_client_that_does_not_offer_http2_is_refused() {
    for version in VERSIONS {
        let host = Identity::generate().unwrap();
        for protocols in [vec![], vec![b"http/1.1".to_vec()]] {
            let peer = Peer { protocols, ..Peer::with(&host, version) };
            let said = answer_to(&peer, &told_of(&host)).await;
            assert!(said.contains("ALPN"), "{said}");
        }
    }
}
